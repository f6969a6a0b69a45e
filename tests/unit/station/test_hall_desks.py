"""Desks of a hall in one process: real keys, doors and logs, and a cable that a test pulls."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from gradphoto_contracts import ids
from kit import auth, crypto, errors, web
from kit import clock as clocks
from kit import ids as new_ids
from station.domain import hub
from station.domain.hall import Claimed, Entry, Hall
from station.hall import door, figures, peers, roster, standing, wire
from station.hall.log import Log
from station.hall.member import Member
from tests.unit.station.fakes import Clock

CAMPAIGN = ids.CampaignId(new_ids.new())
SERVER = crypto.new_key()
#: Long enough that no busy machine makes a desk that answers seem silent.
BEAT_S = 30.0


@dataclass(frozen=True)
class Settings:
    """The part of the settings that the web door reads."""

    deployment: str = "embedded"


class Lan(httpx.AsyncBaseTransport):
    """The cable: a desk is its own host name."""

    def __init__(self) -> None:
        self.doors: dict[str, httpx.ASGITransport] = {}
        self.down: set[str] = set()
        #: Replaces an answer on its way.
        self.tamper: bytes | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if host in self.down or host not in self.doors:
            raise httpx.ConnectError("down")
        response = await self.doors[host].handle_async_request(request)
        if self.tamper is None:
            return response
        await response.aread()
        old, new = self.tamper.split(b"|")
        headers = {peers.HEADER: response.headers[peers.HEADER]}
        return httpx.Response(response.status_code, headers=headers, content=response.content.replace(old, new))


@dataclass
class Desk:
    """One desk of the hall."""

    code: str
    directory: Path
    lan: Lan
    clock: Clock
    station_id: ids.StationId = field(default_factory=lambda: ids.StationId(new_ids.new()))
    keys: tuple[str, str] = field(default_factory=crypto.new_key)

    async def open(self) -> None:
        """Open log and door; again after `close`, with what is on the disk."""
        sealer = crypto.Sealer({"k": bytes(32)}, "k")
        self.listed = roster.Roster(self.directory / "list.json", CAMPAIGN, SERVER[1])
        self.listed.load()
        addresses = roster.Addresses(self.directory / "addresses.json")
        addresses.load()
        self.log = Log(self.directory / "hall.sqlite3", sealer)
        self.standing = standing.Standing(self.station_id, self.listed, addresses, self.log, self.clock, BEAT_S, 90.0)
        await self.standing.open()
        self.standing.own_address = f"{self.code}:80"
        self.client = peers.Peers(self.station_id, self.keys[0], self.listed, self.clock.now, self.lan)
        self.member = Member(self.standing, self.client, self.clock, figures.Figures("M", self.code))
        doors = door.router(
            self.member,
            door.Listed(self.listed, self.clock, self.client),
            self.station_id,
            self.keys[0],
            self.clock,
        )
        app = web.application(
            Settings(),
            title="gradphoto hall",
            clock=clocks.SystemClock(),
            verifier=None,
            routers=[doors],
            readiness=_ready,
        )
        self.lan.doors[self.code] = httpx.ASGITransport(app)

    async def close(self) -> None:
        await self.client.close()
        await self.standing.close()

    async def meet(self, *others: "Desk") -> None:
        """Exchange with each, both ways."""
        for other in others:
            for _ in range(2):
                told = self.standing.told(other.station_id)
                who, answer = await self.client.ask(f"{other.code}:80", "/v1/hall/exchanges", told, wire.Told)
                assert who == other.station_id
                await self.standing.hear(who, answer)

    def wish(self, student: ids.StudentId, number: int) -> hub.Wish:
        """Check this student in here."""
        ticket = f"{self.code}-{number:04d}"
        return hub.Wish(ids.CheckinId(new_ids.new()), student, None, ticket, number, self.station_id)


async def _ready() -> dict[str, bool]:
    return {}


def hall_list(*desks: Desk, key: str = SERVER[0]) -> tuple[bytes, str]:
    """The list as the server signs it."""
    stations = [
        {
            "station_id": str(desk.station_id),
            "desk_code": desk.code,
            "public_key_pem": desk.keys[1],
            "address": f"{desk.code}:80",
        }
        for desk in desks
    ]
    content = json.dumps({"campaign_id": str(CAMPAIGN), "group_code": "A", "stations": stations}).encode()
    return content, auth.Stamp(key, roster.SIGNED_AS).sign(content)


@pytest.fixture
async def desks(tmp_path: Path) -> AsyncIterator[list[Desk]]:
    """Three desks that have met; the first is hub."""
    lan, clock = Lan(), Clock()
    async with AsyncExitStack() as stack:
        three = [Desk(code, tmp_path / code, lan, clock) for code in ("a", "b", "c")]
        for desk in three:
            desk.directory.mkdir()
            await desk.open()
            stack.push_async_callback(desk.close)
            desk.listed.take(*hall_list(*three))
        a, b, c = three
        await a.meet(b, c)
        assert await a.standing.begin()
        await a.meet(b, c)
        await b.meet(c)
        yield three


def student() -> ids.StudentId:
    return ids.StudentId(new_ids.new())


async def test_one_of_two_desks_gets_the_student(desks: list[Desk]) -> None:
    """Asked at once, the hub grants one and tells the other who has them; the asker holds the hub's entry by then."""
    _, b, c = desks
    who = student()
    answers = await asyncio.gather(*(desk.member.claim(desk.wish(who, 1)) for desk in (b, c)))
    (granted,) = [answer for answer in answers if isinstance(answer, Claimed)]
    (taken,) = [answer for answer in answers if isinstance(answer, hub.Taken)]
    winner = b if granted.desk == b.station_id else c
    assert (taken.ticket, taken.desk) == (granted.ticket, winner.station_id)
    assert granted.checkin_id in winner.member.known.claims
    assert not winner.member.known.claimed_apart(granted.checkin_id)


