"""A hall of desks: whatever is cut, lost, doubled, reordered or taken over, no student is taken twice in silence."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradphoto_contracts import ids
from station.domain import hub, trimming
from station.domain.hall import Called, Claimed, Ended, Entry, Fact, Hall, Stamp, Term

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
DESKS = [ids.StationId(UUID(int=1000 + number)) for number in range(4)]
STUDENTS = [ids.StudentId(UUID(int=1 + number)) for number in range(3)]
Acts = list[tuple[str, int, int, int]]


class Unfenced(Hall):
    """The negative control: whoever was hub when it granted is believed."""

    def apart(self, stamp: Stamp, term: Term | None) -> bool:
        """Only a desk that was alone is apart."""
        return term is None


@dataclass
class Side:
    """Desks in a hall whose cables are pulled and put back, each with what it knows, and the server's packs."""

    kind: type[Hall] = Hall
    #: All that was ever written, as nobody in the hall has it.
    ledger: Hall = field(default_factory=Hall)
    severed: set[frozenset[ids.StationId]] = field(default_factory=set)
    #: How a desk reached the hub when it last spoke: the term, over how many cables, by whom.
    ways: dict[ids.StationId, tuple[Term, int, ids.StationId | None] | None] = field(default_factory=dict)
    #: How far a desk knows that another one knows the logs.
    told: dict[tuple[ids.StationId, ids.StationId], dict[ids.StationId, int]] = field(default_factory=dict)
    #: Each desk's pack: its time, and who has a photo by it.
    packs: dict[ids.StationId, tuple[datetime, frozenset[ids.StudentId]]] = field(default_factory=dict)
    now: datetime = NOW
    trimmed: int = 0
    halls: dict[ids.StationId, Hall] = field(default_factory=dict)
    group: dict[ids.StationId, int] = field(default_factory=dict)
    #: Whom a desk believes to hear: what was so when it last looked.
    heard: dict[ids.StationId, frozenset[ids.StationId]] = field(default_factory=dict)
    checkins: int = 0
    #: What a desk asked for last without hearing the answer.
    unanswered: dict[ids.StationId, hub.Wish] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for desk in DESKS:
            self.halls[desk], self.group[desk], self.heard[desk] = self.kind(), 0, frozenset(DESKS) - {desk}
            self.ways[desk], self.packs[desk] = None, (NOW, frozenset())
        self.ledger = self.kind()

    def write(self, desk: ids.StationId, fact: Fact) -> None:
        """Append to a desk's own log."""
        entry = self.halls[desk].following(desk, fact)
        assert entry.seq == self.ledger.head(desk) + 1, "a number of a log is given once, whatever was trimmed"
        self.halls[desk].take_in(entry)
        self.ledger.take_in(entry)

    def joined(self, one: ids.StationId, other: ids.StationId) -> bool:
        return self.group[one] == self.group[other] and frozenset((one, other)) not in self.severed

    def exchange(self, one: ids.StationId, other: ids.StationId) -> None:
        """Both tell each other what they have, if there is a cable between them."""
        if self.joined(one, other):
            self.tell(one, other)

    def tell(self, one: ids.StationId, other: ids.StationId) -> None:
        """Both know then what either knew, whichever way they were told."""
        for giver, taker in ((one, other), (other, one)):
            for entry in self.halls[giver].beyond(self.halls[taker].heads, 1000):
                self.halls[taker].take_in(entry)
        self.told[one, other], self.told[other, one] = self.halls[other].heads, self.halls[one].heads
        self.ways[one], self.ways[other] = self.way(one), self.way(other)

    def act(self, name: str, first: int, second: int, third: int) -> None:
        """One thing that happens in the hall."""
        desk, other, student = DESKS[first % 4], DESKS[second % 4], STUDENTS[third % 3]
        self.now += timedelta(minutes=1)
        match name:
            case "sever" if desk != other:
                self.severed ^= {frozenset((desk, other))}
            case "pack":
                self.packs[desk] = (self.now, frozenset(self.stored()))
            case "trim":
                self.trim(desk)
            case "store":
                self.end(desk, second, "stored")
            case "told":
                self.end(desk, second, "told")
            case "cut":
                self.group = {each: (second >> place) & 1 for place, each in enumerate(DESKS)}
            case "exchange":
                self.exchange(desk, other)
            case "look":
                self.heard[desk] = frozenset(each for each in DESKS if each != desk and self.joined(desk, each))
                self.ways[desk] = self.way(desk)
                if self.part(desk) == "begin":
                    self.write(desk, hub.begin(self.halls[desk], desk, NOW))
            case "check in":
                self.check_in(desk, student, lost=bool(second & 1), by_hand=bool(second & 2))
            case "ask again":
                self.ask_again(desk, lost=bool(second & 1))
            case "call":
                self.call(desk, second)
            case "photograph":
                self.end(desk, second, "photographed")
            case "release":
                self.end(desk, second, "released")

    def part(self, desk: ids.StationId) -> hub.Part:
        beyond = {far for peer in self.heard[desk] for far in self.heard[peer]} - {desk}
        relayed = self.way(desk) is not None
        return hub.part(self.halls[desk], desk, DESKS, self.heard[desk], beyond=beyond, relayed=relayed)

    def way(self, desk: ids.StationId) -> tuple[Term, int, ids.StationId | None] | None:
        """As `station.hall.ways`: by what those said who are heard."""
        term = self.halls[desk].term
        if term is None or term.hub == desk:
            return None
        if term.hub in self.heard[desk]:
            return term, 1, None
        said = {peer: self.ways[peer] for peer in self.heard[desk]}
        found = [(way[1] + 1, peer) for peer, way in said.items() if way and way[0] == term and way[2] != desk]
        return (term, *min(found)) if found and min(found)[0] <= 4 else None

    def through(self, desk: ids.StationId, hops: int = 4) -> ids.StationId | None:
        """The hub, if a request of this desk gets there now, from one to the next."""
        way = self.way(desk)
        step = (way[2] or way[0].hub) if way else None
        if way is None or step is None or not hops or not self.joined(desk, step):
            return None
        return step if way[2] is None else self.through(step, hops - 1)

    def stored(self) -> set[ids.StudentId]:
        """Whose photo the server has."""
        kept = [c for c, ends in self.ledger.ends.items() if any(end.how == "stored" for end in ends.values())]
        return {claim.student_id for c in kept if (claim := self.ledger.claim_of(c))}

    def trim(self, desk: ids.StationId) -> None:
        """A desk forgets what it knows all others to have, by the oldest pack that any of them has."""
        others = [each for each in DESKS if each != desk]
        if all((desk, other) in self.told for other in others):
            known = {desk: self.halls[desk].heads, **{other: self.told[desk, other] for other in others}}
            oldest = min(at for at, _ in self.packs.values())
            gone = trimming.trimmable(self.halls[desk], trimming.frontier(known), oldest)
            self.halls[desk].trim(gone)
            self.trimmed += len(gone)

    def asked(self, desk: ids.StationId) -> tuple[ids.StationId, Term | None] | None:
        """Who grants what this desk wants, and under which term; None when there is nobody to ask now."""
        match self.part(desk):
            case "alone":
                return desk, None
            case "hub":
                return desk, self.halls[desk].term
            case "member":
                reached = self.through(desk)
                ready = reached is not None and self.part(reached) == "hub"
                return (reached, self.halls[reached].term) if ready and reached else None
            case _:
                return None

    def check_in(self, desk: ids.StationId, student: ids.StudentId, *, lost: bool, by_hand: bool) -> None:
        if self.asked(desk) is None or student in self.packs[desk][1]:
            return
        self.checkins += 1
        checkin_id = ids.CheckinId(UUID(int=10_000 + self.checkins))
        self.ask(hub.Wish(checkin_id, student, None, f"A-{self.checkins}", self.checkins, desk, by_hand), lost=lost)

    def ask_again(self, desk: ids.StationId, *, lost: bool) -> None:
        """The same check-in once more, of whoever is hub by now; not of what came to its end meanwhile."""
        wish = self.unanswered.pop(desk, None)
        ends = self.ledger.ends.get(wish.checkin_id, {}).values() if wish else ()
        if wish and not any(end.how in ("stored", "told") for end in ends):
            self.ask(wish, lost=lost)

    def ask(self, wish: hub.Wish, *, lost: bool) -> None:
        asked = self.asked(wish.desk)
        if asked is None:
            return
        granting, term = asked
        answer = hub.claim(self.halls[granting], wish, term, self.heard[granting], NOW)
        known = self.halls[granting].claims.get(wish.checkin_id, {}).values()
        if isinstance(answer, Claimed) and answer.checkin_id == wish.checkin_id and answer not in known:
            self.write(granting, answer)
        if lost:
            self.unanswered[wish.desk] = wish
        else:
            self.tell(wish.desk, granting)

    def call(self, desk: ids.StationId, which: int) -> None:
        known, asked = sorted(self.halls[desk].claims), self.asked(desk)
        if not known or asked is None:
            return
        granting, term = asked
        answer = hub.call(self.halls[granting], known[which % len(known)], desk, term, NOW)
        if isinstance(answer, Called) and answer not in self.halls[granting].calls.get(answer.checkin_id, {}).values():
            self.write(granting, answer)
        self.tell(desk, granting)

    def end(self, desk: ids.StationId, which: int, how: str) -> None:
        """A desk photographs whom it called; it releases whom it called, or who is called nowhere. Then the server."""
        hall = self.halls[desk]
        if how in ("stored", "told"):
            self.reach_server(desk, which, how)
            return
        mine = [c for c in sorted(hall.claims) if desk in hall.callers(c) and hall.state(c) == "called"]
        waiting = [c for c in sorted(hall.claims) if hall.state(c) == "waiting"] if how == "released" else []
        if mine + waiting:
            chosen = (mine + waiting)[which % len(mine + waiting)]
            self.write(desk, Ended(chosen, desk, how, NOW))  # type: ignore[arg-type]

    def reach_server(self, desk: ids.StationId, which: int, how: str) -> None:
        """What was photographed, or released, at this desk is with the server."""
        hall, before = self.halls[desk], {"stored": "photographed", "told": "released"}[how]
        mine = {c: {end.how for end in ends.values() if end.desk == desk} for c, ends in hall.ends.items()}
        ready = sorted(c for c, hows in mine.items() if before in hows and how not in hows)
        if ready:
            self.write(desk, Ended(ready[which % len(ready)], desk, how, self.now))  # type: ignore[arg-type]

    def reunite(self) -> Hall:
        """All cables back: everybody knows everything, and that is the same everywhere."""
        self.group, self.severed = dict.fromkeys(DESKS, 0), set()
        for one in DESKS * 2:
            for other in DESKS:
                self.exchange(one, other)
        return self.halls[DESKS[0]]


