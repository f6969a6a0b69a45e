"""The serial protocol of the readers of 居民身份证 (华视, 新中新, 神思, 精伦 …): frames, commands, answers.

A frame is AA AA AA 96 69, two bytes of length (big endian, of what follows), the body, and the XOR of length and body.
An answer's body begins with three status bytes, of which the last one tells.
"""

from dataclasses import dataclass, field
from functools import reduce
from operator import xor

PREAMBLE = bytes.fromhex("AAAAAA9669")
BAUD = 115_200
#: Length of a reading's body and checksum: status, two lengths, text, picture.
TEXT_BYTES, PICTURE_BYTES = 256, 1024
#: Three status bytes and a checksum are the shortest answer; a command, which a line may echo, is shorter.
_SHORTEST = 4
#: Anything longer is no answer of a reader.
_LONGEST = 4096


class Garbled(Exception):
    """An answer's checksum or shape is wrong: something disturbs the line. Ask again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is the third status byte; `content` may be somebody's identity."""

    status: int
    content: bytes = field(repr=False)


def frame(body: bytes) -> bytes:
    """A body as it goes over the line."""
    framed = (len(body) + 1).to_bytes(2, "big") + body
    return PREAMBLE + framed + bytes([reduce(xor, framed)])


FIND, SELECT, READ = (frame(bytes.fromhex(command)) for command in ("2001", "2002", "3001"))
FOUND, NO_CARD, OK = 0x9F, 0x80, 0x90
NOT_SELECTED, NOT_READ = 0x81, 0x41


def expected(buffer: bytes) -> int:
    """How many more bytes the first frame in `buffer` needs; noise before its preamble does not count."""
    start = buffer.find(PREAMBLE)
    if start < 0:
        return len(PREAMBLE) + 2
    head = start + len(PREAMBLE) + 2
    if len(buffer) < head:
        return head - len(buffer)
    length = int.from_bytes(buffer[head - 2 : head], "big")
    if not _SHORTEST <= length <= _LONGEST:
        raise Garbled
    return max(0, head + length - len(buffer))


def parse(buffer: bytes) -> Answer:
    """The first whole frame. Raises Garbled when its checksum is wrong."""
    framed = buffer[buffer.find(PREAMBLE) + len(PREAMBLE) :]
    framed = framed[: 2 + int.from_bytes(framed[:2], "big")]
    if reduce(xor, framed) != 0:
        raise Garbled
    return Answer(framed[4], framed[5:-1])


def answer(status: int, content: bytes = b"") -> bytes:
    """An answer as a reader sends it."""
    return frame(bytes([0, 0, status]) + content)


def text_of(reading: Answer) -> bytes:
    """The text file of a reading. Raises Garbled when its lengths are not those of a card."""
    text, picture = (int.from_bytes(reading.content[at : at + 2], "big") for at in (0, 2))
    if text != TEXT_BYTES or len(reading.content) < 4 + text + picture:
        raise Garbled
    return reading.content[4 : 4 + text]
