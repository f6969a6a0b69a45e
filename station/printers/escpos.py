"""ESC/POS: the few commands that a slip needs, and a printer's answer to "how are you".

Written here because it is forty lines: the one maintained library (python-escpos) brings Pillow, USB and profiles of
printers, and its status calls differ by connection. Command names as in Epson's reference.
"""

from dataclasses import dataclass
from typing import Literal

from station.ports import hardware

Fault = Literal["unplugged", "silent", "paper_out", "cover_open", "failed", "paused", "aborted"]

_ESC, _FS, _GS, _DLE = b"\x1b", b"\x1c", b"\x1d", b"\x10"
INITIALIZE = _ESC + b"@"
#: FS &: two bytes are one Chinese character. Printers sold in China hold GB18030's two-byte part.
CHINESE = _FS + b"&"
CENTRE, LEFT = _ESC + b"a\x01", _ESC + b"a\x00"
#: GS V 66 n: feed past the cutter, cut.
CUT = _GS + b"V\x42\x03"
#: DLE EOT n: answered at once, even while the printer is off line. 2: why off line; 3: errors; 4: paper.
ASK_OFFLINE, ASK_ERROR, ASK_PAPER = (_DLE + b"\x04" + bytes([n]) for n in (2, 3, 4))
#: GS r 1: answered when everything sent before it has been printed.
ASK_DONE = _GS + b"r\x01"


def size(times: int) -> bytes:
    """Characters so many times as wide and high (1 to 8)."""
    return _GS + b"!" + bytes([(times - 1) << 4 | (times - 1)])


def text(words: str) -> bytes:
    """A line of text. A sign that the printer does not have is printed as a question mark."""
    return words.encode("gb18030", errors="replace") + b"\n"


def qr(content: str, module_dots: int = 8) -> bytes:
    """A QR code, model 2, level M, drawn by the printer itself."""
    stored = content.encode("utf-8")
    return b"".join(
        _GS + b"(k" + (len(body) + 1).to_bytes(2, "little") + b"1" + body
        for body in (b"A2\x00", b"C" + bytes([module_dots]), b"E1", b"P0" + stored, b"Q0")
    )


def slip(words: hardware.Slip, serial_number: int) -> bytes:
    """One slip: the number large, its QR code, class, desk and time; at last the question whether it is out."""
    if words.lines:
        return b"".join((INITIALIZE, CHINESE, LEFT, *map(text, words.lines), text(f"#{serial_number}"), CUT, ASK_DONE))
    local = words.issued_at.astimezone()
    return b"".join(
        (
            INITIALIZE,
            CHINESE,
            CENTRE,
            text("拍摄号 Ticket"),
            size(4),
            text(words.ticket),
            size(1),
            qr(words.ticket),
            text(words.class_label),
            text(f"采集台 Desk {words.desk_code}  {local:%Y-%m-%d %H:%M}"),
            text("请把拍摄号告诉摄影师，扫码后请勿换位"),
            text(f"#{serial_number}"),
            CUT,
            ASK_DONE,
        )
    )


@dataclass(frozen=True, slots=True)
class Condition:
    """A printer's three answers."""

    offline: int
    error: int
    paper: int

    @property
    def fault(self) -> Fault | None:
        """What keeps it from printing. Bits as in Epson's table of DLE EOT."""
        if self.paper & 0b0110_0000 or self.offline & 0b0010_0000:
            return "paper_out"
        if self.offline & 0b0000_0100:
            return "cover_open"
        if self.error & 0b0110_1000:
            return "failed"
        return None

    @property
    def paper_near_end(self) -> bool:
        """The roll will soon be out."""
        return bool(self.paper & 0b0000_1100)


def is_condition(byte: int) -> bool:
    """Whether a byte is an answer to DLE EOT: bits 1 and 4 are set, 0 and 7 are not."""
    return byte & 0b1001_0011 == 0b0001_0010