def photographed(hall: Hall) -> dict[ids.StudentId, list[tuple[ids.CheckinId, ids.StationId]]]:
    """Each student's photos, as check-in and desk."""
    found: dict[ids.StudentId, list[tuple[ids.CheckinId, ids.StationId]]] = {}
    for checkin_id, ends in hall.ends.items():
        claim = hall.claim_of(checkin_id)
        assert claim
        for desk in sorted({end.desk for end in ends.values() if end.how == "photographed"}):
            found.setdefault(claim.student_id, []).append((checkin_id, desk))
    return found


def unflagged(hall: Hall) -> dict[ids.StudentId, list[tuple[ids.CheckinId, ids.StationId]]]:
    """Those of them that the hall stands for."""
    return {
        student: [(c, d) for c, d in photos if not hall.claimed_apart(c) and not hall.called_apart(c, d)]
        for student, photos in photographed(hall).items()
    }


def play(acts: Acts, kind: type[Hall] = Hall) -> Side:
    side = Side(kind)
    for act in acts:
        side.act(*act)
    return side


def demand_no_silent_double(acts: Acts, kind: type[Hall]) -> Side:
    """What the property says, of one history."""
    side = play(acts, kind)
    demand_the_same(side.reunite(), side.ledger)
    hall = side.ledger
    doubles = {double.student_id for double in hall.doubles()}
    for student, photos in photographed(hall).items():
        assert len(photos) < 2 or student in doubles
    for student, photos in unflagged(hall).items():
        assert len(photos) <= 1, student
    return side


