"""The card over one connection: which pictures are to be fetched and in what order, and which have come whole."""

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal

from station.cameras import jpeg
from station.cameras.tethered import bodies
from station.cameras.tethered.memory import Memory, in_order
from station.cameras.tethered.tray import Press, Tray
from station.ports import hardware

_FETCH_TRIES = 4
#: A JPEG and a RAW of one name that are told of further apart are not of one press: numbering was begun anew.
_PAIR_S = 60.0

#: What became of a file that was handed over.
Came = Literal["whole", "again", "given_up"]


@dataclass(slots=True)
class _Told:
    """When something of a name was first told of over this connection (monotonic, seconds)."""

    jpegs: dict[str, float] = field(default_factory=dict)
    raws: dict[str, float] = field(default_factory=dict)

    def pair(self, stem: str) -> bool:
        """Whether JPEG and RAW of this name belong together."""
        jpeg_at, raw_at = self.jpegs.get(stem), self.raws.get(stem)
        return jpeg_at is not None and raw_at is not None and abs(jpeg_at - raw_at) <= _PAIR_S


class Intake:
    """Lasts as long as its connection; what must outlive that is in the memory and on the tray."""

    def __init__(self, memory: Memory, tray: Tray, identity: bodies.Identity, *, pause_s: float) -> None:
        self._memory, self._tray, self._identity, self._pause_s = memory, tray, identity, pause_s
        self._seen: set[bodies.Entry] = set()
        self._told = _Told()
        self._jpegs: dict[str, bodies.Entry] = {}
        self._wanted: deque[bodies.Entry] = deque()
        self._fetching: bodies.Entry | None = None
        #: A file that has grown since it was told of → as it is now.
        self._grown: dict[bodies.Entry, bodies.Entry] = {}
        self._tries: dict[bodies.Entry, int] = {}
        #: Files with more behind their picture's end, as they were when that was seen.
        self._longer: set[bodies.Entry] = set()
        self._fetch_again_at = 0.0
        #: Names of RAW files beside which no JPEG lies, and until when one is waited for.
        self._raw_alone: dict[str, float] = {}

    async def open(self, card: list[bodies.Entry]) -> int:
        """Begin with what lies on the card; how many pictures are to be fetched."""
        serial = self._identity.serial
        if not self._memory.has_met(serial):
            await asyncio.to_thread(self._memory.meet, serial, card)
        new = [entry for entry in in_order(card) if entry.jpeg and not self._memory.knows(serial, entry)]
        await self._count(*new)
        self._seen.update(card)
        self._wanted.extend(entry for entry in new if not self._at_hand(entry))
        for entry in self._wanted:
            self._tray.sightings.found(self._count_key(entry), time.monotonic_ns(), self._delay_ns)
        now = time.monotonic()
        for entry in in_order(card):
            if entry.jpeg:
                self._jpegs[entry.stem] = entry
            (self._told.raws if entry.raw else self._told.jpegs)[entry.stem] = now
        for stem in self._jpegs:
            self._pair(stem)
        return len(self._wanted)

    def claim(self, press: Press) -> None:
        """What lies on the card since a press was sent answers it; without any it must be sent again.

        It may have been taken before the press: whose it is, is told by its time.
        """
        if press.sent_at is None:
            return
        if press.claimed not in self._wanted:
            press.claimed = self._wanted[0] if self._wanted else None
        if press.claimed is None:
            press.sent_at = None
            return
        press.sent_at = time.monotonic()

    async def added(self, entry: bodies.Entry, told_ns: int, looked_ns: int, raw_alone_s: float) -> None:
        """The camera tells of a file; `looked_ns` is when the driver had looked for one before."""
        if entry in self._seen:
            return
        self._seen.add(entry)
        now = time.monotonic()
        if entry.raw:
            self._told.raws[entry.stem] = now
            if not self._pair(entry.stem):
                self._raw_alone[entry.stem] = now + raw_alone_s
        if entry.jpeg:
            self._raw_alone.pop(entry.stem, None)
            await self._jpeg_added(entry, now, told_ns, looked_ns)

    async def _jpeg_added(self, entry: bodies.Entry, now: float, told_ns: int, looked_ns: int) -> None:
        earlier = self._memory.unfinished(self._identity.serial, entry)
        await self._count(entry)
        self._tray.sightings.told(self._count_key(entry), told_ns, looked_ns, self._delay_ns)
        self._jpegs[entry.stem] = entry
        if earlier is not None and earlier in self._seen:
            self._replace(earlier, entry)
            if earlier != self._fetching and entry not in self._wanted:
                self._wanted.append(entry)  # it had been given up
            return
        self._told.jpegs[entry.stem] = now
        press = self._tray.press
        if press and press.sent_at is not None and press.claimed is None:
            press.claimed = entry
            self._wanted.appendleft(entry)
        else:
            self._wanted.append(entry)

    def fetch_next(self) -> bodies.Entry | None:
        """The picture to ask for now, if there is one."""
        if self._fetching or not self._wanted or time.monotonic() < self._fetch_again_at:
            return None
        self._fetching = self._wanted.popleft()
        return self._fetching

    async def came(self, asked: bodies.Entry, now: bodies.Entry, content: bytes) -> Came:
        """A file was handed over that is now as `now` says. A whole one goes onto the tray.

        Perhaps the camera still writes: one that is not whole is asked for again, a few times. One that has more
        behind its end is looked at once more, and whole when it has not changed.
        """
        self._fetching = None
        ends_there = jpeg.ends_there(content)
        ended = ends_there or await asyncio.to_thread(jpeg.has_end, content)
        entry = await self._as_it_is(asked, now, len(content), ended=ended)
        if len(content) != entry.size or not ended:
            return self._ask_again(entry)
        if not ends_there and entry not in self._longer:
            self._longer.add(entry)
            return self._later(entry, self._pause_s)
        with suppress(ValueError):
            self._wanted.remove(entry)
        serial, count = self._count_key(entry)
        seen = self._tray.sightings.of((serial, count))
        raw = self.with_raw(entry)
        self._tray.put(hardware.Exposure(content, serial, count, seen.told_ns, seen.lag_ns, raw), entry)
        return "whole"

    def refused(self) -> tuple[bodies.Entry, Came]:
        """The camera would not hand over what it was asked for: it is asked again, a few times."""
        asked, self._fetching = self._fetching, None
        assert asked is not None  # noqa: S101 -- it is the answer to what was asked
        return asked, self._ask_again(self._grown.get(asked, asked))

    def behind(self) -> int:
        """Pictures that are on the card and not here, other than the one that a press waits for."""
        older = [*self._wanted, *([self._fetching] if self._fetching else [])]
        press = self._tray.press
        return len([entry for entry in older if not (press and press.claimed == self._grown.get(entry, entry))])

    def with_raw(self, entry: bodies.Entry) -> bool:
        """Whether JPEG and RAW of this name have both been told of."""
        return self._told.pair(entry.stem)

    def raws_left_alone(self) -> list[str]:
        """Names of RAW files whose JPEG was waited for long enough. Each is told once."""
        now = time.monotonic()
        late = [stem for stem, until in self._raw_alone.items() if now > until]
        for stem in late:
            del self._raw_alone[stem]
        return [stem.rpartition("/")[2] for stem in late]

    # -- one picture

    async def _count(self, *entries: bodies.Entry) -> None:
        number = self._memory.number
        await asyncio.to_thread(number, self._identity.serial, entries, numbered=self._identity.numbered)

    def _key(self, entry: bodies.Entry) -> hardware.FrameKey | None:
        count = self._memory.count_of(self._identity.serial, entry)
        return None if count is None else (self._identity.serial, count)

    def _count_key(self, entry: bodies.Entry) -> hardware.FrameKey:
        key = self._key(entry)
        assert key is not None  # noqa: S101 -- what is told of is counted
        return key

    @property
    def _delay_ns(self) -> int:
        return self._identity.lag_ms * 1_000_000

    def _at_hand(self, entry: bodies.Entry) -> bool:
        key = self._key(entry)
        return key is not None and key in self._tray

    def _pair(self, stem: str) -> bool:
        """Tell of a frame that has its RAW, if the two belong together."""
        if not self._told.pair(stem):
            return False
        key = self._key(self._jpegs[stem])
        if key is not None:
            self._tray.pair(key)
        return True

    async def _as_it_is(self, asked: bodies.Entry, now: bodies.Entry, came: int, *, ended: bool) -> bodies.Entry:
        """The file by what is told of it now, or by how many bytes came of it."""
        entry = self._grown.get(asked, asked)
        if now == asked and came > entry.size and ended:
            now = replace(asked, size=came)  # the library goes on telling the old size
        if not now.finishes(entry):
            return entry
        await asyncio.to_thread(self._memory.grew, self._identity.serial, entry, now)
        self._seen.add(now)
        self._replace(entry, now)
        return now

    def _replace(self, earlier: bodies.Entry, entry: bodies.Entry) -> None:
        """The file has grown: all that was known of it goes on."""
        self._grown[earlier] = entry
        if earlier in self._wanted:
            self._wanted[self._wanted.index(earlier)] = entry
        if self._jpegs.get(entry.stem) == earlier:
            self._jpegs[entry.stem] = entry
        if self._tray.press and self._tray.press.claimed == earlier:
            self._tray.press.claimed = entry

    def _ask_again(self, entry: bodies.Entry) -> Came:
        tries = self._tries[entry] = self._tries.get(entry, 0) + 1
        if tries >= _FETCH_TRIES:
            return "given_up"
        return self._later(entry, self._pause_s * 2 ** (tries - 1))

    def _later(self, entry: bodies.Entry, pause_s: float) -> Came:
        if entry not in self._wanted:
            self._wanted.appendleft(entry)
        self._fetch_again_at = time.monotonic() + pause_s
        return "again"
