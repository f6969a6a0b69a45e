"""What lies in a hot folder: whole pictures, files that are written still or were cut off, and what is none of ours."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from station.cameras import aside, jpeg
from station.cameras.ledger import Ledger

_STILL_S = 0.3
#: A file that has stood still so long and has its end somewhere is whole: some bodies write more behind the end mark.
#: One without any end by then was cut off.
_SETTLED_S = 5.0
#: One that was not whole is looked into again when it has stood still so many times as long.
_AGAIN = 1.5


@dataclass(slots=True)
class Seen:
    """A file as it was found: when first, since when it has been as it is, and its hash once it was read as whole."""

    size: int
    modified_ns: int
    since: float
    first_ns: int
    #: It is looked into when it has stood still for so long.
    look_s: float
    digest: str | None = None
    cut: bool = False


class Stock:
    """Reads each file once, when it is whole; of one that is not, before it settles, no more than the last bytes."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self._folder, self._ledger = folder, ledger
        self._files: dict[Path, Seen] = {}
        self._raws: dict[Path, float] = {}
        #: How many files lay there before the desk came.
        self.older = 0

    def look(self) -> list[tuple[Path, Seen]]:
        """The pictures that came since the desk did, in the order of their times."""
        there = list(self._below())
        if not self._ledger.has_met:
            self._ledger.meet((stat.st_size, stat.st_mtime_ns) for _, stat in there)
        ours = [(path, stat) for path, stat in there if not self._ledger.is_older((stat.st_size, stat.st_mtime_ns))]
        self.older = len(there) - len(ours)
        pictures = [(path, stat) for path, stat in ours if path.suffix.lower() in aside.JPEG_SUFFIXES]
        self._files = {path: self._seen(path, stat) for path, stat in pictures}
        now = time.monotonic()
        self._raws = {path: self._raws.get(path, now) for path, _ in ours if aside.is_raw(path)}
        for path, seen in self._files.items():
            _look_into(path, seen)
        return sorted(self._files.items(), key=lambda one: (one[1].modified_ns, one[0]))

    def forget(self, path: Path) -> None:
        """It was put aside."""
        self._files.pop(path, None)

    def raws_alone(self) -> dict[Path, float]:
        """RAW files beside which no picture lies, and since when they are known (monotonic, seconds)."""
        pictures = {path.with_suffix("") for path in self._files}
        return {path: since for path, since in self._raws.items() if path.with_suffix("") not in pictures}

    def _seen(self, path: Path, stat: os.stat_result) -> Seen:
        known = self._files.get(path)
        if known is not None and (known.size, known.modified_ns) == (stat.st_size, stat.st_mtime_ns):
            return known
        first_ns = known.first_ns if known else time.monotonic_ns()
        return Seen(stat.st_size, stat.st_mtime_ns, time.monotonic(), first_ns, _STILL_S)

    def _below(self) -> Iterator[tuple[Path, os.stat_result]]:
        for folder, below, names in os.walk(self._folder):
            below[:] = sorted(name for name in below if name != aside.NAME and not name.startswith("."))
            for path in (Path(folder, name) for name in names if name[0] not in ".~"):
                if path.suffix.lower() in aside.JPEG_SUFFIXES or aside.is_raw(path):
                    with suppress(OSError):  # renamed or held by its writer just now
                        yield path, path.stat()


def _look_into(path: Path, seen: Seen) -> None:
    """Read a file that has stood still, if it may be whole."""
    still_s = time.monotonic() - seen.since
    if seen.digest is not None or still_s < seen.look_s:
        return
    seen.look_s, settled = still_s * _AGAIN, still_s >= _SETTLED_S
    with suppress(OSError):
        if settled or _may_end(path):
            content = path.read_bytes()
            if len(content) == seen.size and (jpeg.ends_there(content) or (settled and jpeg.has_end(content))):
                seen.digest = hashlib.sha256(content).hexdigest()
    seen.cut = settled and seen.digest is None


def _may_end(path: Path) -> bool:
    """By its last bytes: an end mark, or zeros, behind which one may be."""
    with path.open("rb") as file:
        file.seek(-len(jpeg.END), os.SEEK_END)
        last = file.read()
    return last == jpeg.END or last.endswith(b"\0")