def demand_the_same(hall: Hall, ledger: Hall) -> None:
    """What is left of the logs says of everybody whom it still knows what the whole logs say."""
    assert hall.heads == ledger.heads
    assert hall.term == ledger.term
    for student in hall.of_student:
        assert hall.live(student) == ledger.live(student)
        assert hall.double_of(student) == ledger.double_of(student)
    for checkin_id in hall.claims:
        assert hall.state(checkin_id) == ledger.state(checkin_id)
        assert hall.claimed_apart(checkin_id) == ledger.claimed_apart(checkin_id)


NAMES = [
    *("cut", "exchange", "exchange", "exchange", "look", "look", "look", "check in", "check in", "check in"),
    *("call", "call", "photograph", "photograph", "release", "sever", "store", "told", "pack", "trim"),
    "ask again",
]
ACTS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 3), st.integers(0, 15), st.integers(0, 2)), max_size=60
)
EASY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(EASY, max_examples=60)
@given(ACTS)
def test_no_student_has_two_photos_that_the_hall_stands_for(acts: Acts) -> None:
    """Cuts, lost answers, takeovers, stale beliefs: of a student's photos at most one is unflagged; two are seen."""
    demand_no_silent_double(acts, Hall)


def random_day(seed: int) -> Acts:
    """A longer day of accidents than Hypothesis likes to draw."""
    dice = random.Random(seed)
    return [(dice.choice(NAMES), dice.randrange(4), dice.randrange(16), dice.randrange(3)) for _ in range(240)]


