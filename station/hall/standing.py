"""What this desk knows of its hall, whom it hears, and what it is to the others. What is known is on the disk first."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeVar

from gradphoto_contracts import ids
from kit import logs
from station.domain import hall as halls
from station.domain import hub, trimming
from station.hall import moments, roster, ways, wire
from station.hall.log import Log
from station.ports import around

G = TypeVar("G", halls.Claimed, halls.Called)
Part = Literal["off", "hub", "member", "waiting", "alone"]
#: How long a desk that has just started listens before it says that it is alone, in beats.
LISTEN_BEATS = 3


class Standing:
    """The hall as one desk has it."""

    def __init__(
        self, me: ids.StationId, listed: roster.Roster, addresses: roster.Addresses, log: Log, clock: around.Clock,
        beat_s: float, lease_s: float,
    ) -> None:  # fmt: skip
        self.me, self.listed, self.beat_s, self.lease_s = me, listed, beat_s, lease_s
        self.hall = halls.Hall()
        self.reserved = 0
        #: Set whenever something is known that was not.
        self.moved = asyncio.Event()
        #: Something is to be told or tried at once.
        self.hurried = asyncio.Event()
        #: Where others reach this desk.
        self.own_address: str | None = None
        self._log, self._clock = log, clock
        self._lock = asyncio.Lock()
        #: How new this desk's own pack is.
        self.pack_as_of: Callable[[], datetime | None] = lambda: None
        self._ways = ways.Ways(me, lease_s)
        self._moments = moments.Moments()
        self._heads: dict[ids.StationId, dict[ids.StationId, int]] = {}
        self._addresses = addresses
        #: Check-ins of which something may still come, with how often something did.
        self._open: dict[ids.CheckinId, int] = {}
        self._listening_until = 0.0
        self._doubles = (-1, 0)

    async def open(self) -> None:
        """Take up what was known before the restart."""
        self.hall, self.reserved = await self._log.open()
        self._open = dict.fromkeys(self.hall.claims, 0)
        self._listening_until = time.monotonic() + LISTEN_BEATS * self.beat_s

    async def close(self) -> None:
        """Let go of the file."""
        await self._log.close()

    @property
    def others(self) -> list[ids.StationId]:
        """The other stations of the hall, in the order in which they would become hub."""
        return [station_id for station_id in self.listed.peers if station_id != self.me]

    @property
    def heard(self) -> frozenset[ids.StationId]:
        """The other desks that were heard within the lease."""
        return self._ways.heard & self.listed.peers.keys()

    @property
    def reached(self) -> frozenset[ids.StationId]:
        """The other desks that are heard, here or by a desk that is heard here."""
        heard = self.heard
        return heard | (self._ways.beyond(heard) & self.listed.peers.keys())

    @property
    def way(self) -> ways.Way | None:
        """How the hub is reached, if it is; none from the hub itself."""
        return self._ways.to_hub(self.hall.term, self.heard)

    @property
    def part(self) -> Part:
        """What this desk is to the hall. One that has just started listens before it says that it is alone."""
        if self.me not in self.listed.peers or not self.others:
            return "off"
        part = self._part()
        if part == "begin" or (part == "alone" and time.monotonic() < self._listening_until):
            return "waiting"
        return part

    @property
    def doubles(self) -> int:
        """How many students two desks took."""
        entries = sum(self.hall.heads.values())
        if entries != self._doubles[0]:
            self._doubles = (entries, sum(1 for _ in self.hall.doubles()))
        return self._doubles[1]

    def address(self, peer: ids.StationId) -> str | None:
        """Where a desk was last heard, else where the server says that it listens."""
        listed = self.listed.peers.get(peer)
        return self._addresses.get(peer) or (listed.address if listed else None)

    def lose(self, peer: ids.StationId) -> None:
        """A desk did not answer: do not wait for its lease to run out."""
        if self._ways.lose(peer):
            self.hurried.set()

    def lose_way(self, peer: ids.StationId) -> None:
        """A desk answered that it does not reach the hub."""
        self._ways.lose_way(peer)
        self.hurried.set()

    def told(self, peer: ids.StationId | None, through: ids.StationId | None = None) -> wire.Told:
        """What to say to a desk, once; to one never heard, how much is known here and nothing else."""
        known = self._heads.get(peer) if peer else None
        entries = self.hall.beyond(known, wire.BATCH) if known is not None else []
        way, term = self.way, self.hall.term
        return wire.Told(
            heads=self.hall.heads,
            entries=entries,
            moment=self._moments.following(peer),
            through=through,
            address=self.own_address,
            hears=tuple(sorted(self.heard)),
            term=term,
            hops=0 if term and term.hub == self.me else way.hops if way else None,
            via=way.via if way else None,
            pack_as_of=self.pack_as_of(),
        )

    async def heed(self, peer: ids.StationId, told: wire.Told) -> bool:
        """Take in what a desk asks with. False: it is repeated, or not said to this life of ours; nothing was taken.

        It is signed for months, and whoever handed it on, or listened, may have kept it.
        """
        if not self._moments.is_new(peer, told.moment):
            return False
        await self.hear(peer, told, relayed=told.through is not None)
        return True

    async def hear(self, peer: ids.StationId, told: wire.Told, *, relayed: bool = False) -> None:
        """Take in what a desk answers. `relayed`: through another one, so that it is not heard itself."""
        self._heads[peer] = told.heads
        self._moments.learn(peer, told.moment)
        if not relayed:
            self._ways.hear(peer, told)
        if told.address:
            self._addresses.learn(peer, told.address)
        async with self._lock:
            await self._merge(told.entries)
        self.moved.set()

    async def note(self, told: Iterable[halls.Fact]) -> None:
        """Write facts into this desk's own log."""
        async with self._lock:
            for fact in told:
                await self._append(fact)

    async def reserve(self, ordinal: int) -> None:
        """Never ask for this number again."""
        await self._log.reserve(ordinal)
        self.reserved = max(self.reserved, ordinal)

    async def grant(
        self, make: Callable[[halls.Term | None], G | hub.Taken | hub.Unknown], *, as_hub: bool
    ) -> tuple[G | hub.Taken | hub.Unknown, bool]:
        """What `make` says, written down before it is told; and whether it was granted apart, now.

        With `as_hub`, under the term that holds; the caller has looked at `part`, and so do we, under the lock.
        """
        async with self._lock:
            term = self.hall.term if as_hub and self._part() == "hub" else None
            answer = make(term)
            if isinstance(answer, halls.Claimed | halls.Called) and not self._is_known(answer):
                await self._append(answer)
                return answer, answer.term is None
            return answer, False

    async def begin(self) -> bool:
        """Become hub, if it is this desk's turn."""
        async with self._lock:
            if self.part == "off" or self._part() != "begin":
                return False
            begun = hub.begin(self.hall, self.me, self._clock.now())
            await self._append(begun)
        logs.get().warning("hall.hub-now", term=begun.term.number, heard=len(self.heard))
        return True

    async def trim(self) -> int:
        """Forget what every desk has, the server has, and every desk's pack says; how many entries that was.

        Nothing while a desk of the hall has not been heard since this one started: nobody knows what it has.
        """
        said = self._ways.known(self.others)
        oldest = ways.oldest_pack([self.pack_as_of(), *(told.pack_as_of for told in said.values())]) if said else None
        if said is None or oldest is None:
            return 0
        known = {self.me: self.hall.heads, **{peer: self._heads[peer] for peer in said}}
        async with self._lock:
            open_now = set(self._open)
            gone = trimming.trimmable(self.hall, trimming.frontier(known), oldest, open_now)
            if gone:
                await self._log.trim(gone, self.hall.heads)
                self.hall.trim(gone)
        return len(gone)

    def unsettled(self) -> Mapping[ids.CheckinId, int]:
        """Check-ins of which something may still come, each with how often something did."""
        return dict(self._open)

    def settled(self, seen: Mapping[ids.CheckinId, int]) -> None:
        """The desk's queue is in line with what was `unsettled`: forget whoever is done, unless more came meanwhile.

        Not before: until then they are not trimmed, so that a desk that could not write tries it again.
        """
        for checkin_id, heard in seen.items():
            done = self.hall.stored_at(checkin_id) or self.hall.state(checkin_id) == "released"
            if done and self._open.get(checkin_id) == heard:
                del self._open[checkin_id]

    def _part(self) -> hub.Part:
        order, heard = list(self.listed.peers), self.heard
        return hub.part(self.hall, self.me, order, heard, beyond=self.reached, relayed=self.way is not None)

    def _is_known(self, fact: halls.Claimed | halls.Called) -> bool:
        known = self.hall.claims if isinstance(fact, halls.Claimed) else self.hall.calls
        return fact in known.get(fact.checkin_id, {}).values()

    async def _append(self, fact: halls.Fact) -> None:
        await self._merge([self.hall.following(self.me, fact)])
        self.moved.set()
        self.hurried.set()

    async def _merge(self, entries: Sequence[halls.Entry]) -> None:
        heads = self.hall.heads
        fresh = []
        for entry in entries:
            if entry.follows <= heads.get(entry.author, 0) < entry.seq:
                heads[entry.author] = entry.seq
                fresh.append(entry)
        if not fresh:
            return
        await self._log.add(fresh)
        for entry in fresh:
            self.hall.take_in(entry)
            if not isinstance(entry.fact, halls.TermBegun):
                self._open[entry.fact.checkin_id] = self._open.get(entry.fact.checkin_id, 0) + 1
