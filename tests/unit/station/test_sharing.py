"""Two desks and one hall in memory: one queue at both, nobody called twice, and a double that stops the desk."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from gradphoto_contracts import ids
from kit import ids as new_ids
from kit.errors import Conflict
from station.domain import facts, hub
from station.domain import hall as halls
from station.domain.desk import Desk
from station.handlers import frames, queue
from station.handlers import hall as acts
from tests.unit.station.fakes import Bench

TERM = halls.Term(1, ids.StationId(new_ids.new()))


class Common:
    """`ports.Hall` of one desk over a hall that all desks see at once; `alone` is the cable pulled out."""

    def __init__(self, bench: Bench, code: str, known: halls.Hall) -> None:
        self.me, self.known, self._bench = ids.StationId(new_ids.new()), known, bench
        self.codes = {self.me: code}
        self.next_ordinal = 1
        self.alone = False
        self.caught_up = 0
        #: What happens between a grant and its answer.
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    @property
    def _term(self) -> halls.Term | None:
        return None if self.alone else TERM

    async def claim(self, wish: hub.Wish) -> halls.Claimed | hub.Taken:
        answer = hub.claim(self.known, wish, self._term, set(self.codes), self._bench.clock.now())
        if isinstance(answer, halls.Claimed) and answer.checkin_id not in self.known.claims:
            await self.note([answer])
        if self.meanwhile:
            await self.meanwhile()
        return answer

    async def call(self, checkin_id: ids.CheckinId) -> halls.Called | hub.Taken | hub.Unknown:
        answer = hub.call(self.known, checkin_id, self.me, self._term, self._bench.clock.now())
        if isinstance(answer, halls.Called):
            await self.note([answer])
        return answer

    async def catch_up(self) -> Sequence[ids.CheckinId]:
        self.caught_up += 1
        return list(self.known.claims)

    async def note(self, told: Sequence[halls.Fact]) -> None:
        for fact in told:
            self.known.take_in(self.known.following(self.me, fact))

    async def reserve(self, ordinal: int) -> None:
        self.next_ordinal = max(self.next_ordinal, ordinal + 1)


class Pair:
    """Two desks, A and B, with the same students."""

    def __init__(self) -> None:
        known = halls.Hall()
        self.a, self.b = Bench(), Bench()
        self.b.students, self.b.packs, self.b.work.packs = self.a.students, self.a.packs, self.a.packs
        self.b.work.desk = Desk("B")
        self.halls = {}
        for bench, code in ((self.a, "A"), (self.b, "B")):
            bench.work.hall = self.halls[code] = Common(bench, code, known)
        for hall in self.halls.values():
            hall.codes = {each.me: code for code, each in self.halls.items()}

    async def settle(self) -> None:
        """Both bring their queues up to date, and what the later one told reaches the earlier one."""
        for bench in (self.a, self.b, self.a):
            assert bench.work.hall
            await acts.settle(bench.work, bench.work.hall, list(bench.work.hall.known.claims))


@pytest.fixture
def pair() -> Pair:
    return Pair()


async def keep(bench: Bench) -> None:
    """Photograph whoever sits, and keep the picture."""
    shot = await frames.press_shutter(bench.work)
    await frames.decide(bench.work, shot.frame.capture_id, "keep", None)


async def test_one_queue_at_both_desks(pair: Pair) -> None:
    """Whoever checked in at one waits at the other, in one order, and leaves when called, photographed or let go."""
    first = await queue.check_in(pair.b.work, "scan-0")
    pair.a.clock.advance(1)
    pair.b.clock.advance(1)
    second = await queue.check_in(pair.a.work, "scan-1")
    assert (first.ticket, second.ticket) == ("B-0001", "A-0001")
    await pair.settle()
    assert list(pair.a.desk.waiting) == list(pair.b.desk.waiting) == ["B-0001", "A-0001"]
    await queue.seat(pair.a.work, None)
    await pair.settle()
    assert (pair.a.desk.seated, list(pair.b.desk.waiting)) == ("B-0001", ["A-0001"])
    await keep(pair.a)
    await queue.release(pair.b.work, "A-0001", "walked off")
    await pair.settle()
    assert not pair.a.desk.waiting
    again = await queue.check_in(pair.b.work, "scan-0")
    assert (again.outcome, again.ticket) == ("already_photographed", "B-0001")
    assert (await queue.check_in(pair.b.work, "scan-1")).outcome == "issued"


async def test_what_the_server_is_told_of_another_desk_s_student(pair: Pair) -> None:
    """The desk that photographs tells of the check-in too, and of a walk-off whoever's ticket it was."""
    await queue.check_in(pair.b.work, "scan-0")
    await queue.check_in(pair.b.work, "scan-1")
    await pair.settle()
    await queue.seat(pair.a.work, "B-0001")
    await queue.release(pair.a.work, "B-0002", "walked off")
    told = [(message.kind, message.body.get("ticket")) for message in pair.a.journal.messages]
    assert told == [("checkin", "B-0001"), ("checkin", "B-0002"), ("release", None)]
    of_b = {message.key: message.body for message in pair.b.journal.messages}
    for message in pair.a.journal.messages[:2]:
        assert message.body == of_b[message.key] | {"hall": {"term": 1, "apart": False}}


async def test_nobody_is_called_twice(pair: Pair) -> None:
    """Named, the other desk's student is refused in words; unnamed, the next one sits."""
    for number in range(3):
        await queue.check_in(pair.a.work, f"scan-{number}")
    await pair.settle()
    await queue.seat(pair.a.work, None)
    with pytest.raises(Conflict, match="hall-called-elsewhere"):
        await queue.seat(pair.b.work, "A-0001")
    assert "A-0001" not in pair.b.desk.waiting
    await queue.seat(pair.b.work, None)
    assert pair.b.desk.seated == "A-0002"


