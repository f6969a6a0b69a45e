"""A file of lines that are only ever added: one JSON object a line, on the disk when `add` returns."""

import errno
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def read(path: Path) -> list[dict[str, Any]]:
    """All whole lines. One that was cut off by a crash is taken off the file: nothing had been promised by it."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return [json.loads(line) for line in whole.splitlines()]


def add(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Add lines, all of them or none. Raises OSError, also when the disk is full."""
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    with path.open("ab", buffering=0) as file:
        end = file.tell()
        try:
            if file.write(content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)  # half a line would spoil the next one
            raise
