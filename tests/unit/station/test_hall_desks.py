"""Desks of a hall in one process: real keys, doors and logs, and a cable that a test pulls."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from gradphoto_contracts import ids
from kit import auth, crypto, errors
from kit import clock as clocks
from kit import ids as new_ids
from station.domain import hub
from station.domain.hall import Called, Claimed, Ended, Entry, Hall
from station.hall import door, figures, peers, roster, standing, ways, wire
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
        #: Pairs of desks between which there is no way: a firewall, a switch that lost half of its ports.
        self.severed: set[frozenset[str]] = set()
        #: Replaces an answer on its way.
        self.tamper: bytes | None = None
        self.sent: list[httpx.Request] = []
        #: Desks that take a request and do not answer it.
        self.stalled: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        self.sent.append(request)
        if host in self.down or host not in self.doors:
            raise httpx.ConnectError("down")
        if host in self.stalled:
            raise httpx.ReadTimeout("stalled")
        response = await self.doors[host].handle_async_request(request)
        if self.tamper is None:
            return response
        await response.aread()
        old, new = self.tamper.split(b"|")
        headers = {peers.HEADER: response.headers[peers.HEADER]}
        return httpx.Response(response.status_code, headers=headers, content=response.content.replace(old, new))


class Cable(httpx.AsyncBaseTransport):
    """One desk's end of the LAN."""

    def __init__(self, lan: Lan, code: str) -> None:
        self._lan, self._code = lan, code

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if frozenset((self._code, request.url.host)) in self._lan.severed:
            raise httpx.ConnectError("no way")
        return await self._lan.handle_async_request(request)


@dataclass
class Desk:
    """One desk of the hall."""

    code: str
    directory: Path
    lan: Lan
    clock: Clock
    station_id: ids.StationId = field(default_factory=lambda: ids.StationId(new_ids.new()))
    keys: tuple[str, str] = field(default_factory=crypto.new_key)
    pack_as_of: datetime | None = None

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
        self.standing.pack_as_of = lambda: self.pack_as_of
        self.client = peers.Peers(
            self.station_id, self.keys[0], self.listed, self.clock.now, Cable(self.lan, self.code)
        )
        self.member = Member(self.standing, self.client, self.clock, figures.Figures("M", self.code))
        doors = door.router(
            self.member,
            door.Listed(self.listed, self.clock, self.client),
            self.station_id,
            self.keys[0],
            self.clock,
        )
        app = door.application(Settings(), doors, clocks.SystemClock())
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


async def test_of_a_stranger_s_request_only_the_head_is_read(desks: list[Desk]) -> None:
    """What a keyless neighbour pours in is neither read nor parsed; a listed desk's is verified before it is parsed."""
    a, b, _ = desks
    poured: list[bytes] = []

    async def pour() -> AsyncIterator[bytes]:
        poured.append(b"[")
        yield b"[" * 100_000

    path = "/v1/hall/exchanges"
    forged = auth.sign_station_request(crypto.new_key()[0], b.station_id, "POST", path, b"[", a.clock.now())
    nobody = auth.sign_station_request(b.keys[0], new_ids.new(), "POST", path, b"[", a.clock.now())
    own = auth.sign_station_request(b.keys[0], b.station_id, "POST", path, b"[", a.clock.now())
    async with httpx.AsyncClient(transport=a.lan.doors["a"], base_url="http://a") as client:
        for header in ({}, {"authorization": nobody}):
            assert (await client.post(path, content=pour(), headers=header)).status_code == 401
        assert poured == []
        for signature, status in ((forged, 401), (own, 422)):
            answer = await client.post(path, content=b"[", headers={"authorization": signature})
            assert answer.status_code == status
        large = await client.post(path, content=b" " * (door.BODY_LIMIT_BYTES + 1), headers={"authorization": own})
        assert large.status_code == 413


async def test_the_hall_s_door_shows_the_lan_nothing_else(desks: list[Desk]) -> None:
    """No figures, no health, no pages about the doors."""
    async with httpx.AsyncClient(transport=desks[0].lan.doors["a"], base_url="http://a") as client:
        for path in ("/metrics", "/healthz", "/readyz", "/docs", "/openapi.json", "/redoc", "/"):
            assert (await client.get(path)).status_code == 404, path


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


def sever(one: Desk, other: Desk) -> None:
    """Neither reaches the other any more, and both have noticed."""
    one.lan.severed.add(frozenset((one.code, other.code)))
    one.standing.lose(other.station_id)
    other.standing.lose(one.station_id)