async def test_a_ticket_that_the_hall_has_forgotten_leaves_the_queue(pair: Pair) -> None:
    """Everybody has trimmed it while this desk could not write: named it is refused, unnamed the next one sits."""
    for number in range(3):
        await queue.check_in(pair.a.work, f"scan-{number}")
    await pair.settle()
    known = pair.halls["A"].known
    first, second, _ = (pair.a.desk.tickets[number].checkin_id for number in pair.a.desk.waiting)
    known.trim([stamp for checkin_id in (first, second) for stamp in known.claims[checkin_id]])
    with pytest.raises(Conflict, match="hall-called-elsewhere"):
        await queue.seat(pair.a.work, "A-0001")
    await queue.seat(pair.b.work, None)
    assert (pair.a.desk.seated, pair.b.desk.seated) == (None, "A-0003")
    await pair.settle()
    assert first not in known.claims, "its own desk does not tell of it anew"


async def test_who_was_called_elsewhere_is_no_queue_jump(pair: Pair) -> None:
    """The second in the queue shows the number just when another desk has called the first: no alarm."""
    for number in range(2):
        await queue.check_in(pair.a.work, f"scan-{number}")
    await pair.settle()
    await queue.seat(pair.a.work, None)
    await queue.seat(pair.b.work, "A-0002")
    assert (pair.b.desk.drift, pair.b.desk.seated) == (None, "A-0002")
    assert pair.halls["B"].caught_up == 1


async def test_a_grant_that_the_journal_never_saw(pair: Pair) -> None:
    """Killed between grant and journal, the desk takes its own ticket from the hall; the number is not used again."""
    wish = hub.Wish(
        ids.CheckinId(new_ids.new()), pair.a.students[0], None, "A-0001", 1, pair.halls["A"].me
    )  # fmt: skip
    await pair.halls["A"].reserve(1)
    await pair.halls["A"].claim(wish)
    await pair.settle()
    assert list(pair.a.desk.waiting) == ["A-0001"]
    assert (await queue.check_in(pair.a.work, "scan-0")).outcome == "already_ticketed"
    assert (await queue.check_in(pair.a.work, "scan-1")).ticket == "A-0002"


@pytest.mark.parametrize("killed", [True, False])
async def test_reason_and_role_of_a_check_in_by_hand_are_told_whichever_way_the_grant_comes(
    pair: Pair, *, killed: bool
) -> None:
    """The grant comes by an exchange before its answer, or the desk is killed between the two."""

    async def meanwhile() -> None:
        if killed:
            raise ConnectionError
        await pair.settle()

    pair.halls["A"].meanwhile = meanwhile
    asked = queue.check_in_by_hand(pair.a.work, pair.a.students[0], "forgot the code")
    if killed:
        with pytest.raises(ConnectionError):
            await asked
        pair.a.work.desk = Desk("A", pair.a.journal.facts)
        await pair.settle()
    else:
        await asked
    (told,) = [message.body for message in pair.a.journal.messages if message.kind == "checkin"]
    assert (told["let_in"]["role"], told["let_in"]["reason"]) == ("registrar", "forgot the code")
    assert not pair.a.work.desk.asked


async def test_tickets_of_before_the_hall_are_told(pair: Pair) -> None:
    """A desk that joins with students waiting brings them, as taken apart."""
    hall, pair.a.work.hall = pair.a.work.hall, None
    await queue.check_in(pair.a.work, "scan-0")
    pair.a.work.hall = hall
    await pair.settle()
    await pair.settle()
    assert list(pair.b.desk.waiting) == ["A-0001"]
    assert pair.halls["B"].known.claimed_apart(pair.a.desk.tickets["A-0001"].checkin_id)


async def double(pair: Pair) -> None:
    """Both desks took the first student while the cable was out, each without knowing."""
    for bench, code in ((pair.a, "A"), (pair.b, "B")):
        pair.halls[code].alone = True
        wish = hub.Wish(
            ids.CheckinId(new_ids.new()), pair.a.students[0], None, f"{code}-0001", 1, pair.halls[code].me
        )  # fmt: skip
        claim = hub.claim(halls.Hall(), wish, None, (), bench.clock.now())
        assert isinstance(claim, halls.Claimed)
        await pair.halls[code].note([claim])
    await pair.settle()


@pytest.mark.parametrize(("answer", "seated", "state"), [("expected", "A-0001", "seated"), ("seen", None, "released")])
async def test_a_double_stops_the_desk_that_calls_it(
    pair: Pair, answer: facts.Resolution, seated: str | None, state: str
) -> None:
    """Nobody sits before the operator has said who has the student; then the number sits, or is let go."""
    await double(pair)
    await queue.seat(pair.a.work, "A-0001")
    drift = pair.a.desk.drift
    assert drift is not None
    assert (drift.sign, drift.expected, drift.seen, pair.a.desk.seated) == ("double_checkin", "A-0001", "B-0001", None)
    await pair.a.answer(answer)
    assert (pair.a.desk.seated, pair.a.desk.tickets["A-0001"].state) == (seated, state)
    await pair.settle()
    assert bool(list(pair.halls["A"].known.doubles())) == (answer == "expected")


async def test_a_restart_remembers_the_hall_s_queue(pair: Pair) -> None:
    """Adopted and left tickets are facts like any other."""
    for number in range(3):
        await queue.check_in(pair.b.work, f"scan-{number}")
    await pair.settle()
    await queue.seat(pair.b.work, None)
    await pair.settle()
    again = Desk("A", pair.a.journal.facts)
    assert (list(again.waiting), again.tickets) == (["B-0002", "B-0003"], pair.a.desk.tickets)
    assert again.last_ordinal == 0