async def test_the_hub_dies_right_after_its_grant(desks: list[Desk]) -> None:
    """Whoever takes over learns the grant from whom it was given to, and calls it no split."""
    a, b, c = desks
    who = student()
    granted = await c.member.claim(c.wish(who, 1))
    assert isinstance(granted, Claimed)
    a.lan.down.add("a")
    for desk in (b, c):
        desk.standing.lose(a.station_id)
    await b.meet(c)
    assert await b.standing.begin()
    assert (b.standing.part, b.member.known.claimed_apart(granted.checkin_id)) == ("hub", False)
    assert isinstance(await b.member.claim(b.wish(who, 1)), hub.Taken)


async def test_what_a_hub_granted_is_on_its_disk(desks: list[Desk]) -> None:
    """Closed and opened again, it knows every grant, and where the others are."""
    a, b, _ = desks
    granted = await b.member.claim(b.wish(student(), 1))
    assert isinstance(granted, Claimed)
    await a.standing.reserve(7)
    before = a.member.known.heads
    await a.close()
    await a.open()
    assert (a.member.known.heads, a.standing.reserved) == (before, 7)
    assert a.member.known.claim_of(granted.checkin_id) == granted
    assert a.standing.address(b.station_id) == "b:80"


async def test_alone_a_desk_grants_to_itself_apart(desks: list[Desk]) -> None:
    """With nobody to be heard a check-in is made, and marked."""
    a, b, c = desks
    a.lan.down |= {"a", "b"}
    for desk in (a, b):
        c.standing.lose(desk.station_id)
    c.standing._listening_until = 0.0
    assert c.standing.part == "alone"
    granted = await c.member.claim(c.wish(student(), 1))
    assert isinstance(granted, Claimed)
    assert c.member.known.claimed_apart(granted.checkin_id)