async def test_a_desk_that_hears_only_a_member_asks_the_hub_through_it(desks: list[Desk]) -> None:
    """It stays a member, its check-in is the hub's own grant and not apart; the hub does not call it heard."""
    a, b, c = desks
    sever(a, c)
    await b.meet(c)
    assert [desk.standing.part for desk in desks] == ["hub", "member", "member"]
    assert c.standing.way == ways.Way(a.station_id, 2, b.station_id)
    who = student()
    granted = await c.member.claim(c.wish(who, 1))
    assert isinstance(granted, Claimed)
    assert granted.term == a.member.known.term
    assert not c.member.known.claimed_apart(granted.checkin_id)
    taken = await b.member.claim(b.wish(who, 1))
    assert (taken.ticket, taken.desk) == (granted.ticket, c.station_id)
    assert isinstance(await c.member.call(granted.checkin_id), Called)
    assert isinstance(await b.member.call(granted.checkin_id), hub.Taken)
    assert a.standing.heard == {b.station_id}
    assert a.standing.reached == {b.station_id, c.station_id}


async def test_over_two_desks_the_hub_is_reached_too(desks: list[Desk], tmp_path: Path) -> None:
    """A line of four: the last one asks through two others."""
    a, b, c = desks
    d = Desk("d", tmp_path / "d", a.lan, a.clock)
    d.directory.mkdir()
    await d.open()
    for desk in (*desks, d):
        desk.listed.take(*hall_list(*desks, d))
    for one, other in ((a, c), (a, d), (b, d)):
        sever(one, other)
    await c.meet(b)
    await d.meet(c)
    assert d.standing.way == ways.Way(a.station_id, 3, c.station_id)
    granted = await d.member.claim(d.wish(student(), 1))
    assert isinstance(granted, Claimed)
    assert not d.member.known.claimed_apart(granted.checkin_id)
    await d.close()


async def test_a_way_that_leads_nowhere_is_given_up_and_the_rule_elects(desks: list[Desk]) -> None:
    """The hub dies behind the relay: it says so at once, and the first of the two who hear each other takes over."""
    a, b, c = desks
    sever(a, c)
    await b.meet(c)
    a.lan.down.add("a")
    claimed = asyncio.create_task(c.member.claim(c.wish(student(), 1)))
    while b.standing.part != "waiting" or c.standing.way is not None:  # noqa: ASYNC110 - a state, no event
        await asyncio.sleep(0.01)
    assert c.standing.part == "waiting"
    assert await b.standing.begin()
    await b.meet(c)
    granted = await claimed
    assert isinstance(granted, Claimed)
    assert granted.term == b.member.known.term
    assert not c.member.known.claimed_apart(granted.checkin_id)


async def test_a_hub_that_stalls_behind_a_relay_does_not_cost_the_relay(desks: list[Desk]) -> None:
    """Who hands on gives up before the asker does; and should it be slow itself, it is still heard: nobody is alone."""
    a, b, c = desks
    sever(a, c)
    await b.meet(c)
    assert isinstance(await c.member.claim(c.wish(student(), 1)), Claimed)
    waits = {request.url.path: request.extensions["timeout"] for request in a.lan.sent}
    onward, asking = waits["/v1/hall/claims"], waits["/v1/hall/relays"]
    assert onward["connect"] + onward["read"] < asking["read"]
    a.lan.stalled.add("b")
    claimed = asyncio.create_task(c.member.claim(c.wish(student(), 2)))
    while c.standing.way is not None:  # noqa: ASYNC110 - a state, no event
        await asyncio.sleep(0.01)
    assert c.standing.heard == {b.station_id}
    assert c.standing.part == "waiting"
    claimed.cancel()
    assert isinstance((await asyncio.gather(claimed, return_exceptions=True))[0], asyncio.CancelledError)


async def through_b(hub_desk: Desk, asker: Desk, wish: hub.Wish) -> wire.ClaimAnswered:
    """Ask the hub by way of the second desk."""
    asked = wire.ClaimAsked(told=asker.standing.told(hub_desk.station_id), wish=wish)
    _, answered = await asker.client.ask_through("b:80", 1, "/v1/hall/claims", asked, wire.ClaimAnswered)
    return answered


