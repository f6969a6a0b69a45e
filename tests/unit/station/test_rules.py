"""The desk's rules under any order of acts: no frame goes astray, and the journal alone rebuilds the desk."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gradphoto_contracts import ids
from kit import ids as new_ids
from kit.errors import Problem
from station.domain import facts, outgoing, resolving, rules
from station.domain.desk import Desk
from tests.unit.station.fakes import START, shown

SERIAL = "cam-1"
RETAKE_LIMIT = 2
DECISIONS: list[facts.Decision] = ["keep", "keep", "keep", "retake", "override", "unbound"]
VERDICTS: list[facts.Verdict] = ["accept", "accept", "accept", "reject"]
RESOLUTIONS: list[facts.Resolution] = ["seen", "expected", "dismiss"]


class DeskMachine(RuleBasedStateMachine):
    """An operator, students and a camera that do as they please."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk("A")
        self.history: list[facts.Fact] = []
        self.now = START
        self.camera = 0
        self.students = [ids.StudentId(new_ids.new()) for _ in range(12)]
        self.seat_order: list[str] = []
        self.record(rules.open_session(self.desk, new_ids.new, self.now, SERIAL, 0))

    def record(self, happened: list[facts.Fact]) -> None:
        outgoing.messages(self.desk, happened)
        for fact in happened:
            self.desk.apply(fact)
            self.history.append(fact)
        self.now += timedelta(seconds=1)

    # -- a day as it should go, with enough of what should not happen

    @rule(place=st.integers(0, 11))
    def check_in(self, place: int) -> None:
        student = self.students[place]
        if self.desk.open_ticket(student) or student in self.desk.kept:
            return
        checkin_id = ids.CheckinId(new_ids.new())
        self.record([rules.issue_ticket(self.desk, student, None, checkin_id, self.now)])

    @precondition(lambda self: self.desk.waiting and not self.desk.seated and not self.desk.drift)
    @rule(place=st.sampled_from([None, None, 0, 1, 2, 5]))
    def seat(self, place: int | None) -> None:
        tickets = list(self.desk.tickets)
        self._seat(None if place is None else tickets[-1 - place % len(tickets)])

    @precondition(lambda self: self.desk.seated and not self.desk.undecided and not self.desk.drift)
    @rule(skipped=st.sampled_from([0, 0, 0, 0, 0, 0, 1]))
    def shoot(self, skipped: int) -> None:
        self._shoot(skipped)

    @precondition(lambda self: not self.desk.drift)
    @rule(dice=st.integers(0, 5))
    def fire_unasked(self, dice: int) -> None:
        if dice == 5:
            self.camera += 1
            self.take_in(None)

    @precondition(lambda self: self.desk.undecided and not self.desk.drift)
    @rule(decision=st.sampled_from(DECISIONS), verdict=st.sampled_from(VERDICTS), place=st.integers(0, 3))
    def decide(self, decision: facts.Decision, verdict: facts.Verdict, place: int) -> None:
        undecided = list(self.desk.undecided)
        self._decide(undecided[place % len(undecided)], decision, verdict)

    @precondition(lambda self: self.desk.drift)
    @rule(resolution=st.sampled_from(RESOLUTIONS))
    def resolve(self, resolution: facts.Resolution) -> None:
        self.attempt(lambda: resolving.resolve(self.desk, shown(self.desk), resolution, None, self.now))

    @precondition(lambda self: self.desk.tickets)
    @rule(place=st.integers(0, 20))
    def release(self, place: int) -> None:
        if place < 3:
            number = list(self.desk.tickets)[-1 - place % len(self.desk.tickets)]
            self.attempt(lambda: rules.release(self.desk, number, "walked off", self.now))

    @precondition(lambda self: self.desk.kept)
    @rule()
    def seal(self) -> None:
        if self.attempt(lambda: rules.seal(self.desk, self.camera, self.now)):
            self.record(rules.open_session(self.desk, new_ids.new, self.now, SERIAL, self.camera))

    # -- and what nobody in their senses would do

    @rule(number=st.integers(1, 8), decision=st.sampled_from(DECISIONS), resolution=st.sampled_from(RESOLUTIONS))
    def out_of_turn(self, number: int, decision: facts.Decision, resolution: facts.Resolution) -> None:
        act = number % 4
        if act == 0:
            self._seat(f"A-{number:04d}")
        elif act == 1:
            self._shoot(0)
        elif act == 2 and self.desk.undecided:
            self._decide(next(iter(self.desk.undecided)), decision, "accept")
        elif act == 3:
            self.attempt(lambda: resolving.resolve(self.desk, shown(self.desk), resolution, None, self.now))

    def attempt(self, act: Callable[[], list[facts.Fact]]) -> bool:
        """Do it if the rules let us; whether they did."""
        try:
            happened = act()
        except Problem:
            return False
        self.record(happened)
        return True

    def _seat(self, ticket: str | None) -> None:
        in_turn = {self.desk.due, self.desk.seated, *self.desk.passed}
        drift = self.desk.drift
        allowed = self.attempt(lambda: rules.seat(self.desk, ticket, new_ids.new, self.now))
        if allowed and ticket is not None and ticket not in in_turn and drift is None:
            assert self.desk.drift is not None
            assert self.desk.seated is None

    def _shoot(self, skipped: int) -> None:
        try:
            pressed = rules.press(self.desk, new_ids.new, self.now)
        except Problem:
            return
        if pressed != self.desk.pressed:
            self.record([pressed])
        self.camera += 1 + skipped
        self.take_in(pressed)
        assert (self.desk.drift is not None) == bool(skipped)

    def _decide(self, capture_id: ids.CaptureId, decision: facts.Decision, verdict: facts.Verdict) -> None:
        self.record([facts.FrameJudged(capture_id, verdict, (), "p", self.now)])
        who: facts.Role = "crew_lead"
        allowed = self.attempt(
            lambda: rules.decide(self.desk, capture_id, decision, "scar", RETAKE_LIMIT, self.now, who)
        )
        assert not (allowed and decision == "keep" and verdict == "reject")

    def take_in(self, pressed: facts.ShutterPressed | None) -> None:
        frame = facts.FrameJournalled(
            capture_id=pressed.capture_id if pressed else ids.CaptureId(new_ids.new()),
            sha256="0" * 64,
            size_bytes=1,
            ticket=pressed.ticket if pressed else None,
            checkin_id=pressed.checkin_id if pressed else None,
            student_id=pressed.student_id if pressed else None,
            camera_serial=SERIAL,
            frame_counter=self.camera,
            monotonic_ns=self.camera,
            shutter_at=self.now,
        )
        self.record(rules.take_in(self.desk, frame, new_ids.new))

    @invariant()
    def no_ticket_and_no_student_is_kept_twice(self) -> None:
        kept = [f.taken for f in self.desk.frames.values() if f.decided and f.decided.decision in ("keep", "override")]
        assert len({frame.ticket for frame in kept}) == len(kept)
        assert len({frame.student_id for frame in kept}) == len(kept)

    @invariant()
    def a_frame_belongs_to_who_sat_when_it_was_pressed(self) -> None:
        seated: str | None = None
        for fact in self.history:
            match fact:
                case facts.Seated():
                    seated = fact.ticket
                case facts.FrameJournalled() if fact.ticket is not None:
                    assert fact.ticket == seated
                    assert fact.student_id == self.desk.tickets[fact.ticket].student_id

    @invariant()
    def without_a_ticket_a_frame_is_never_anybody_s(self) -> None:
        for frame in self.desk.frames.values():
            if frame.taken.ticket is None and frame.decided:
                assert frame.decided.decision == "unbound"

    @invariant()
    def who_is_seated_out_of_turn_was_confirmed(self) -> None:
        waiting: list[str] = []
        passed: set[str] = set()
        confirmed = False
        for fact in self.history:
            match fact:
                case facts.TicketIssued():
                    waiting.append(fact.ticket)
                case facts.TicketReleased() if fact.ticket in waiting:
                    waiting.remove(fact.ticket)
                case facts.TicketReturned():
                    waiting = sorted([*waiting, fact.ticket])
                case facts.DriftResolved():
                    confirmed = True
                case facts.Seated():
                    due = next((number for number in waiting if number not in passed), None)
                    called = fact.proof == "called" and fact.ticket == waiting[0]
                    assert called or fact.ticket == due or fact.ticket in passed or confirmed
                    if fact.ticket != due and fact.ticket not in passed and due:
                        passed.add(due)
                    waiting.remove(fact.ticket)
                    confirmed = False

    @invariant()
    def the_journal_alone_rebuilds_the_desk(self) -> None:
        rebuilt = Desk("A", self.history)
        assert vars(rebuilt) == vars(self.desk)


DeskMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


TestDesk = DeskMachine.TestCase
TestDesk.__doc__ = "Any order of acts leaves every invariant standing."
