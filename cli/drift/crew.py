"""A crew at our desk: plays a script through the desk's own rules (`station.domain`), nothing of which is copied here.

The operator asked by the desk looks at the number in the student's hand and at the picture, and answers as it is.
Unasked, the operator looks at nothing.
"""

import functools
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cli.drift.faces import Faces, Signal
from cli.drift.script import Kind, Noise, Script, Sitting
from cli.drift.tally import Day, Wrong
from gradphoto_contracts import ids
from kit.errors import Conflict
from station.domain import facts, resolving, rules, signals
from station.domain.desk import Desk

STRICT = signals.Terms("shown", change_over_s=2.0, lingering_s=180.0)
_AHEAD = 8
_RETAKE_LIMIT = 9
_TRIES = 6
_SERIAL = "cam"


class Crew:
    """One desk with its queue, its camera and its operator."""

    def __init__(self, script: Script, terms: signals.Terms, faces: Faces, *, own_code: bool = False) -> None:
        self.script, self.terms, self.faces = script, terms, faces
        #: The seat's scanner reads the student's own code, not a slip that may have changed hands.
        self.own_code = own_code
        self.day = Day(script)
        self.desk = Desk("A")
        self.now = datetime(2024, 5, 20, 0, 0, tzinfo=UTC)
        self.at = 0
        self._made = 0
        self._fired = 0
        self._checked_in = 0
        self._ticket_of: dict[int, str] = {}
        self._person_of: dict[str, int] = {}
        self._shows: dict[ids.CaptureId, int] = {}
        self._noises: dict[int, list[Noise]] = {}
        for noise in script.noises:
            for person in noise.people:
                self._noises.setdefault(person, []).append(noise)
        #: Who was on the photo that was kept last, and ticket and face of the last frame that was anybody's.
        self._photo_before: int | None = None
        self._frame_before: tuple[str, int] = ("", -1)
        self._record(rules.open_session(self.desk, self._id, self.now, _SERIAL, 0))

    def play(self) -> Day:
        """The whole day."""
        for at, sitting in enumerate(self.script.sittings):
            self.at = at
            self._check_in_up_to(max(sitting.chair, sitting.slip or 0) + _AHEAD)
            self._sit(sitting)
        return self.day

    # -- check-in

    def _check_in_up_to(self, last: int) -> None:
        for person in range(self._checked_in, min(last, self.script.people)):
            self._checked_in = person + 1
            if person not in self.script.unregistered:
                self._issue(person)
            if person in self.script.scanned_twice:
                again = functools.partial(self._issue, person)
                self._refused(again, "desk-already-ticketed", self.script.scanned_twice[person])

    def _issue(self, person: int) -> None:
        student_id = ids.StudentId(UUID(int=person + 1))
        issued = rules.issue_ticket(self.desk, student_id, None, ids.CheckinId(self._id()), self.now)
        self._record([issued])
        self._ticket_of[person], self._person_of[issued.ticket] = issued.ticket, person

    # -- the chair

    def _sit(self, sitting: Sitting) -> None:
        kind = sitting.noise.kind if sitting.noise else None
        self._wait(1.2 if kind is Kind.EARLY_SLIP else sitting.change_s)
        if kind is Kind.TEST_SHOT:
            self._stray(sitting.chair)
        if kind is Kind.MISSED_SCAN and sitting.noise:
            self._call_unseen(sitting, sitting.noise)
        if self.own_code and kind is Kind.SWAPPED_SLIPS:
            sitting.slip = sitting.chair
        if sitting.slip is None:
            self._without_number(sitting)
        elif self._show(sitting.slip, sitting):
            self._photograph(sitting)
            if kind is Kind.SLIP_TWICE and self.at % 2:
                self._show(sitting.slip, sitting)

    def _call_unseen(self, sitting: Sitting, noise: Noise) -> None:
        """The operator calls the next number, forgets the slip, and presses."""
        self._record(rules.seat(self.desk, None, self._id, self.now))
        if self.terms.proof == "shown":
            self._refused(self._press, "desk-ticket-unshown", noise)
        else:
            self._photograph(sitting)
            sitting.slip = None

    def _without_number(self, sitting: Sitting) -> None:
        """Somebody without a slip sits there, and the photographer presses the camera's own button."""
        if self.desk.seated is None and sitting.noise and sitting.noise.kind is Kind.NOT_CHECKED_IN:
            if self.terms.proof == "shown":
                self._stray(sitting.chair)
            elif self.desk.expected:
                self._record(rules.seat(self.desk, None, self._id, self.now))
                self._photograph(sitting)

    def _show(self, slip: int, sitting: Sitting) -> bool:
        """Show a slip at the seat; whether its holder sits there now."""
        number = self._ticket_of[slip]
        self._record(rules.show(self.desk, number, self._id, self.now))
        self._answer(sitting, slip)
        if sitting.noise and sitting.noise.kind is Kind.SLIP_TWICE and self.desk.seated == number:
            self._record(rules.show(self.desk, number, self._id, self.now))
        return self.desk.seated == number

    def _photograph(self, sitting: Sitting) -> None:
        slip, kept = sitting.slip, 0
        kind = sitting.noise.kind if sitting.noise else None
        for attempt in range(_TRIES):
            if self.desk.seated is None and (slip is None or not self._show(slip, sitting)):
                return
            self._wait(0.4 if kind is Kind.EARLY_SLIP and not attempt else sitting.ready_s)
            capture_id = self._shoot(sitting, first=attempt == 0)
            self._answer(sitting, slip)
            slip = self._holder(sitting, slip)
            if capture_id in self.desk.undecided:
                kept += 1
                self._decide(capture_id, "retake" if kept <= sitting.retakes else "keep")
            if kept > sitting.retakes:
                return

    def _holder(self, sitting: Sitting, slip: int | None) -> int | None:
        """Whose slip is shown next: whoever was found to sit there unasked shows the own one, if there is one."""
        found_out = self.desk.seated is None and slip is not None and sitting.chair != slip
        if not found_out:
            return slip
        return sitting.chair if sitting.chair in self._ticket_of else None

    def _shoot(self, sitting: Sitting, *, first: bool) -> ids.CaptureId:
        kind = sitting.noise.kind if sitting.noise and first else None
        self._press()
        shown = sitting.chair
        if kind in (Kind.STALE_FRAME, Kind.EARLY_SLIP) and self._photo_before is not None:
            shown = self._photo_before
        if kind is Kind.LOST_FRAME:
            self._fired += 1
        capture_id = self._frame(self.desk.pressed, shown)
        if kind in (Kind.STALE_FRAME, Kind.DOUBLE_FIRE):
            self._frame(None, sitting.chair)
        return capture_id

    def _press(self) -> None:
        self._record([rules.press(self.desk, self._id, self.now, self.terms)])

    def _stray(self, shown: int) -> None:
        """A frame that nobody asked for."""
        self._frame(None, shown)
        self._answer(None, None)

    def _frame(self, pressed: facts.ShutterPressed | None, shown: int) -> ids.CaptureId:
        self._fired += 1
        capture_id = pressed.capture_id if pressed else ids.CaptureId(self._id())
        self._shows[capture_id] = shown
        frame = facts.FrameJournalled(
            capture_id=capture_id,
            sha256="0" * 64,
            size_bytes=1,
            ticket=pressed.ticket if pressed else None,
            checkin_id=pressed.checkin_id if pressed else None,
            student_id=pressed.student_id if pressed else None,
            camera_serial=_SERIAL,
            frame_counter=self._fired,
            monotonic_ns=round(self.now.timestamp() * 1e9),
            shutter_at=self.now,
        )
        self._record(rules.take_in(self.desk, frame, self._id, terms=self.terms))
        if pressed:
            self._compare(pressed, shown)
        self._record([facts.FrameJudged(capture_id, "accept", (), "p", self.now)])
        return capture_id

    def _compare(self, pressed: facts.ShutterPressed, shown: int) -> None:
        for against, similarity in self._alike(pressed, shown):
            compared = facts.FaceCompared(pressed.capture_id, against, similarity, self.now)
            self._record(rules.compare(self.desk, compared, self._id))
        self._frame_before = (pressed.ticket, shown)
        if signals.wants_a_look(self.desk.frames[pressed.capture_id]):
            self._look(pressed, shown)

    def _alike(self, pressed: facts.ShutterPressed, shown: int) -> Iterable[tuple[facts.Against, float]]:
        if self.faces.signal is Signal.NONE:
            return
        ticket, earlier = self._frame_before
        if ticket == pressed.ticket:
            yield "own", self.faces.of_session(shown, earlier)
        if self._photo_before is not None:
            yield "previous", self.faces.of_session(shown, self._photo_before)
        if self.faces.signal is Signal.REFERENCE:
            yield "reference", self.faces.of_reference(shown, self._person_of[pressed.ticket])

    def _look(self, pressed: facts.ShutterPressed, shown: int) -> None:
        """Neither like nor unlike: the desk asks for a look, and a look tells."""
        self.day.looks += 1
        if shown != self._person_of[pressed.ticket] and not self.desk.drift:
            self._alarm("face_look", [self._person_of[pressed.ticket], shown])
            self._record(rules.decide(self.desk, pressed.capture_id, "unbound", None, _RETAKE_LIMIT, self.now))

    def _decide(self, capture_id: ids.CaptureId, decision: facts.Decision) -> None:
        self._record(rules.decide(self.desk, capture_id, decision, None, _RETAKE_LIMIT, self.now, terms=self.terms))
        ticket = self.desk.frames[capture_id].taken.ticket
        if decision != "keep" or ticket is None:
            return
        shown, owner = self._shows[capture_id], self._person_of[ticket]
        self.day.photos += 1
        self._photo_before = shown
        if shown != owner:
            own = self.script.sittings[self.at].noise
            noise = own or max(self._causes([owner, shown]), key=lambda cause: cause.begun, default=None)
            self.day.wrong.append(Wrong(self.at, noise, len(self.day.alarms)))

    # -- the operator asked

    def _answer(self, sitting: Sitting | None, slip: int | None) -> None:
        while drift := self.desk.drift:
            people = [self._person_of[number] for number in (drift.expected, drift.seen) if number in self._person_of]
            if drift.capture_id:
                people.append(self._shows[drift.capture_id])
            self._alarm(drift.sign, people)
            self._record(resolving.resolve(self.desk, drift.drift_id, self._as_it_is(drift, slip), None, self.now))
            if drift.sign == "frame_unexpected" and sitting:
                self._look_at_the_other(sitting)

    def _as_it_is(self, drift: facts.DriftSuspected, slip: int | None) -> facts.Resolution:
        """What the number in the student's hand and the picture say."""
        match drift.sign:
            case "ticket_skipped":
                return "seen"
            case "ticket_repeated":
                return "dismiss"
            case "ticket_unlike":
                return "seen" if slip is not None and self._ticket_of[slip] == drift.seen else "expected"
            case "face_repeated":
                return "expected" if self._is_who_sits(drift) else "dismiss"
            case _:
                return "seen" if self._is_who_sits(drift) else "dismiss"

    def _is_who_sits(self, drift: facts.DriftSuspected) -> bool:
        if drift.capture_id is None:
            return False
        ticket = self.desk.frames[drift.capture_id].taken.ticket
        return ticket is not None and self._person_of[ticket] == self._shows[drift.capture_id]

    def _look_at_the_other(self, sitting: Sitting) -> None:
        """A frame too many: the operator looks at the one that is bound, too, before it is kept."""
        for capture_id in list(self.desk.undecided):
            if self._shows[capture_id] != sitting.chair and not self.desk.drift:
                self._record(rules.decide(self.desk, capture_id, "unbound", None, _RETAKE_LIMIT, self.now))

    # -- the world

    def _causes(self, people: Iterable[int]) -> tuple[Noise, ...]:
        """All noise that has begun by now and touches one of them."""
        return tuple(n for person in people for n in self._noises.get(person, ()) if n.begun <= self.at)

    def _alarm(self, sign: str, people: Iterable[int]) -> None:
        self.day.alarms.append((self.at, sign, self._causes(people)))

    def _refused(self, act: Callable[[], None], code: str, noise: Noise) -> None:
        try:
            act()
        except Conflict as problem:
            if problem.code != code:
                raise
            self.day.refused.append(noise)
            return
        raise AssertionError(f"{code}: was let through")

    def _record(self, happened: Iterable[facts.Fact]) -> None:
        for fact in happened:
            self.desk.apply(fact)

    def _id(self) -> UUID:
        self._made += 1
        return UUID(int=self._made)

    def _wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