async def test_whoever_hands_on_can_change_nothing(desks: list[Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of the hub's that the desk between altered, and signed as its own, is none; nothing is taken."""
    a, b, c = desks
    sever(a, c)
    await b.meet(c)
    honest, wish = b.member.relay, c.wish(student(), 1)

    async def altering(asked: wire.Relayed) -> wire.RelayAnswered:
        answered = await honest(asked)
        assert '"granted":{' in answered.content
        return answered.model_copy(update={"content": answered.content.replace('"granted":{', '"Granted":{')})

    with monkeypatch.context() as patched:
        patched.setattr(b.member, "relay", altering)
        with pytest.raises(peers.NoWay):
            await through_b(a, c, wish)
    assert (await through_b(a, c, wish)).granted, "control: unaltered it is taken"
    forged = wire.Relayed(path="/v1/hall/claims", authorization="GradPhoto x", content="{}", hops=1)
    assert (await b.member.relay(forged)).status == 401, "the hub refuses a stranger, whoever hands it on"


async def day(desks: list[Desk], students: int) -> list[ids.CheckinId]:
    """So many students come, are called and photographed, and each tenth walks off; the server hears of all."""
    a, b, c = desks
    checkins = []
    for number in range(students):
        desk = desks[number % 3]
        granted = await desk.member.claim(desk.wish(student(), number + 1))
        assert isinstance(granted, Claimed)
        checkins.append(granted.checkin_id)
        now = desk.clock.now()
        if number % 10 == 9:
            hows = ("released", "told")
        else:
            assert isinstance(await desk.member.call(granted.checkin_id), Called)
            hows = ("photographed", "stored")
        await desk.member.note([Ended(granted.checkin_id, desk.station_id, how, now) for how in hows])  # type: ignore[arg-type]
    await a.meet(b, c)
    await b.meet(c)
    await a.meet(b, c)
    return checkins


async def settle_and_trim(desks: list[Desk]) -> list[int]:
    """Every desk brings its queue in line, and looks what may go."""
    for desk in desks:
        desk.standing.settled(desk.standing.unsettled())
    return [await desk.standing.trim() for desk in desks]


async def test_what_everybody_has_leaves_the_disk(desks: list[Desk]) -> None:
    """Days on end the logs stay as short as who is still about; opened again, and met, the hall is the same."""
    a, b, c = desks
    sizes = []
    for _ in range(3):
        await day(desks, 20)
        assert max(await settle_and_trim(desks)) <= 6, "who walked off; no desk's pack tells yet who has a photo"
        a.clock.advance(600)
        for desk in desks:
            desk.pack_as_of = a.clock.now()
        await a.meet(b, c)
        await b.meet(c)
        assert all(await settle_and_trim(desks))
        sizes.append([await desk.log.size() for desk in desks])
    assert max(map(max, sizes)) <= 2, sizes
    heads = a.member.known.heads
    assert sum(heads.values()) > 200
    for desk in desks:
        await desk.close()
        await desk.open()
    assert {repr(sorted(desk.member.known.heads.items())) for desk in desks} == {repr(sorted(heads.items()))}
    await a.meet(b, c)
    granted = await c.member.claim(c.wish(student(), 99))
    assert isinstance(granted, Claimed)
    assert c.member.known.head(a.station_id) == heads[a.station_id] + 1, "numbers go on where they were"


async def test_what_a_desk_could_not_settle_is_not_forgotten(desks: list[Desk]) -> None:
    """A full disk kept the queue as it was: the others trim, this desk waits; who came back meanwhile stays too."""
    a, b, c = desks
    await day(desks, 3)
    a.clock.advance(600)
    for desk in desks:
        desk.pack_as_of = a.clock.now()
    await a.meet(b, c)
    await b.meet(c)
    seen = c.standing.unsettled()  # and the writing fails
    assert len(seen) == 3
    assert await c.standing.trim() <= 1, "terms at most"
    assert c.standing.unsettled() == seen
    await c.member.note([Ended(checkin_id, c.station_id, "told", a.clock.now()) for checkin_id in list(seen)[:1]])
    c.standing.settled(seen)
    assert list(c.standing.unsettled()) == list(seen)[:1], "of this one more is known than was settled"


async def test_a_ticket_that_the_hall_has_forgotten_is_never_granted(desks: list[Desk]) -> None:
    """The hub and a member that are asked for it say so; it is no call, and nobody's log has one."""
    a, _, c = desks
    (gone, *_) = await day(desks, 3)
    a.clock.advance(600)
    for desk in desks:
        desk.pack_as_of = a.clock.now()
    await a.meet(*desks[1:])
    await desks[1].meet(c)
    await settle_and_trim(desks)
    for desk in (a, c):
        assert await desk.member.call(gone) == hub.Unknown()
        assert gone not in desk.member.known.calls


def repeated(one: Desk, path: str) -> tuple[str, str, bytes, str]:
    """The last request of this kind to this desk, as whoever listened has it."""
    of = [request for request in one.lan.sent if (request.url.host, request.url.path) == (one.code, path)]
    return f"{one.code}:80", path, of[-1].content, of[-1].headers["authorization"]


@pytest.mark.parametrize("restarted", [True, False])
async def test_a_request_that_is_repeated_changes_nothing(desks: list[Desk], *, restarted: bool) -> None:
    """Whoever kept one cannot have a photographed student wait again, nor make an absent desk seem heard."""
    a, b, c = desks
    who = student()
    granted = await c.member.claim(c.wish(who, 1))
    assert isinstance(granted, Claimed)
    await c.meet(a)
    claim, exchange = repeated(a, "/v1/hall/claims"), repeated(a, "/v1/hall/exchanges")
    await c.member.call(granted.checkin_id)
    hows = ("photographed", "stored")
    await c.member.note([Ended(granted.checkin_id, c.station_id, how, a.clock.now()) for how in hows])  # type: ignore[arg-type]
    a.clock.advance(600)
    for desk in desks:
        desk.pack_as_of = a.clock.now()
    for _ in range(2):
        await a.meet(b, c)
        await b.meet(c)
        await settle_and_trim(desks)
    assert not a.member.known.claims
    if restarted:
        await a.close()
        await a.open()
        await a.meet(b)
    a.standing.lose(c.station_id)
    for kept in (claim, exchange):
        assert (await b.client.post(*kept)).status_code == 200
    assert a.member.known.live(who) == []
    assert a.standing.heard == {b.station_id}
    assert isinstance(await c.member.claim(c.wish(student(), 2)), Claimed), "control: a new one is granted"


async def test_what_one_desk_lacks_or_the_server_does_not_know_stays(desks: list[Desk]) -> None:
    """A desk that is away, a photo that is not stored, a pack that is older, one that still waits: nothing goes."""
    a, b, c = desks
    checkins = await day(desks, 6)
    waiting = await b.member.claim(b.wish(student(), 50))
    assert isinstance(waiting, Claimed)
    a.clock.advance(600)
    for desk in (a, b):
        desk.pack_as_of = a.clock.now()
    await a.meet(b, c)
    assert await settle_and_trim(desks) == [0, 0, 0], "the pack of one desk is older"
    c.pack_as_of = a.clock.now()
    await a.meet(b, c)
    await b.meet(c)
    a.lan.down.add("c")
    late = await b.member.claim(b.wish(student(), 51))
    assert isinstance(late, Claimed)
    await settle_and_trim([a, b])
    assert late.checkin_id in a.member.known.claims, "one desk has not heard of it"
    assert waiting.checkin_id in a.member.known.claims, "who waits is still known"
    assert not set(checkins) & set(a.member.known.claims)


async def test_a_desk_that_comes_late_is_told_what_is_left(desks: list[Desk], tmp_path: Path) -> None:
    """It takes over the gaps, has the same numbers as the others, and a student who waits is not taken twice."""
    a, b, c = desks
    await day(desks, 12)
    who = student()
    waiting = await b.member.claim(b.wish(who, 50))
    a.clock.advance(600)
    for desk in desks:
        desk.pack_as_of = a.clock.now()
    await a.meet(b, c)
    await b.meet(c)
    assert all(await settle_and_trim(desks))
    d = Desk("d", tmp_path / "d", a.lan, a.clock)
    d.directory.mkdir()
    await d.open()
    for desk in (*desks, d):
        desk.listed.take(*hall_list(*desks, d))
    await d.meet(a, b)
    assert d.member.known.head(a.station_id) == a.member.known.head(a.station_id)
    assert isinstance(waiting, Claimed)
    taken = await d.member.claim(d.wish(who, 1))
    assert isinstance(taken, hub.Taken)
    assert taken.ticket == waiting.ticket
    await d.close()


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
    assert a.log._entry(str(a.station_id), 1, sealed) == Entry(a.station_id, 1, a.member.known.logs[a.station_id][1])


def test_an_empty_hall_is_nobody_s() -> None:
    """Before anything was said there is no term, no double, nothing to tell."""
    hall = Hall()
    assert (hall.term, list(hall.doubles()), hall.beyond({}, 10)) == (None, [], [])
