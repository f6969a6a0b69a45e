"""`taken/` beside a hot folder's pictures: what is safe lies there with its RAW, the crew's own copy.

A RAW file may come after its JPEG was put aside. It is known by its name and the time that both bear, and follows once
it is journalled that the frame has one.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from station.cameras.tethered import bodies

NAME = "taken"
JPEG_SUFFIXES = (".jpg", ".jpeg")
#: RAW and JPEG of one press bear times no further apart: a camera's second, or when the program wrote each.
_PAIR_S = 60.0
#: A folder's time does not change twice within the system's tick.
_TICK_S = 2.0
#: What `_free` puts behind a name that is taken.
_AGAIN = re.compile(r"-\d{19}$")


def is_raw(path: Path) -> bool:
    """Whether this is the sensor's own picture."""
    return path.suffix.lower() in bodies.RAW_SUFFIXES


def beside(path: Path) -> list[Path]:
    """What else has the picture's name."""
    return [other for other in path.parent.glob(f"{_literal(path.stem)}.*") if other != path]


@dataclass(slots=True)
class _Index:
    """The JPEGs in `taken/` by their former name, as they were at a time of that folder."""

    modified_ns: int = -1
    by_stem: dict[str, list[Path]] = field(default_factory=dict)


class Aside:
    """Moves files; `count_of` gives the count of a picture by its hash, None for one that never was any."""

    def __init__(self, folder: Path, count_of: Callable[[str], int | None]) -> None:
        self._folder, self._count_of = folder / NAME, count_of
        self._index = _Index()
        self._late: dict[int, list[Path]] = {}

    def put(self, path: Path, *, with_raw: bool) -> None:
        """Move a picture and what else has its name, a RAW only `with_raw`. A file that its program holds stays.

        So does each on a share that cannot be written.
        """
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
        for other in [path, *beside(path)]:
            if other == path or not (other.suffix.lower() in JPEG_SUFFIXES or (is_raw(other) and not with_raw)):
                self._move(other)

    def look(self, raws: Iterable[Path]) -> list[Path]:
        """See which RAW files belong to pictures that were put aside; those that belong to none."""
        late: dict[int, list[Path]] = {}
        alone: list[Path] = []
        for raw in raws:
            with suppress(OSError):  # renamed or held by its writer just now
                count = self._count_of_pair(raw)
                if count is None:
                    alone.append(raw)
                else:
                    late.setdefault(count, []).append(raw)
        self._late = late
        return alone

    def late(self) -> list[int]:
        """The counts of pictures that were put aside before their RAW came."""
        return list(self._late)

    def noted(self, count: int) -> None:
        """That a picture has its RAW is journalled: the RAW goes where the picture is."""
        for raw in self._late.get(count, ()):
            self._move(raw)
        self._late = {other: raws for other, raws in self._late.items() if other != count}

    def _count_of_pair(self, raw: Path) -> int | None:
        for jpeg in self._put_aside(raw.stem):
            if abs(jpeg.stat().st_mtime - raw.stat().st_mtime) <= _PAIR_S:
                return self._count_of(hashlib.sha256(jpeg.read_bytes()).hexdigest())
        return None

    def _put_aside(self, stem: str) -> list[Path]:
        """The pictures that had this name, the last one first."""
        if not self._folder.is_dir():
            return []
        modified_ns = self._folder.stat().st_mtime_ns
        if modified_ns != self._index.modified_ns or time.time() - modified_ns / 1e9 < _TICK_S:
            self._index = _Index(modified_ns)
            for path in sorted(self._folder.iterdir(), reverse=True):
                if path.suffix.lower() in JPEG_SUFFIXES:
                    self._index.by_stem.setdefault(_AGAIN.sub("", path.stem), []).append(path)
        return self._index.by_stem.get(stem, [])

    def _move(self, path: Path) -> None:
        with suppress(OSError):
            path.replace(_free(self._folder / path.name))


def _literal(stem: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in stem)


def _free(target: Path) -> Path:
    return target.with_name(f"{target.stem}-{time.time_ns()}{target.suffix}") if target.exists() else target