async def test_a_deposed_hub_s_grant_is_not_taken(desks: list[Desk]) -> None:
    """Who knows of a newer term asks its hub, and not the one that still believes itself to be."""
    a, b, c = desks
    b.standing.lose(a.station_id)
    c.standing.lose(a.station_id)
    await b.meet(c)
    a.lan.down.add("a")
    b.standing.lose(a.station_id)
    c.standing.lose(a.station_id)
    assert await b.standing.begin()
    await b.meet(c)
    a.lan.down.clear()
    assert a.standing.part == "hub"
    granted = await c.member.claim(c.wish(student(), 1))
    assert isinstance(granted, Claimed)
    assert granted.term == b.member.known.term


async def test_a_stranger_is_refused(desks: list[Desk], tmp_path: Path) -> None:
    """A station that the list does not name gets nothing, and is believed nothing, whatever key it has."""
    a, *_ = desks
    stranger = Desk("x", tmp_path / "x", a.lan, a.clock)
    stranger.directory.mkdir()
    await stranger.open()
    stranger.listed.take(*hall_list(stranger, *desks))
    for path, body in (
        ("exchanges", stranger.standing.told(None)),
        ("claims", wire.ClaimAsked(told=stranger.standing.told(None), wish=stranger.wish(student(), 1))),
    ):
        with pytest.raises(peers.PeerUnreachable):
            await stranger.client.ask("a:80", f"/v1/hall/{path}", body, wire.Told)
    with pytest.raises(peers.PeerUnreachable):
        await a.client.ask("x:80", "/v1/hall/exchanges", a.standing.told(None), wire.Told)
    await stranger.close()


async def test_an_answer_that_was_changed_is_no_answer(desks: list[Desk]) -> None:
    """A desk on the way cannot put words into the hub's mouth."""
    a, b, _ = desks
    a.lan.tamper = b'"heads"|"Heads"'
    with pytest.raises(peers.PeerUnreachable):
        await b.client.ask("a:80", "/v1/hall/exchanges", b.standing.told(a.station_id), wire.Told)


async def test_a_desk_asks_for_itself_only(desks: list[Desk]) -> None:
    """No desk checks a student in for another."""
    _, b, c = desks
    asked = wire.ClaimAsked(told=b.standing.told(None), wish=c.wish(student(), 1))
    with pytest.raises(peers.PeerUnreachable):
        await b.client.ask("a:80", "/v1/hall/claims", asked, wire.ClaimAnswered)
    assert not c.member.known.claims


async def test_only_the_hub_grants(desks: list[Desk]) -> None:
    """A member that is asked says that it is not hub."""
    *_, c = desks
    asked = wire.ClaimAsked(told=c.standing.told(None), wish=c.wish(student(), 1))
    with pytest.raises(peers.NotHub):
        await c.client.ask("b:80", "/v1/hall/claims", asked, wire.ClaimAnswered)


async def test_the_list_is_taken_from_the_server_alone(desks: list[Desk]) -> None:
    """Signed by another key, altered, or of another campaign, it is refused, and the old one stays."""
    a, b, _ = desks
    content, signature = hall_list(a, b)
    for wrong in (hall_list(a, b, key=crypto.new_key()[0]), (content.replace(b'"A"', b'"B"'), signature)):
        with pytest.raises(errors.Refused, match="hall-list-unsigned"):
            a.listed.take(*wrong)
    assert len(a.listed.peers) == 3
    a.listed.take(content, signature)
    assert len(a.listed.peers) == 2


async def test_a_log_that_was_altered_does_not_open(desks: list[Desk]) -> None:
    """Entries are sealed each for its place."""
    a, b, _ = desks
    await b.member.claim(b.wish(student(), 1))
    sealed = a.log._sealed(a.member.known.beyond({}, 1)[0])
    with pytest.raises(crypto.Tampered):
        a.log._entry(str(b.station_id), 1, sealed)
    assert a.log._entry(str(a.station_id), 1, sealed) == Entry(a.station_id, 1, a.member.known.logs[a.station_id][0])


def test_an_empty_hall_is_nobody_s() -> None:
    """Before anything was said there is no term, no double, nothing to tell."""
    hall = Hall()
    assert (hall.term, list(hall.doubles()), hall.beyond({}, 10)) == (None, [], [])
