"""This desk in its hall: it asks the hub, or is the hub that others ask, or goes on alone."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel

from gradphoto_contracts import ids
from station.domain import hall as halls
from station.domain import hub
from station.hall import figures, peers, ways, wire
from station.hall.standing import Standing
from station.ports import around

G = TypeVar("G", halls.Claimed, halls.Called)
#: What a desk is told that may not have the student.
Else = hub.Taken | hub.Unknown
Here = Callable[[halls.Term | None], G | Else]
There = Callable[[ways.Way], Awaitable[G | Else | None]]
B = TypeVar("B", bound=BaseModel)
#: How long an operator waits for a hub before the desk takes the student by itself, in leases: more than a takeover.
PATIENCE_LEASES = 2.5


class Member:
    """Implements `around.Hall`, and what is behind the door for the other desks."""

    def __init__(self, standing: Standing, client: peers.Peers, clock: around.Clock, shown: figures.Figures) -> None:
        self.standing, self.client = standing, client
        self._clock, self._figures = clock, shown
        #: When this desk last took a student alone though it heard others: none of them reached a hub in time.
        self.gave_up_at: float | None = None

    @property
    def me(self) -> ids.StationId:
        """This station."""
        return self.standing.me

    @property
    def known(self) -> halls.Hall:
        """All that this desk knows of the hall."""
        return self.standing.hall

    @property
    def codes(self) -> Mapping[ids.StationId, str]:
        """The desks' codes by their stations."""
        return {station_id: peer.desk_code for station_id, peer in self.standing.listed.peers.items()}

    @property
    def next_ordinal(self) -> int:
        """The first number that was never asked for."""
        return self.standing.reserved + 1

    async def reserve(self, ordinal: int) -> None:
        """This number may be asked for."""
        await self.standing.reserve(ordinal)

    async def note(self, told: Sequence[halls.Fact]) -> None:
        """Write facts of this desk into its log."""
        await self.standing.note(told)

    async def catch_up(self) -> Sequence[ids.CheckinId]:
        """Ask the hub what is new, once; without an answer, what is known is all there is."""
        way = self.standing.way if self.standing.part == "member" else None
        if way:
            with contextlib.suppress(peers.PeerUnreachable, peers.NotHub, peers.NoWay):
                answer = await self._ask(way, "/v1/hall/exchanges", self.standing.told(way.hub, way.via), wire.Told)
                await self.standing.hear(way.hub, answer, relayed=way.via is not None)
        return list(self.standing.unsettled())

    async def claim(self, wish: hub.Wish) -> halls.Claimed | hub.Taken:
        """Have a student checked in at this desk."""

        async def there(way: ways.Way) -> halls.Claimed | hub.Taken | None:
            asked = wire.ClaimAsked(told=self.standing.told(way.hub, way.via), wish=wish)
            answer = await self._ask(way, "/v1/hall/claims", asked, wire.ClaimAnswered)
            await self.standing.hear(way.hub, answer.told, relayed=way.via is not None)
            return answer.granted or answer.taken

        answer: halls.Claimed | Else = await self._granted("claim", self._claim_here(wish), there)
        if isinstance(answer, hub.Unknown):
            raise TypeError("a claim is granted, or somebody has the student")
        return answer

    async def call(self, checkin_id: ids.CheckinId) -> halls.Called | Else:
        """Call a ticket's holder to this desk; only when it is `Called` the hall lets them sit here."""

        async def there(way: ways.Way) -> halls.Called | Else | None:
            asked = wire.CallAsked(told=self.standing.told(way.hub, way.via), checkin_id=checkin_id)
            answer = await self._ask(way, "/v1/hall/calls", asked, wire.CallAnswered)
            await self.standing.hear(way.hub, answer.told, relayed=way.via is not None)
            if answer.unknown is None:
                return answer.granted or answer.taken
            # The hub may have forgotten earlier than we, or not have been told yet; then it is asked again.
            known = self._call_here(checkin_id, self.me)(None)
            return None if isinstance(known, halls.Called) else known

        return await self._granted("call", self._call_here(checkin_id, self.me), there)

    async def exchange(self, who: ids.StationId, told: wire.Told) -> wire.Told:
        """Another desk says what it knows, and is told what it lacks."""
        await self.standing.heed(who, told)
        return self.standing.told(who)

    async def relay(self, asked: wire.Relayed) -> wire.RelayAnswered:
        """Hand another desk's request on to the hub, or towards it; what comes back is for the asker to judge."""
        way = self.standing.way
        address = self.standing.address(way.via or way.hub) if way else None
        if way is None or address is None or way.hops > asked.hops:
            return wire.RelayAnswered(status=peers.NO_WAY, content="")
        self._figures.relayed()
        try:
            if way.via is not None:
                nearer = asked.model_copy(update={"hops": asked.hops - 1})
                return (await self.client.ask(address, peers.RELAYS, nearer, wire.RelayAnswered, asked.hops))[1]
            content = asked.content.encode()
            response = await self.client.post(address, asked.path, content, asked.authorization)
        except (peers.PeerUnreachable, peers.NotHub) as problem:
            if isinstance(problem, peers.PeerUnreachable):
                self._lose(way, problem)
            return wire.RelayAnswered(status=peers.NO_WAY, content="")
        return wire.RelayAnswered(
            status=response.status_code, content=response.text, signature=response.headers.get(peers.HEADER)
        )

    async def grant_claim(self, who: ids.StationId, asked: wire.ClaimAsked) -> wire.ClaimAnswered:
        """As hub, let another desk check a student in. Raises NotHub."""
        answer = await self._grant_as_hub(who, asked.told, self._claim_here(asked.wish), "claim")
        told = self.standing.told(who)
        if isinstance(answer, halls.Claimed):
            return wire.ClaimAnswered(told=told, granted=answer)
        return wire.ClaimAnswered(told=told, taken=answer if isinstance(answer, hub.Taken) else None)

    async def grant_call(self, who: ids.StationId, asked: wire.CallAsked) -> wire.CallAnswered:
        """As hub, let another desk call a ticket's holder. Raises NotHub."""
        answer = await self._grant_as_hub(who, asked.told, self._call_here(asked.checkin_id, who), "call")
        told = self.standing.told(who)
        match answer:
            case hub.Taken():
                return wire.CallAnswered(told=told, taken=answer)
            case hub.Unknown():
                return wire.CallAnswered(told=told, unknown=answer)
            case _:
                return wire.CallAnswered(told=told, granted=answer)

    def _claim_here(self, wish: hub.Wish) -> Here[halls.Claimed]:
        return lambda term: hub.claim(self.known, wish, term, {*self.standing.reached, self.me}, self._clock.now())

    def _call_here(self, checkin_id: ids.CheckinId, desk: ids.StationId) -> Here[halls.Called]:
        return lambda term: hub.call(self.known, checkin_id, desk, term, self._clock.now())

    async def _grant_as_hub(self, who: ids.StationId, told: wire.Told, here: Here[G], subject: str) -> G | Else | None:
        new = await self.standing.heed(who, told)
        if self.standing.part != "hub":
            raise peers.NotHub
        if not new:
            return None  # the answer tells our life: whoever is there asks again
        answer, apart = await self.standing.grant(here, as_hub=True)
        if apart:
            self._figures.apart(subject)
        return answer

    async def _granted(self, subject: str, here: Here[G], there: There[G]) -> G | Else:
        began = time.monotonic()
        answer = await self._once_agreed(subject, here, there, began + PATIENCE_LEASES * self.standing.lease_s)
        self._figures.waited(subject, time.monotonic() - began)
        return answer

    async def _once_agreed(self, subject: str, here: Here[G], there: There[G], until: float) -> G | Else:
        while True:
            part = self.standing.part
            impatient = time.monotonic() > until
            if part == "member" and not impatient:
                answer = await self._ask_hub(there)
                if answer is not None:
                    return answer
            elif part != "waiting" or impatient:
                answer, apart = await self.standing.grant(here, as_hub=part == "hub")
                if apart:
                    self._figures.apart(subject)
                    self.gave_up_at = time.monotonic() if part != "alone" else None
                return answer
            await self._something_moves()

    async def _ask_hub(self, there: There[G]) -> G | Else | None:
        term, way = self.known.term, self.standing.way
        if way is None:
            return None
        try:
            answer = await there(way)
        except peers.PeerUnreachable as problem:
            self._lose(way, problem)
            return None
        except peers.NoWay:
            self.standing.lose_way(way.via or way.hub)
            return None
        except peers.NotHub:
            self.standing.hurried.set()
            return None
        # What a hub grants that was deposed meanwhile is apart: the new one is asked.
        return answer if self.known.term == term else None

    def _lose(self, way: ways.Way, problem: peers.PeerUnreachable) -> None:
        """A desk that hands on and is slow may be well, and what stands behind it may not: it is still heard."""
        if way.via is not None and not problem.gone:
            self.standing.lose_way(way.via)
        else:
            self.standing.lose(way.via or way.hub)

    async def _ask(self, way: ways.Way, path: str, body: BaseModel, answer: type[B]) -> B:
        """The hub's own answer, whichever way it came. One that somebody else gave is none."""
        address = self.standing.address(way.via or way.hub)
        if address is None:
            raise peers.PeerUnreachable(gone=True)
        if way.via is None:
            who, answered = await self.client.ask(address, path, body, answer)
        else:
            who, answered = await self.client.ask_through(address, way.hops - 1, path, body, answer)
        if who != way.hub:
            raise peers.PeerUnreachable(gone=False)
        return answered

    async def _something_moves(self) -> None:
        """Or has moved since this was awaited last: what was heard while the hub was asked is looked at at once."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.standing.moved.wait(), self.standing.beat_s / 4)
        self.standing.moved.clear()
