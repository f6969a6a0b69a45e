"""The desk as its facts have left it: the queue of tickets, the seat, the frames, the suspected drift, the session."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import singledispatchmethod
from typing import Literal

from gradphoto_contracts import ids
from station.domain import facts

#: `elsewhere`: at another desk of the hall.
TicketState = Literal["waiting", "seated", "photographed", "released", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A 拍摄号 and the student who holds it."""

    number: str
    ordinal: int
    checkin_id: ids.CheckinId
    student_id: ids.StudentId
    class_id: ids.ClassId | None
    issued_at: datetime
    state: TicketState = "waiting"
    retakes: int = 0
    #: The desk that issued it; None: this one.
    home: str | None = None
    hall: facts.Grant | None = None
    #: When its holder walked off.
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture that the camera took, and what is known of it."""

    taken: facts.FrameJournalled
    judged: facts.FrameJudged | None = None
    decided: facts.FrameDecided | None = None
    received: facts.FrameReceived | None = None
    faces: tuple[facts.FaceCompared, ...] = ()
    raw_found: facts.RawFound | None = None

    @property
    def raw(self) -> bool:
        """Whether the sensor's own picture lies beside it, on the card or in the folder."""
        return self.taken.raw or self.raw_found is not None

    @property
    def state(self) -> Literal["journalled", "judged", "decided", "received"]:
        """How far the frame has come."""
        if self.received:
            return "received"
        if self.decided:
            return "decided"
        return "judged" if self.judged else "journalled"


@dataclass(slots=True)
class Session:
    """The work between two seals."""

    session_id: ids.SessionId
    opened_at: datetime
    camera_frames_before: int
    camera_serial: str = ""
    frames: list[ids.CaptureId] = field(default_factory=list)
    checkins: int = 0
    sealed: facts.SessionSealed | None = None

    @property
    def empty(self) -> bool:
        """Nothing has happened since it was opened."""
        return not self.frames and not self.checkins


