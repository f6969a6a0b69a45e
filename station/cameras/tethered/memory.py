"""Which pictures of which camera are known, and the count of frames. One line a thing that happened, for ever."""

import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from station.cameras import notes
from station.cameras.tethered import bodies

#: DCF (JEITA CP-3461): four free characters, then 0001 to 9999.
_DCF = re.compile(r"^\w{4}(\d{4})$")
_NUMBERS = 9999
#: A jump further than this is no gap but another card or a numbering begun anew.
_GAP = 100


class Memory:
    """What outlives the agent. A body's count goes on where the desk's count stood when that body was first met."""

    def __init__(self, path: Path) -> None:
        self._path = path
        #: What is made safe and what is counted is written by two threads; half of a failed line is cut off again.
        self._writing = threading.Lock()
        self._known: dict[str, set[bodies.Entry]] = {}
        self._numbers: dict[tuple[str, bodies.Entry], int] = {}
        #: By body, folder and name: the picture that was counted last of those that bore that name.
        self._named: dict[tuple[str, str, str], bodies.Entry] = {}
        self._count: dict[str, int] = {}
        self._last_number: dict[str, int] = {}
        self.total = 0
        self.last_serial = ""
        for line in notes.read(path):
            self._apply(line)

    def has_met(self, serial: str) -> bool:
        """Whether this body was at this desk before."""
        return serial in self._known

    def meet(self, serial: str, card: list[bodies.Entry]) -> None:
        """A body comes to this desk for the first time: what it has on its card by then is none of ours."""
        self._write([{"met": serial, "card": [_plain(entry) for entry in card]}])

    def knows(self, serial: str, entry: bodies.Entry) -> bool:
        """Whether a picture needs no fetching: it is safe, or older than our acquaintance."""
        return entry in self._known.get(serial, ())

    def count_of(self, serial: str, entry: bodies.Entry) -> int | None:
        """The count that the picture was given; None for one that is none of ours."""
        return self._numbers.get((serial, entry))

    def number(self, serial: str, entries: Iterable[bodies.Entry], *, numbered: bool) -> None:
        """Give each picture its count, the same for ever, as soon as the camera tells of it, in that order.

        Where file names count, a gap between them is a gap in the count. A file of which the camera told when it had
        no bytes yet keeps its count when it has; a file under a name whose picture was deleted is another picture.
        """
        for entry in entries:
            if self.count_of(serial, entry) is not None and not self.knows(serial, entry):
                continue
            earlier = self.unfinished(serial, entry)
            if earlier is not None:
                self.grew(serial, earlier, entry)
                continue
            count = self._count.get(serial, self.total) + (self._step(serial, entry) if numbered else 1)
            self._write([{"frame": serial, "entry": _plain(entry), "count": count}])

    def unfinished(self, serial: str, entry: bodies.Entry) -> bodies.Entry | None:
        """The same picture as the camera told of it before it had all its bytes, if it did and that is not safe."""
        earlier = self._named.get((serial, *entry.place))
        if earlier is None or self.knows(serial, earlier) or not entry.finishes(earlier):
            return None
        return earlier

    def grew(self, serial: str, earlier: bodies.Entry, entry: bodies.Entry) -> None:
        """The picture has more bytes than when it was counted: it is the same one."""
        self._write([{"grown": serial, "entry": _plain(entry), "count": self._numbers[serial, earlier]}])

    def safe(self, serial: str, entry: bodies.Entry) -> None:
        """The frame is journalled."""
        if not self.knows(serial, entry):
            self._write([{"safe": serial, "entry": _plain(entry)}])

    def _step(self, serial: str, entry: bodies.Entry) -> int:
        last, number = self._last_number.get(serial), _number(entry)
        if not last or not number:
            return 1
        step = (number - last) % _NUMBERS
        return step if 1 <= step <= _GAP else 1

    def _write(self, lines: list[dict[str, Any]]) -> None:
        with self._writing:
            notes.add(self._path, lines)
            for line in lines:
                self._apply(line)

    def _apply(self, line: dict[str, Any]) -> None:
        match line:
            case {"met": serial, "card": card}:
                entries = [_entry(plain) for plain in card]
                self._known[serial] = set(entries)
                self._count.setdefault(serial, self.total)
                if numbers := [number for entry in sorted(entries, key=_age) if (number := _number(entry))]:
                    self._last_number[serial] = numbers[-1]
                self.last_serial = serial
            case {"frame": serial, "entry": plain, "count": count}:
                entry = _entry(plain)
                self.total += count - self._count.get(serial, self.total)
                self._count[serial] = count
                self._last_number[serial] = _number(entry) or 0
                self._name(serial, entry, count)
            case {"grown": serial, "entry": plain, "count": count}:
                self._name(serial, _entry(plain), count)
            case {"safe": serial, "entry": plain}:
                self._known.setdefault(serial, set()).add(_entry(plain))

    def _name(self, serial: str, entry: bodies.Entry, count: int) -> None:
        self._numbers[serial, entry] = count
        self._named[serial, *entry.place] = entry
        self.last_serial = serial


def in_order(entries: list[bodies.Entry]) -> list[bodies.Entry]:
    """As they were taken."""
    return sorted(entries, key=_age)


def _age(entry: bodies.Entry) -> tuple[int, str, str]:
    return entry.modified, entry.folder, entry.name


def _number(entry: bodies.Entry) -> int | None:
    found = _DCF.match(entry.name.rpartition(".")[0])
    return int(found[1]) if found else None


def _plain(entry: bodies.Entry) -> list[str | int]:
    return [entry.folder, entry.name, entry.size, entry.modified]


def _entry(plain: list[Any]) -> bodies.Entry:
    return bodies.Entry(*plain)
