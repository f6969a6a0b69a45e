"""Which files are meant, and what is read of each: never more than a picture may hold."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from photospec import decoding

#: Left by file managers; nobody means them.
_LITTER = {"thumbs.db", "desktop.ini", "ehthumbs.db"}


def expand(paths: Iterable[Path]) -> list[Path]:
    """Files as named, and all files under folders as named, in order; hidden files of a folder are left out."""
    return [found for path in paths for found in (_inside(path) if path.is_dir() else (path,))]


def _inside(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name.lower() not in _LITTER:
                yield Path(parent) / name


def read(path: Path) -> bytes:
    """The file's bytes. Raises: decoding.UnreadableImage for what is no file, can't be read, or is beyond bounds."""
    try:
        # Without O_NONBLOCK a pipe that nobody writes to would be waited for.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise decoding.UnreadableImage("unopenable") from error
    with os.fdopen(handle, "rb") as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise decoding.UnreadableImage("not_a_file")
        if state.st_size > decoding.MAX_BYTES:
            raise decoding.UnreadableImage("too_many_bytes")
        try:
            return file.read(decoding.MAX_BYTES + 1)
        except OSError as error:
            raise decoding.UnreadableImage("unopenable") from error
