"""What a hot folder's desk remembers: the pictures by their hashes, in their order, and what lay there before it came.

No file names: some programs put the sitter's name there.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from station.cameras import notes

#: A file that nobody touches keeps these, also under another name: its size, and its time in nanoseconds.
Marks = tuple[int, int]


class Ledger:
    """Outlives the agent. Another folder goes on with the count, and is met when it is seen first."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._path = path
        self._folder = hashlib.sha256(str(folder.absolute()).encode()).hexdigest()
        self._numbers: dict[str, int] = {}
        self._older: set[Marks] | None = None
        for line in notes.read(path):
            match line:
                case {"met": self._folder, "files": files}:
                    self._older = {(size, modified_ns) for size, modified_ns in files}
                case {"sha256": digest}:
                    self._numbers.setdefault(digest, len(self._numbers) + 1)

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def has_met(self) -> bool:
        """Whether this desk has seen the folder before."""
        return self._older is not None

    def meet(self, files: Iterable[Marks]) -> None:
        """The desk opens at this folder for the first time: what lies there by then is none of ours."""
        older = sorted(set(files))
        notes.add(self._path, [{"met": self._folder, "files": older}])
        self._older = set(older)

    def is_older(self, marks: Marks) -> bool:
        """Whether a file lay there before."""
        return self._older is not None and marks in self._older

    def number(self, digest: str) -> int:
        """The picture's count, the same for ever."""
        if digest not in self._numbers:
            notes.add(self._path, [{"sha256": digest}])
            self._numbers[digest] = len(self._numbers) + 1
        return self._numbers[digest]

    def count_of(self, digest: str) -> int | None:
        """The count that it was given; None for one that has none."""
        return self._numbers.get(digest)