class Desk:
    """One desk. Facts change it and nothing else does; whoever decides (`station.domain.rules`) only reads it."""

    def __init__(self, code: str, history: Iterable[facts.Fact] = ()) -> None:
        self.code = code
        self.tickets: dict[str, Ticket] = {}
        #: Check-ins by hand that the hall was asked for, and whose ticket is not here yet.
        self.asked: dict[ids.CheckinId, facts.CheckInAsked] = {}
        self.waiting: dict[str, None] = {}
        #: Who waits although another who came later was seated: their turn is whenever they come.
        self.passed: set[str] = set()
        self.seated: str | None = None
        self.seating: facts.Seated | facts.TicketShown | None = None
        #: The last frame that was anybody's, and the ticket that was done last.
        self.last_bound: facts.FrameJournalled | None = None
        self.last_done: str | None = None
        self.frames: dict[ids.CaptureId, Frame] = {}
        self.undecided: dict[ids.CaptureId, None] = {}
        self.pressed: facts.ShutterPressed | None = None
        #: Whether the camera has said since that no picture comes.
        self.press_failed = False
        self.drifts: list[facts.DriftSuspected] = []
        #: How each drift ended.
        self.resolutions: dict[ids.DriftId, facts.Resolution] = {}
        self.sessions: list[Session] = []
        self.last_ordinal = 0
        self.last_frame_counter: dict[str, int] = {}
        #: By the camera's serial number and count.
        self.exposures: dict[tuple[str, int], ids.CaptureId] = {}
        self.tickets_of: dict[ids.StudentId, list[str]] = {}
        self.kept: dict[ids.StudentId, ids.CaptureId] = {}
        #: The version of the text by which a student's face may be compared.
        self.consents: dict[ids.StudentId, str] = {}
        for fact in history:
            self.apply(fact)

    @property
    def session(self) -> Session | None:
        """The session that is open, if one is."""
        last = self.sessions[-1] if self.sessions else None
        return last if last and last.sealed is None else None

    @property
    def expected(self) -> str | None:
        """The ticket to be called next: one over whom another was let pass is called first."""
        return next(iter(self.waiting), None)

    @property
    def due(self) -> str | None:
        """The first in the queue over whom nobody was let pass yet."""
        return next((number for number in self.waiting if number not in self.passed), None)

    @property
    def proven(self) -> bool:
        """Whether who sits has shown the number."""
        shown = isinstance(self.seating, facts.TicketShown)
        return shown or (isinstance(self.seating, facts.Seated) and self.seating.proof == "shown")

    @property
    def drift(self) -> facts.DriftSuspected | None:
        """The suspected drift to be resolved first."""
        return self.drifts[0] if self.drifts else None

    def undecided_of(self, number: str) -> Frame | None:
        """A frame of this ticket that awaits the operator's decision, if any."""
        frames = (self.frames[capture_id] for capture_id in self.undecided)
        return next((frame for frame in frames if frame.taken.ticket == number), None)

    def open_ticket(self, student_id: ids.StudentId) -> Ticket | None:
        """The ticket with which this student waits or sits, if any."""
        held = (self.tickets[number] for number in self.tickets_of.get(student_id, ()))
        return next((ticket for ticket in held if ticket.state in ("waiting", "seated")), None)

    @singledispatchmethod
    def apply(self, fact: facts.Fact) -> None:
        """Take in what happened. The order is the journal's."""
        raise TypeError(f"no rule for {type(fact).__name__}")

    @apply.register
    def _(self, fact: facts.SessionOpened) -> None:
        self.sessions.append(Session(fact.session_id, fact.at, fact.camera_frames, fact.camera_serial))
        self.last_frame_counter.setdefault(fact.camera_serial, fact.camera_frames)

    @apply.register
    def _(self, fact: facts.CheckInAsked) -> None:
        self.asked[fact.checkin_id] = fact

    @apply.register
    def _(self, fact: facts.TicketIssued) -> None:
        self.asked.pop(fact.checkin_id, None)
        self.tickets[fact.ticket] = Ticket(
            fact.ticket, fact.ordinal, fact.checkin_id, fact.student_id, fact.class_id, fact.at, hall=fact.hall
        )
        self.tickets_of.setdefault(fact.student_id, []).append(fact.ticket)
        self._queue(fact.ticket)
        self.last_ordinal = max(self.last_ordinal, fact.ordinal)
        if self.session:
            self.session.checkins += 1

    @apply.register
    def _(self, fact: facts.TicketAdopted) -> None:
        of = (fact.ticket, fact.ordinal, fact.checkin_id, fact.student_id, fact.class_id, fact.at)
        self.tickets[fact.ticket] = Ticket(*of, home=fact.home, hall=fact.hall)
        self.tickets_of.setdefault(fact.student_id, []).append(fact.ticket)
        self._queue(fact.ticket)

    @apply.register
    def _(self, fact: facts.TicketLeft) -> None:
        self._move(fact.ticket, "elsewhere")

    @apply.register
    def _(self, fact: facts.TicketReleased) -> None:
        self._move(fact.ticket, "released")
        self.tickets[fact.ticket] = replace(self.tickets[fact.ticket], ended_at=fact.at)

    @apply.register
    def _(self, fact: facts.Seated) -> None:
        if self.due and fact.ticket != self.due and fact.ticket not in self.passed:
            self.passed.add(self.due)
        self._move(fact.ticket, "seated")
        self.seated = fact.ticket
        self.seating = fact

    @apply.register
    def _(self, fact: facts.TicketShown) -> None:
        self.seating = fact

    @apply.register
    def _(self, fact: facts.TicketReturned) -> None:
        self._move(fact.ticket, "waiting")
        self._queue(fact.ticket)
        if not self.tickets[fact.ticket].hall:
            self.waiting = dict(sorted(self.waiting.items(), key=lambda held: self.tickets[held[0]].ordinal))

    @apply.register
    def _(self, fact: facts.ShutterPressed) -> None:
        self.pressed, self.press_failed = fact, False

    @apply.register
    def _(self, fact: facts.PressFailed) -> None:
        self.press_failed = self.pressed is not None and self.pressed.capture_id == fact.capture_id

    @apply.register
    def _(self, fact: facts.FrameJournalled) -> None:
        if self.pressed and self.pressed.capture_id == fact.capture_id:
            self.pressed = None
        self.frames[fact.capture_id] = Frame(fact)
        self.undecided[fact.capture_id] = None
        if fact.ticket:
            self.last_bound = fact
        self.exposures[fact.camera_serial, fact.frame_counter] = fact.capture_id
        self._count(fact)
        if self.session:
            self.session.frames.append(fact.capture_id)

    @apply.register
    def _(self, fact: facts.RawFound) -> None:
        self.frames[fact.capture_id] = replace(self.frames[fact.capture_id], raw_found=fact)

    @apply.register
    def _(self, fact: facts.FrameJudged) -> None:
        self.frames[fact.capture_id] = replace(self.frames[fact.capture_id], judged=fact)

    @apply.register
    def _(self, fact: facts.FaceCompared) -> None:
        frame = self.frames[fact.capture_id]
        self.frames[fact.capture_id] = replace(frame, faces=(*frame.faces, fact))

    @apply.register
    def _(self, fact: facts.FaceConsent) -> None:
        self.consents.pop(fact.student_id, None)
        if fact.given:
            self.consents[fact.student_id] = fact.text

    @apply.register
    def _(self, fact: facts.FrameDecided) -> None:
        frame = replace(self.frames[fact.capture_id], decided=fact)
        self.frames[fact.capture_id] = frame
        self.undecided.pop(fact.capture_id, None)
        number = frame.taken.ticket
        if number and fact.uses_up:
            self.tickets[number] = replace(self.tickets[number], retakes=self.tickets[number].retakes + 1)
        if number and fact.decision in ("keep", "override"):
            self.last_done = number
            self._move(number, "photographed")
            self.kept[self.tickets[number].student_id] = fact.capture_id

    @apply.register
    def _(self, fact: facts.FrameReceived) -> None:
        self.frames[fact.capture_id] = replace(self.frames[fact.capture_id], received=fact)

    @apply.register
    def _(self, fact: facts.DriftSuspected) -> None:
        self.drifts.append(fact)

    @apply.register
    def _(self, fact: facts.DriftResolved) -> None:
        self.resolutions[fact.drift_id] = fact.resolution
        self.drifts = [drift for drift in self.drifts if drift.drift_id != fact.drift_id]

    @apply.register
    def _(self, fact: facts.SessionSealed) -> None:
        # Not always the last one: a session that the server refused is sealed anew while the next is open.
        next(one for one in reversed(self.sessions) if one.session_id == fact.session_id).sealed = fact

    def _count(self, frame: facts.FrameJournalled) -> None:
        """A frame of nobody's that comes late, under a count that was left out, sets no camera back."""
        last = self.last_frame_counter.get(frame.camera_serial, 0)
        if frame.ticket or frame.frame_counter > last:
            self.last_frame_counter[frame.camera_serial] = frame.frame_counter

    def _queue(self, number: str) -> None:
        """The last of the queue; where that is the hall's, in the order in which hubs granted, as at every desk."""
        self.waiting[number] = None
        if self.tickets[number].hall:
            self.waiting = dict.fromkeys(sorted(self.waiting, key=self._turn))

    def _turn(self, number: str) -> tuple[datetime, str]:
        return self.tickets[number].issued_at, number

    def _move(self, number: str, state: TicketState) -> None:
        self.tickets[number] = replace(self.tickets[number], state=state)
        self.waiting.pop(number, None)
        self.passed.discard(number)
        if self.seated == number:
            self.seated = self.seating = None
            self.pressed = None