def test_long_days_of_accidents_and_the_control_without_fencing() -> None:
    """100 long days have no silent double; without fencing by term some of the very same days have."""
    silent = doubled = trimmed = 0
    for seed in range(100):
        played = demand_no_silent_double(random_day(seed), Hall)
        doubled += any(len(photos) > 1 for photos in photographed(played.ledger).values())
        trimmed += played.trimmed
        try:
            demand_no_silent_double(random_day(seed), Unfenced)
        except AssertionError:
            silent += 1
    assert doubled > 10
    assert silent > 2
    assert trimmed > 10


@settings(EASY, max_examples=60)
@given(ACTS, st.randoms(use_true_random=False))
def test_any_order_of_delivery_makes_the_same_hall(acts: Acts, dice: random.Random) -> None:
    """Entries taken in twice and shuffled make the hall that they make in order."""
    whole = play(acts).reunite()
    entries = whole.beyond({}, 10_000) * 2
    dice.shuffle(entries)
    mixed = Hall()
    for entry in entries:
        mixed.take_in(entry)
    assert known(mixed) == known(whole)


@settings(EASY, max_examples=60)
@given(ACTS)
def test_desks_that_meet_know_the_same(acts: Acts) -> None:
    """After a split everybody has the same logs, terms, states and doubles."""
    side = play(acts)
    side.reunite()
    assert len({repr(known(hall)) for hall in side.halls.values()}) == 1


def known(hall: Hall) -> tuple[object, ...]:
    """All that can be asked of a hall."""
    claims = [(c, hall.claim_of(c), hall.state(c), hall.claimed_apart(c)) for c in sorted(hall.claims)]
    calls = [(c, sorted(hall.callers(c))) for c in sorted(hall.calls)]
    return sorted(hall.heads.items()), hall.term, claims, calls, list(hall.doubles())


@pytest.fixture
def hall_of_four() -> Side:
    """The first desk is hub, and all know it."""
    side = Side()
    side.act("look", 0, 0, 0)
    side.reunite()
    return side


def test_the_first_desk_begins_and_the_others_follow(hall_of_four: Side) -> None:
    """One hub, three members, the same term everywhere."""
    assert [hall_of_four.part(desk) for desk in DESKS] == ["hub", "member", "member", "member"]
    assert {hall.term for hall in hall_of_four.halls.values()} == {Term(1, DESKS[0])}


def test_two_desks_cannot_take_one_student(hall_of_four: Side) -> None:
    """The second is told who has them; the first, asked again, gives the ticket it gave."""
    hall_of_four.act("check in", 1, 1, 0)  # the answer is lost on the way
    hall_of_four.act("check in", 2, 0, 0)
    hall_of_four.act("check in", 1, 0, 0)
    hub_hall = hall_of_four.halls[DESKS[0]]
    (claim,) = hub_hall.live(STUDENTS[0])
    assert claim.desk == DESKS[1]
    wish = hub.Wish(ids.CheckinId(UUID(int=7)), STUDENTS[0], None, "C-0001", 1, DESKS[2])
    assert hub.claim(hub_hall, wish, hub_hall.term, DESKS, NOW) == hub.Taken("A-1", DESKS[1], "waiting")


def test_a_ticket_is_called_once(hall_of_four: Side) -> None:
    """Who is called at one desk is not called at another; asked again, the same desk may go on."""
    hall_of_four.act("check in", 1, 0, 0)
    hall = hall_of_four.reunite()
    (checkin_id,) = hall.claims
    first = hub.call(hall, checkin_id, DESKS[2], hall.term, NOW)
    assert isinstance(first, Called)
    hall_of_four.write(DESKS[0], first)
    assert hub.call(hall, checkin_id, DESKS[2], hall.term, NOW) == first
    assert isinstance(hub.call(hall, checkin_id, DESKS[3], hall.term, NOW), hub.Taken)
    assert hub.call(hall, ids.CheckinId(UUID(int=9)), DESKS[3], hall.term, NOW) == hub.Unknown()


