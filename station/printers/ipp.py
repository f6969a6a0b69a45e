"""How a job of the system's print queue ended: the one question to CUPS that its programs do not answer.

`lpstat` lists a job that was aborted and one that was printed alike; the Internet Printing Protocol (RFC 8011) tells
them apart. Written here because it is one request with one number in its answer.
"""

import http.client
import socket
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

#: Where CUPS listens on this machine: Debian and Fedora, macOS.
SOCKETS: Sequence[Path] = (Path("/run/cups/cups.sock"), Path("/private/var/run/cupsd"))
_PATIENCE_S = 5.0
_GET_JOB_ATTRIBUTES = 0x0009
_OPERATION, _END, _INTEGERS = 0x01, 0x03, (0x21, 0x23)
_CHARSET, _LANGUAGE, _URI, _KEYWORD = 0x47, 0x48, 0x45, 0x44


class JobState(IntEnum):
    """RFC 8011, 5.3.7."""

    PENDING = 3
    HELD = 4
    PROCESSING = 5
    STOPPED = 6
    CANCELED = 7
    ABORTED = 8
    COMPLETED = 9


def job_state(job: int, sockets: Sequence[Path] = SOCKETS) -> JobState | None:
    """The state of this machine's job; None when nobody knows it, or nobody answers. Blocks for some seconds."""
    for path in sockets:
        if path.exists():
            try:
                return _state_in(_asked(path, _question(job)))
            except (OSError, http.client.HTTPException, ValueError, IndexError):
                return None
    return None


def _question(job: int) -> bytes:
    attributes = (
        (_CHARSET, "attributes-charset", "utf-8"),
        (_LANGUAGE, "attributes-natural-language", "en"),
        (_URI, "job-uri", f"ipp://localhost/jobs/{job}"),
        (_KEYWORD, "requested-attributes", "job-state"),
    )
    head = b"\x01\x01" + _GET_JOB_ATTRIBUTES.to_bytes(2, "big") + (1).to_bytes(4, "big") + bytes([_OPERATION])
    return head + b"".join(bytes([tag]) + _sized(name) + _sized(value) for tag, name, value in attributes) + b"\x03"


def _sized(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def _state_in(answer: bytes) -> JobState | None:
    """The attribute `job-state` of an answer. Raises ValueError or IndexError when it is none."""
    at = 8
    while (tag := answer[at]) != _END:
        at += 1
        if tag < 0x10:  # a group begins
            continue
        parts = []
        for _ in ("name", "value"):
            size = int.from_bytes(answer[at : at + 2], "big")
            parts.append(answer[at + 2 : at + 2 + size])
            at += 2 + size
        if parts[0] == b"job-state" and tag in _INTEGERS:
            return JobState(int.from_bytes(parts[1], "big"))
    return None


class _Local(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        """As the base class does, there."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_PATIENCE_S)
        self.sock.connect(str(self._path))


def _asked(path: Path, question: bytes) -> bytes:
    connection = _Local(path)
    try:
        connection.request("POST", "/", question, {"Content-Type": "application/ipp"})
        return connection.getresponse().read()
    finally:
        connection.close()
