"""A receipt printer without hardware: a TCP port or a pseudo-terminal that prints slips into memory; its roll ends.

`python -m station.printers.simulator [SHEETS]` prints its address and what it prints, and takes `paper N`,
`cover open|closed`, `deaf` and `quit` from standard input.
"""

import os
import re
import select
import socket
import sys
import threading
import tty
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal, Protocol

from station.printers import escpos

_QR = re.compile(rb"\x1d\(k(..)1P0", re.DOTALL)
_COMMANDS = re.compile(
    rb"\x1b@|\x1c&|\x1ba.|\x1d!.|\x1dV\x42.|\x1d\(k(?:\x03\x00|\x04\x00)1(?:A2.|C.|E.|Q0)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Printed:
    """A slip that came out: its lines, and what its QR code says. `whole` unless the paper ended in it."""

    lines: tuple[str, ...]
    qr: str
    whole: bool


class _Cable(Protocol):
    """What a printer says and hears."""

    def recv(self, most: int, /) -> bytes: ...

    def sendall(self, content: bytes, /) -> None: ...


class _Tty:
    """The printer's end of a pseudo-terminal: what a serial line is to a program, or /dev/usb/lp0."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._wake, self._end = os.pipe()

    def recv(self, most: int, /) -> bytes:
        """Nothing when it was pulled out."""
        # Waited for together: a file that is closed while it is read would stay open, and so the cable plugged in.
        if self._wake in select.select([self._master, self._wake], [], [])[0]:
            return b""
        return os.read(self._master, most)

    def sendall(self, content: bytes, /) -> None:
        """To the program."""
        os.write(self._master, content)

    def pull(self) -> None:
        """Let `recv` end."""
        os.write(self._end, b"x")

    def close(self) -> None:
        """The cable hangs in the air."""
        for handle in (self._slave, self._master, self._wake, self._end):
            os.close(handle)


@dataclass
class SimulatedPrinter:
    """Takes one connection after another. `sheets` slips until the roll ends; the last one is cut off half-way."""

    sheets: int = 1000
    way: Literal["tcp", "serial", "device"] = "tcp"
    cover_open: bool = False
    deaf: bool = False
    printed: list[Printed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._buffer = b""
        self._closing = False
        self._cable: _Cable | None = None
        self._tty = None if self.way == "tcp" else _Tty()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._hang if self._tty else self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """What a station's settings call it."""
        if self._tty:
            return f"{self.way}:{self._tty.path}"
        return f"tcp:127.0.0.1:{self._listening.getsockname()[1]}"

    def unplug(self) -> None:
        """Break the connection that there is. A pseudo-terminal's is gone for good."""
        if self._tty and self._thread.is_alive():
            self._tty.pull()
            self._thread.join()
        if isinstance(self._cable, socket.socket):
            with suppress(OSError):
                self._cable.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Switch it off."""
        self._closing = True
        self.unplug()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with suppress(OSError), connection:
                self._listen(connection)

    def _hang(self) -> None:
        assert self._tty is not None  # noqa: S101 -- else there is a port
        with closing(self._tty):
            self._listen(self._tty)

    def _listen(self, cable: _Cable) -> None:
        self._cable, self._buffer = cable, b""
        while content := cable.recv(4096):
            self._take(content)

    def _take(self, content: bytes) -> None:
        self._buffer += content
        for question, reply in self._conditions().items():
            while question in self._buffer:
                self._buffer = self._buffer.replace(question, b"", 1)
                self._say(reply)
        while (end := self._buffer.find(escpos.ASK_DONE)) >= 0 and not self._stopped():
            job, self._buffer = self._buffer[:end], self._buffer[end + len(escpos.ASK_DONE) :]
            if self._print(job):
                self._say(0x00)

    def _conditions(self) -> dict[bytes, int]:
        out = self.sheets <= 0
        return {
            escpos.ASK_OFFLINE: 0x12 | (0x20 if out else 0) | (0x04 if self.cover_open else 0),
            escpos.ASK_ERROR: 0x12,
            escpos.ASK_PAPER: 0x12 | (0x60 if out else 0x0C if self.sheets < 5 else 0),
        }

    def _print(self, job: bytes) -> bool:
        self.sheets -= 1
        whole = self.sheets > 0
        found = _QR.search(job)
        content = b""
        if found:
            size = int.from_bytes(found[1], "little") - 3
            content = job[found.end() : found.end() + size]
            job = job[: found.start()] + job[found.end() + size :]
        text = _COMMANDS.sub(b"", job).decode("gb18030")
        lines = tuple(line for line in text.split("\n") if line)
        self.printed.append(Printed(lines if whole else lines[: len(lines) // 2], content.decode(), whole))
        return whole

    def _stopped(self) -> bool:
        return self.sheets <= 0 or self.cover_open

    def _say(self, byte: int) -> None:
        if not self.deaf and self._cable is not None:
            self._cable.sendall(bytes([byte]))


@contextmanager
def simulated(sheets: int = 1000, way: Literal["tcp", "serial", "device"] = "tcp") -> Iterator[SimulatedPrinter]:
    """A printer that is on while the block runs."""
    printer = SimulatedPrinter(sheets, way)
    try:
        yield printer
    finally:
        printer.close()


def main() -> None:
    """Obey standard input, show what is printed."""
    with simulated(int(sys.argv[1]) if len(sys.argv) > 1 else 1000) as printer:
        sys.stdout.write(f"{printer.address}\n")
        sys.stdout.flush()
        for line in sys.stdin:
            match line.split():
                case ["paper", sheets]:
                    printer.sheets = int(sheets)
                case ["cover", state]:
                    printer.cover_open = state == "open"
                case ["deaf"]:
                    printer.deaf = not printer.deaf
                case ["show"]:
                    sys.stdout.writelines(f"{' | '.join(one.lines)} [{one.qr}]\n" for one in printer.printed)
                    sys.stdout.flush()
                case ["quit"]:
                    return


if __name__ == "__main__":
    main()
