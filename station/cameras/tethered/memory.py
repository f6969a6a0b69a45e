"""Which pictures of which camera are known, and the count of frames. One line a thing that happened, for ever."""

import json
import os
import re
from pathlib import Path
from typing import Any

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
        self._known: dict[str, set[bodies.Entry]] = {}
        self._numbers: dict[tuple[str, bodies.Entry], int] = {}
        self._count: dict[str, int] = {}
        self._last_number: dict[str, int] = {}
        self.total = 0
        self.last_serial = ""
        for line in _lines(path):
            self._apply(line)

    def has_met(self, serial: str) -> bool:
        """Whether this body was at this desk before."""
        return serial in self._known

    def meet(self, serial: str, card: list[bodies.Entry]) -> None:
        """A body comes to this desk for the first time: what it has on its card by then is none of ours."""
        self._write({"met": serial, "card": [_plain(entry) for entry in card]})

    def knows(self, serial: str, entry: bodies.Entry) -> bool:
        """Whether a picture needs no fetching: it is safe, or older than our acquaintance."""
        return entry in self._known.get(serial, ())

    def number(self, serial: str, entry: bodies.Entry, *, numbered: bool) -> int:
        """The frame's count, the same for ever. Where file names count, a gap between them is a gap in the count."""
        known = self._numbers.get((serial, entry))
        if known is not None and not self.knows(serial, entry):
            return known
        count = self._count.get(serial, self.total) + (self._step(serial, entry) if numbered else 1)
        self._write({"frame": serial, "entry": _plain(entry), "count": count})
        return count

    def safe(self, serial: str, entry: bodies.Entry) -> None:
        """The frame is journalled."""
        if not self.knows(serial, entry):
            self._write({"safe": serial, "entry": _plain(entry)})

    def _step(self, serial: str, entry: bodies.Entry) -> int:
        last, number = self._last_number.get(serial), _number(entry)
        if not last or not number:
            return 1
        step = (number - last) % _NUMBERS
        return step if 1 <= step <= _GAP else 1

    def _write(self, line: dict[str, Any]) -> None:
        with self._path.open("ab") as file:
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
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
                self._numbers[serial, entry] = self._count[serial] = count
                self._last_number[serial] = _number(entry) or 0
                self.last_serial = serial
            case {"safe": serial, "entry": plain}:
                self._known.setdefault(serial, set()).add(_entry(plain))


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


def _lines(path: Path) -> list[dict[str, Any]]:
    """All whole lines. One that was cut off by a crash is taken off the file: nothing had been promised by it."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return [json.loads(line) for line in whole.splitlines()]
