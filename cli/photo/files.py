"""Which files are meant, what is read of each, and how a file is written: whole or not at all."""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from photospec import decoding

#: Left by file managers; nobody means them.
_LITTER = {"thumbs.db", "desktop.ini", "ehthumbs.db"}


def expand(paths: Iterable[Path]) -> list[Path]:
    """Files as named, and all files under folders as named, in order; hidden files of a folder are left out.

    A folder that can't be entered stands for itself, so that nobody takes it for empty. Links to folders are not
    followed: they may lead round in a circle.
    """
    return [found for path in paths for found in (_inside(path) if path.is_dir() else (path,))]


def into(paths: Iterable[Path], out: Path, suffix: str) -> list[tuple[Path, Path]]:
    """Each file with where its product goes: folders below `out` as they were below the folder that was named.

    What an earlier run put there, where `out` lies in that folder, is no original.
    """
    named = list(paths)
    several = sum(path.is_dir() for path in named) > 1
    own, found = os.path.realpath(out), []
    for path in named:
        above = path.parent if not path.is_dir() or several else path
        inside = [one for one in _inside(path) if not _below(one, own)] if path.is_dir() else [path]
        found += [(one, out / one.relative_to(above).with_suffix(suffix)) for one in inside]
    return found


def _below(path: Path, folder: str) -> bool:
    real = os.path.realpath(path)
    return os.path.commonpath([real, folder]) == folder


def _inside(folder: Path) -> Iterator[Path]:
    closed: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=lambda error: closed.append(Path(error.filename))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name.lower() not in _LITTER:
                yield Path(parent) / name
    yield from closed


def common(paths: Iterable[Path]) -> Path:
    """The folder that all of them lie in; where there is none, the one that we stand in."""
    try:
        return Path(os.path.commonpath([path.parent for path in paths]))
    except ValueError:
        return Path()


def shown(path: Path) -> str:
    """The path for a screen or a page: a name may hold bytes of no alphabet, line breaks, or commands to a terminal."""
    name = str(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in name)


def read(path: Path) -> bytes:
    """The file's bytes. Raises: decoding.UnreadableImage for what is no file, can't be read, or is beyond bounds."""
    try:
        # Without O_NONBLOCK a pipe that nobody writes to would be waited for.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise decoding.UnreadableImage("unopenable") from error
    try:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise decoding.UnreadableImage("not_a_file")
        if state.st_size > decoding.MAX_BYTES:
            raise decoding.UnreadableImage("too_many_bytes")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(decoding.MAX_BYTES + 1)
    except OSError as error:
        raise decoding.UnreadableImage("unopenable") from error
    finally:
        os.close(handle)


@contextlib.contextmanager
def whole(path: Path) -> Iterator[TextIO]:
    """A text that appears under its name once all of it is written; whatever happens before leaves nothing behind.

    It grows in a file without a name, which vanishes with this process even by kill -9. Raises: OSError, at once where
    the folder can't be written into.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(f"{path}: 是文件夹 · it is a folder")
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="backslashreplace", dir=path.parent) as growing:
        yield growing
        growing.seek(0)
        beside = path.with_name(path.name + ".part")
        try:
            with beside.open("w", encoding="utf-8", newline="") as file:
                shutil.copyfileobj(growing, file, 2**20)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def store(path: Path, data: bytes) -> None:
    """Write a file whole, or leave what was there. Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
