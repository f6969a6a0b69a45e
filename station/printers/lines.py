"""Ways to a receipt printer: calls that block, on a thread of the printer's own."""

import socket
import time
from pathlib import Path
from typing import IO, Protocol

import serial

#: What connecting and writing may take.
_PATIENCE_S = 3.0


class Line(Protocol):
    """A way there and back. Raises OSError when it is broken."""

    def write(self, content: bytes) -> None: ...

    def read(self, wait_s: float) -> bytes:
        """What has come; waits at most `wait_s` for the first byte."""
        ...

    def close(self) -> None: ...


class TcpLine:
    """A printer in the network, port 9100 as a rule."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), _PATIENCE_S)

    def write(self, content: bytes) -> None:
        """All of it."""
        self._socket.settimeout(_PATIENCE_S)
        self._socket.sendall(content)

    def read(self, wait_s: float) -> bytes:
        """At least a byte, or none within the time."""
        self._socket.settimeout(wait_s)
        try:
            content = self._socket.recv(256)
        except TimeoutError:
            return b""
        if not content:
            raise ConnectionResetError
        return content

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


class SerialLine:
    """A printer on a serial line, or on USB where the system makes a serial line of it."""

    def __init__(self, port: str, baud: int) -> None:
        self._line = serial.Serial(port, baud, timeout=0.1, write_timeout=_PATIENCE_S)

    def write(self, content: bytes) -> None:
        """All of it."""
        self._line.write(content)
        self._line.flush()

    def read(self, wait_s: float) -> bytes:
        """At least a byte, or none within the time."""
        self._line.timeout = wait_s
        return bytes(self._line.read(1)) + bytes(self._line.read(self._line.in_waiting))

    def close(self) -> None:
        """Hang up."""
        self._line.close()


class DeviceLine:
    """A USB printer as Linux gives it: /dev/usb/lp0."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("r+b", buffering=0)

    def write(self, content: bytes) -> None:
        """All of it."""
        while content:
            content = content[self._file.write(content) or 0 :]

    def read(self, wait_s: float) -> bytes:
        """The driver gives what there is, or nothing."""
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            if content := self._file.read(256):
                return content
            time.sleep(0.02)
        return b""

    def close(self) -> None:
        """Hang up."""
        self._file.close()


def opened(where: str) -> Line:
    """`tcp:HOST[:PORT]`, `serial:PORT[@BAUD]` or `device:PATH`."""
    kind, _, place = where.partition(":")
    if kind == "tcp":
        host, _, port = place.rpartition(":") if ":" in place else (place, "", "9100")
        return TcpLine(host, int(port))
    if kind == "serial":
        port, _, baud = place.partition("@")
        return SerialLine(port, int(baud or 9600))
    return DeviceLine(Path(place))
