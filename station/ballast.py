"""A piece of the disk that is kept for the day on which it is full: given back when the agent starts.

A start writes little (a door's address, a line in the journal), but on a disk without a free byte not even that; and
the uploads that would make room begin after it.
"""

import contextlib
import os
import shutil
from pathlib import Path

#: Enough for door, journal and many receipts, each of which lets a whole frame go.
_MOST_BYTES = 4 * 1024 * 1024
_CHUNK_BYTES = 256 * 1024


class Ballast:
    """One file of bytes that mean nothing. It is taken when there is room for it beside the reserve."""

    def __init__(self, path: Path, reserve_bytes: int) -> None:
        self._path, self._reserve = path, reserve_bytes
        self._size = min(_MOST_BYTES, reserve_bytes // 4)

    def release(self) -> None:
        """Give the room back."""
        self._path.unlink(missing_ok=True)

    def keep(self) -> None:
        """Take the room again; what the disk refuses is left to whoever needs it more."""
        room = self._path.parent
        if self._path.exists() or shutil.disk_usage(room).free < self._reserve + self._size:
            return
        try:
            # Bytes that no file system can make smaller.
            with self._path.open("wb") as file:
                for _ in range(0, self._size, _CHUNK_BYTES):
                    file.write(os.urandom(_CHUNK_BYTES))
        except OSError:
            with contextlib.suppress(OSError):
                self.release()