def test_a_deposed_hub_grants_apart(hall_of_four: Side) -> None:
    """Behind a broken cable the old hub goes on, the others have a new one: both photos are kept, one is flagged."""
    hall_of_four.act("cut", 0, 0b0110, 0)  # the middle two against the others
    for place in (0, 1, 2, 3, 1):
        hall_of_four.act("look", place, 0, 0)
    assert [hall_of_four.part(desk) for desk in DESKS] == ["hub", "hub", "waiting", "member"]
    hall_of_four.act("exchange", 1, 2, 0)
    for place in (3, 2):
        hall_of_four.act("check in", place, 0, 0)
        hall_of_four.act("call", place, 0, 0)
        hall_of_four.act("photograph", place, 0, 0)
    hall = hall_of_four.reunite()
    assert [double.student_id for double in hall.doubles()] == [STUDENTS[0]]
    assert len(photographed(hall)[STUDENTS[0]]) == 2
    ((_, kept),) = unflagged(hall)[STUDENTS[0]]
    assert kept == DESKS[2]
    assert [hub.part(each, desk, DESKS, set(DESKS) - {desk}) for desk, each in hall_of_four.halls.items()] == [
        *("member", "hub", "member", "member")
    ]


def test_a_desk_that_hears_nobody_goes_on_alone(hall_of_four: Side) -> None:
    """Its check-ins are apart from the beginning."""
    hall_of_four.act("cut", 0, 0b1000, 0)
    hall_of_four.act("look", 3, 0, 0)
    assert hall_of_four.part(DESKS[3]) == "alone"
    hall_of_four.act("check in", 3, 0, 1)
    hall = hall_of_four.halls[DESKS[3]]
    assert hall.claimed_apart(*hall.of_student[STUDENTS[1]])


def test_a_student_called_by_a_desk_that_is_gone_is_taken_by_hand(hall_of_four: Side) -> None:
    """The registrar may pass a dead desk, and that is apart; a desk that is heard may not be passed."""
    hall_of_four.act("check in", 3, 0, 0)
    hall_of_four.act("call", 3, 0, 0)
    hall = hall_of_four.reunite()
    wish = hub.Wish(ids.CheckinId(UUID(int=7)), STUDENTS[0], None, "B-0001", 1, DESKS[1], by_hand=True)
    assert isinstance(hub.claim(hall, wish, hall.term, DESKS[1:], NOW), hub.Taken)
    passed = hub.claim(hall, wish, hall.term, DESKS[1:3], NOW)
    assert isinstance(passed, Claimed)
    assert passed.term is None


def test_who_was_refused_by_the_server_comes_again(hall_of_four: Side) -> None:
    """A check-in whose photo came to nothing is replaced, and the student is not taken twice."""
    hall_of_four.act("check in", 3, 0, 0)
    hall_of_four.act("call", 3, 0, 0)
    hall_of_four.act("photograph", 3, 0, 0)
    hall = hall_of_four.reunite()
    (before,) = hall.claims
    again = ids.CheckinId(UUID(int=7))
    first = hub.Wish(again, STUDENTS[0], None, "B-0001", 1, DESKS[1])
    assert isinstance(hub.claim(hall, first, hall.term, DESKS, NOW), hub.Taken)
    second = hub.Wish(again, STUDENTS[0], None, "B-0001", 1, DESKS[1], replaces=(before,))
    granted = hub.claim(hall, second, hall.term, DESKS, NOW)
    assert isinstance(granted, Claimed)
    hall.take_in(hall.following(DESKS[0], granted))
    assert not list(hall.doubles())


def test_a_check_in_that_was_granted_twice_is_forgotten_once() -> None:
    """The hub died before it told, the next one granted again: when the log is trimmed, both grants leave it."""
    checkin_id, hall = ids.CheckinId(UUID(int=7)), Hall()
    for number, desk in enumerate(DESKS[:2]):
        claim = Claimed(checkin_id, STUDENTS[0], None, "C-0001", 1, DESKS[2], NOW, Term(number, desk))
        hall.take_in(hall.following(desk, claim))
    for how in ("released", "told"):
        hall.take_in(hall.following(DESKS[2], Ended(checkin_id, DESKS[2], how, NOW)))
    gone = trimming.trimmable(hall, hall.heads, NOW)
    assert len(gone) == 4
    hall.trim(gone)
    assert (hall.claims, hall.of_student, hall.ends) == ({}, {}, {})


def test_an_entry_waits_for_its_forerunners() -> None:
    """A log has no gaps: what came too early counts when the rest is there, once."""
    ended = [Ended(ids.CheckinId(UUID(int=n)), DESKS[0], "released", NOW) for n in range(3)]
    entries = [Entry(DESKS[0], seq, fact) for seq, fact in enumerate(ended, 1)]
    hall = Hall()
    assert hall.take_in(entries[2]) == []
    assert hall.take_in(entries[1]) == []
    assert hall.take_in(entries[0]) == entries
    assert hall.take_in(entries[2]) == []
    assert hall.heads == {DESKS[0]: 3}
