"""One desk's whole part in its hall, wired: what the agent opens, runs, shows and closes."""

import time
from collections.abc import Awaitable, Callable

from pydantic import BaseModel, ConfigDict

from kit import clock as clocks
from station import settings
from station.hall import door, figures, peers, roster
from station.hall.log import Log
from station.hall.member import Member
from station.hall.rounds import Fetch, Rounds
from station.hall.standing import Part, Standing
from station.ports import around, workplace

#: For so long the operator is told that a student was taken alone.
GAVE_UP_S = 60.0


class HallState(BaseModel):
    """The desk in its hall at a glance. `hub`, `heard`, `silent` and `via` are desks' codes.

    `via`: through whom the hub is asked, where it is not heard itself. `gave_up`: lately a student was taken alone,
    though others are heard, since none of them reached a hub in time.
    """

    model_config = ConfigDict(frozen=True)

    part: Part
    term: int | None
    hub: str | None
    via: str | None
    gave_up: bool
    heard: tuple[str, ...]
    silent: tuple[str, ...]
    doubles: int
    address: str | None
    door_trouble: str | None


class Joined:
    """A desk that was told how to reach the others."""

    def __init__(
        self, directory: settings.Directory, config: settings.Settings, hall: settings.HallSettings,
        enrolled: settings.Enrolled, clock: around.Clock, fetch: Fetch,
    ) -> None:  # fmt: skip
        self._me, self._key = enrolled.station_id, directory.private_pem()
        self._config, self._hall, self._fetch, self._clock = config, hall, fetch, clock
        self._listed = roster.Roster(directory.hall_list, enrolled.campaign_id, enrolled.pack_key)
        log = Log(directory.hall_log, directory.sealer("hall"))
        times = (config.station_hall_beat_s, config.station_hall_lease_s)
        self._addresses = roster.Addresses(directory.hall_addresses)
        self._standing = Standing(self._me, self._listed, self._addresses, log, clock, *times)
        self._client = peers.Peers(self._me, self._key, self._listed, clock.now)
        self._figures = figures.Figures(enrolled.campus_code, enrolled.desk_code)
        self._member = Member(self._standing, self._client, clock, self._figures)
        self._rounds: Rounds

    def serves(self, work: workplace.Work) -> None:
        """This is the desk."""
        self._rounds = Rounds(self._member, work, self._hall, self._fetch, self._figures)

    async def open(self) -> None:
        """Take up what was known before the restart."""
        self._listed.load()
        self._addresses.load()
        await self._standing.open()

    async def close(self) -> None:
        """Let go of file and connections."""
        await self._client.close()
        await self._standing.close()

    def background(self) -> list[Callable[[], Awaitable[None]]]:
        """The work beside the desk's own."""
        return [self._rounds.run, self._rounds.refresh, self._serve]

    def wake(self) -> None:
        """Something happened at this desk that the others should know."""
        self._standing.hurried.set()

    def plug(self, *, lan: bool) -> None:
        """Pull the LAN cable, or put it back. For drills in the embedded stack."""
        self._client.plugged = lan
        self.wake()

    def health(self) -> dict[str, str | int | None]:
        """What the server is told with each heartbeat."""
        term = self._standing.hall.term
        return {
            "hall_address": self._standing.own_address,
            "hall_part": self._standing.part,
            "hall_term": term.number if term else None,
            "hall_heard": len(self._standing.heard),
        }

    def state(self) -> HallState:
        """What the operator is shown."""
        standing, codes = self._standing, self._member.codes
        term, heard, way = standing.hall.term, standing.heard, standing.way
        known = standing.part in ("hub", "member")
        return HallState(
            part=standing.part,
            term=term.number if term else None,
            hub=codes.get(term.hub) if term and known else None,
            via=codes.get(way.via) if known and way and way.via else None,
            gave_up=self._member.gave_up_at is not None and time.monotonic() - self._member.gave_up_at < GAVE_UP_S,
            heard=tuple(codes[peer] for peer in standing.others if peer in heard),
            silent=tuple(codes[peer] for peer in standing.others if peer not in heard),
            doubles=standing.doubles,
            address=standing.own_address,
            door_trouble=self._rounds.door_trouble,
        )

    async def _serve(self) -> None:
        listed = door.Listed(self._listed, self._clock, self._client)
        doors = door.router(self._member, listed, self._me, self._key, self._clock)
        await self._rounds.serve(door.application(self._config, doors, clocks.clock_for(self._config)))


def join(
    directory: settings.Directory, config: settings.Settings, enrolled: settings.Enrolled, clock: around.Clock,
    fetch: Fetch,
) -> Joined | None:  # fmt: skip
    """The desk's part in its hall; None where nobody said how the others are reached."""
    hall = directory.hall_settings()
    return Joined(directory, config, hall, enrolled, clock, fetch) if hall else None
