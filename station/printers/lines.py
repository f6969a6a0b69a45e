"""Ways to a receipt printer: calls that block, on a thread of the printer's own."""

import os
import select
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import serial

#: What connecting and writing may take.
_PATIENCE_S = 3.0
#: Some USB printers send empty packets without end: the next one is asked for after so long.
_EMPTY_S = 0.02


class Line(Protocol):
    """A way there and back. Raises one of `devices.LINE_GONE` when it is broken, TimeoutError when it takes nothing."""

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
        """All of it. Not flushed: that waits for the paper, without limit; the printer's answer says what is out."""
        try:
            self._line.write(content)
        except serial.SerialTimeoutException:
            raise TimeoutError from None

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
        # Never waits in the driver: a read of a silent printer would have no end, nor would the thread that reads.
        self._handle = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
        self._ready = select.poll()

    def write(self, content: bytes) -> None:
        """All of it."""
        deadline = time.monotonic() + _PATIENCE_S
        while content:
            if not self._wait(select.POLLOUT, deadline):
                raise TimeoutError
            with suppress(BlockingIOError):
                content = content[os.write(self._handle, content) :]

    def read(self, wait_s: float) -> bytes:
        """At least a byte, or none within the time."""
        deadline = time.monotonic() + wait_s
        while self._wait(select.POLLIN, deadline):
            with suppress(BlockingIOError):
                if content := os.read(self._handle, 256):
                    return content
            time.sleep(_EMPTY_S)
        return b""

    def close(self) -> None:
        """Hang up. Again changes nothing."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def _wait(self, event: int, deadline: float) -> bool:
        self._ready.register(self._handle, event)
        left_s = deadline - time.monotonic()
        seen = self._ready.poll(left_s * 1000) if left_s > 0 else []
        if any(what & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, what in seen):
            raise ConnectionResetError
        return bool(seen)


def opened(where: str) -> Line:
    """`tcp:HOST[:PORT]`, `serial:PORT[@BAUD]` or `device:PATH`; one of `devices.LINE_GONE` when none is there."""
    try:
        return _opened(where)
    except (ValueError, OverflowError, TimeoutError):
        # No number where one belongs, no such name, nobody who answers: nothing is there.
        raise FileNotFoundError(where) from None


def _opened(where: str) -> Line:
    kind, _, place = where.partition(":")
    if kind == "tcp":
        host, _, port = place.rpartition(":") if ":" in place else (place, "", "9100")
        return TcpLine(host, int(port))
    if kind == "serial":
        port, _, baud = place.partition("@")
        return SerialLine(port, int(baud or 9600))
    if sys.platform == "win32":
        raise FileNotFoundError(where)
    return DeviceLine(Path(place))
