"""A receipt printer without hardware: a TCP port that prints slips into memory, with a roll that ends.

`python -m station.printers.simulator [SHEETS]` prints its address and what it prints, and takes `paper N`,
`cover open|closed`, `deaf` and `quit` from standard input.
"""

import re
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

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


@dataclass
class SimulatedPrinter:
    """Takes one connection after another. `sheets` slips until the roll ends; the last one is cut off half-way."""

    sheets: int = 1000
    cover_open: bool = False
    deaf: bool = False
    printed: list[Printed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._buffer = b""
        self._closing = False
        self._connection: socket.socket | None = None
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        """What a station's settings call it."""
        return f"tcp:127.0.0.1:{self.port}"

    def unplug(self) -> None:
        """Break the connection that there is."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

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
                self._connection, _ = self._listening.accept()
            except OSError:
                return
            self._buffer = b""
            with suppress(OSError), self._connection:
                while content := self._connection.recv(4096):
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
        if not self.deaf and self._connection is not None:
            self._connection.sendall(bytes([byte]))


@contextmanager
def simulated(sheets: int = 1000) -> Iterator[SimulatedPrinter]:
    """A printer that is on while the block runs."""
    printer = SimulatedPrinter(sheets)
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
