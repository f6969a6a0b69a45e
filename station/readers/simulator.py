"""A card reader without hardware: one end of a pseudo-terminal, a hand that lays cards down, and faults on order.

`python -m station.readers.simulator` opens one, prints its path and takes commands from standard input: `lay KIND`,
`lift`, `fault WHAT N`, `quit`; WHAT is one of `FAULTS`. Its card holders are invented.
"""

import os
import select
import sys
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from station.readers import documents, protocol

#: Numbers with the right check digit that were given to nobody: the vectors that libraries are tested with.
INVENTED: dict[documents.Kind, tuple[str, str]] = {
    "resident": ("440308199901101512", "试验甲"),
    "hk_macao_taiwan": ("810000199408230021", "试验乙"),
    "permanent_2017": ("ABC123456789012", "试验丙"),
    "permanent_2023": ("911124198108030024", "试验丁"),
}
#: What can be wrong with an answer. `lengths`, `late` and `empty` are readings whose checksum is right and whose
#: content is not: a picture of 2048 bytes, the answer to SELECT over again, nothing.
FAULTS = ("silent", "noise", "checksum", "cut", "refuse", "lengths", "late", "empty", "echo", "status")


class SimulatedReader:
    """Answers on `path` as a reader does: a card that was read is not found again until it is lifted."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._text: bytes | None = None
        self._selected = self._was_read = False
        self._faults: dict[str, int] = {}
        self._lock = threading.Lock()
        self._wake, self._end = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def lay(self, kind: documents.Kind = "resident", number: str | None = None, expires: str = "20361231") -> None:
        """Lay a card down."""
        invented, name = INVENTED[kind]
        with self._lock:
            self._text = documents.written(kind, number or invented, name, expires)
            self._selected = self._was_read = False

    def lift(self) -> None:
        """Take the card away."""
        with self._lock:
            self._text = None

    def fault(self, what: str, times: int = 1) -> None:
        """Next `times` answers: `silent` none, `noise` bytes before it, `checksum` wrong, `cut` half, `refuse` a no.

        `echo`: the command comes back, as from a line without reader. `status`: 0x21, which is neither found nor none.
        """
        with self._lock:
            self._faults[what] = times

    def close(self) -> None:
        """Pull the cable. Again changes nothing."""
        if self._thread.is_alive():
            os.write(self._end, b"x")
            self._thread.join()
            for handle in (self._slave, self._master, self._wake, self._end):
                os.close(handle)

    def _serve(self) -> None:
        buffer = b""
        # Waited for together: a file that is closed while it is read would stay open, and so the cable plugged in.
        while self._wake not in select.select([self._master, self._wake], [], [])[0]:
            buffer += os.read(self._master, 4096)
            while protocol.PREAMBLE in buffer and len(command := _first(buffer)) == len(protocol.FIND):
                os.write(self._master, self._disturbed(command, self._reply(command)))
                buffer = buffer[buffer.find(command) + len(command) :]

    def _reply(self, command: bytes) -> bytes:
        with self._lock:
            text = self._text
            if command == protocol.SELECT and self._used("refuse"):
                return protocol.answer(protocol.NOT_SELECTED)
            if command == protocol.FIND:
                there = text is not None and not self._was_read
                return protocol.answer(protocol.FOUND, bytes(4)) if there else protocol.answer(protocol.NO_CARD)
            if command == protocol.SELECT:
                self._selected = text is not None and not self._was_read
                return (
                    protocol.answer(protocol.OK, bytes(8)) if self._selected else protocol.answer(protocol.NOT_SELECTED)
                )
            if text is None or not self._selected:
                return protocol.answer(protocol.NOT_READ)
            self._was_read, self._selected = True, False
            return protocol.answer(protocol.OK, self._content(text))

    def _content(self, text: bytes) -> bytes:
        if self._used("lengths"):
            return _reading(text, pictured=2 * protocol.PICTURE_BYTES)
        if self._used("late"):
            return bytes(8)
        return b"" if self._used("empty") else _reading(text)

    def _disturbed(self, command: bytes, reply: bytes) -> bytes:
        with self._lock:
            if self._used("silent"):
                return b""
            if self._used("echo"):
                return command
            if self._used("status"):
                return protocol.answer(0x21)
            if self._used("checksum"):
                return reply[:-1] + bytes([reply[-1] ^ 0x55])
            if self._used("cut"):
                return reply[: len(reply) // 2]
            if self._used("noise"):
                return b"\x00\xaa\xff" + reply
        return reply

    def _used(self, what: str) -> bool:
        left = self._faults.get(what, 0)
        self._faults[what] = max(0, left - 1)
        return left > 0


def _first(buffer: bytes) -> bytes:
    """The first command, or as much of it as there is: all are equally long."""
    start = buffer.find(protocol.PREAMBLE)
    return buffer[start : start + len(protocol.FIND)]


def _reading(text: bytes, pictured: int = protocol.PICTURE_BYTES) -> bytes:
    """`pictured` is how long the picture is said to be; it has the right length all the same."""
    lengths = len(text).to_bytes(2, "big") + pictured.to_bytes(2, "big")
    return lengths + text + bytes(protocol.PICTURE_BYTES)


@contextmanager
def simulated() -> Iterator[SimulatedReader]:
    """A reader that is there while the block runs."""
    reader = SimulatedReader()
    try:
        yield reader
    finally:
        reader.close()


def main() -> None:
    """Obey standard input."""
    with simulated() as reader:
        sys.stdout.write(f"{reader.path}\n")
        sys.stdout.flush()
        for line in sys.stdin:
            match line.split():
                case ["lay", kind] if kind in INVENTED:
                    reader.lay(kind)
                case ["lift"]:
                    reader.lift()
                case ["fault", what, times] if what in FAULTS:
                    reader.fault(what, int(times))
                case ["quit"]:
                    return


if __name__ == "__main__":
    main()
