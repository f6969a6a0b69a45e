"""What can happen at a desk. The journal keeps these, in order, for ever; everything else is worked out from them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from gradphoto_contracts import ids

#: What the event `capture.drift.suspected` calls a drift.
ToldSign = Literal["ticket_skipped", "ticket_repeated", "frame_missing", "frame_unexpected", "double_checkin"]
#: What drifted. Those beyond `ToldSign` are told by the nearest of its words, with their own as `cue`.
Sign = Literal[
    ToldSign, "ticket_unlike", "seat_stale", "frame_too_soon", "face_repeated", "face_changed", "face_unlike"
]
#: Signs that may come when the photo was kept already.
LATE_SIGNS: frozenset[Sign] = frozenset({"face_repeated", "face_changed", "face_unlike"})
#: How the desk knows who sits: the number was shown (slip or code scanned, or read out), or the next one was called.
Proof = Literal["shown", "called"]
#: With what a frame's face was compared: the last photo of another ticket, an earlier frame of its own, a reference.
Against = Literal["previous", "own", "reference"]
#: What became of a frame.
Decision = Literal["keep", "retake", "override", "unbound"]
#: Who may keep a photo that the standard refuses.
Role = Literal["crew_lead", "registrar", "college_teacher"]
#: How the operator ends a suspected drift: what was seen is right, what was expected is right, or neither.
Resolution = Literal["seen", "expected", "dismiss"]
#: What the photo standard says of a frame at the desk; the server's inspection is the authority.
Verdict = Literal["accept", "review", "reject"]


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """The desk begins to work; `camera_frames` is what the camera had counted by then."""

    session_id: ids.SessionId
    at: datetime
    camera_serial: str
    camera_frames: int
    kind: Literal["session_opened"] = "session_opened"


@dataclass(frozen=True, slots=True)
class Grant:
    """How the desks of the hall agreed to a check-in: under which hub's term, or `apart`, where not all could know."""

    term: int | None
    apart: bool


@dataclass(frozen=True, slots=True)
class TicketIssued:
    """A student was checked in and holds a 拍摄号. `hall` is None where the desk stands by itself."""

    ticket: str
    ordinal: int
    checkin_id: ids.CheckinId
    student_id: ids.StudentId
    class_id: ids.ClassId | None
    at: datetime
    #: Why it was made by hand, or against the plan, and on whose word.
    manual_reason: str | None = None
    hall: Grant | None = None
    manual_role: Role | None = None
    kind: Literal["ticket_issued"] = "ticket_issued"


@dataclass(frozen=True, slots=True)
class CheckInAsked:
    """The hall is asked for a check-in by hand. Written before, since the hall's log knows neither reason nor role.

    Whichever way the grant then comes to this desk, they go with it; the hall may also refuse.
    """

    checkin_id: ids.CheckinId
    reason: str
    role: Role | None
    kind: Literal["checkin_asked"] = "checkin_asked"


@dataclass(frozen=True, slots=True)
class TicketAdopted:
    """A ticket of the desk `home` waits in the queue that the hall shares; here, too, it can be called."""

    ticket: str
    ordinal: int
    checkin_id: ids.CheckinId
    student_id: ids.StudentId
    class_id: ids.ClassId | None
    at: datetime
    home: str
    hall: Grant
    kind: Literal["ticket_adopted"] = "ticket_adopted"


@dataclass(frozen=True, slots=True)
class TicketLeft:
    """The holder of a ticket was called, photographed or let go at another desk: `to`."""

    ticket: str
    to: str
    how: Literal["called", "released", "photographed"]
    at: datetime
    kind: Literal["ticket_left"] = "ticket_left"


@dataclass(frozen=True, slots=True)
class TicketReleased:
    """The holder of a ticket walked off; the ticket is never used again."""

    ticket: str
    reason: str
    at: datetime
    kind: Literal["ticket_released"] = "ticket_released"


@dataclass(frozen=True, slots=True)
class Seated:
    """The holder of a ticket sits before the camera."""

    ticket: str
    at: datetime
    proof: Proof = "called"
    kind: Literal["seated"] = "seated"


@dataclass(frozen=True, slots=True)
class TicketShown:
    """Who had been called to the seat has shown this number: now it is known who sits."""

    ticket: str
    at: datetime
    kind: Literal["ticket_shown"] = "ticket_shown"


@dataclass(frozen=True, slots=True)
class TicketReturned:
    """Somebody else sat than its holder: the ticket goes back to its place in the queue."""

    ticket: str
    at: datetime
    kind: Literal["ticket_returned"] = "ticket_returned"


@dataclass(frozen=True, slots=True)
class ShutterPressed:
    """The operator asked for a picture of this ticket's holder. Written before the camera is told.

    Should we die before the frame is safe, the camera's count says at the next start whether it was taken.
    """

    capture_id: ids.CaptureId
    ticket: str
    checkin_id: ids.CheckinId
    student_id: ids.StudentId
    at: datetime
    kind: Literal["shutter_pressed"] = "shutter_pressed"


@dataclass(frozen=True, slots=True)
class PressFailed:
    """The camera said that no picture comes of this press. It stands, to be taken up again.

    Should the agent end before that, what the camera has counted by the next start was fired by somebody else.
    """

    capture_id: ids.CaptureId
    at: datetime
    kind: Literal["press_failed"] = "press_failed"


@dataclass(frozen=True, slots=True)
class FrameJournalled:
    """A frame lies fsynced in the spool. From here on it may not be lost. Without a ticket it belongs to nobody yet."""

    capture_id: ids.CaptureId
    sha256: str
    size_bytes: int
    ticket: str | None
    checkin_id: ids.CheckinId | None
    student_id: ids.StudentId | None
    camera_serial: str
    frame_counter: int
    monotonic_ns: int
    #: By the server's time: this machine's clock less `clock_offset_s`, which was measured.
    shutter_at: datetime
    clock_offset_s: float = 0.0
    #: Whether a RAW file lay beside it, on the card or in the folder, when it was fetched. It is not taken in. One that
    #: came later is a `RawFound`.
    raw: bool = False
    kind: Literal["frame_journalled"] = "frame_journalled"


@dataclass(frozen=True, slots=True)
class RawFound:
    """A RAW file came beside a frame that was journalled already."""

    capture_id: ids.CaptureId
    at: datetime
    kind: Literal["raw_found"] = "raw_found"


@dataclass(frozen=True, slots=True)
class FrameJudged:
    """The photo standard was held against a frame at the desk."""

    capture_id: ids.CaptureId
    verdict: Verdict
    rules: tuple[str, ...]
    profile: str
    at: datetime
    kind: Literal["frame_judged"] = "frame_judged"


@dataclass(frozen=True, slots=True)
class FaceCompared:
    """How alike two faces are (cosine, -1 to 1). The number is kept, no template; it refuses nobody."""

    capture_id: ids.CaptureId
    against: Against
    similarity: float
    at: datetime
    kind: Literal["face_compared"] = "face_compared"


@dataclass(frozen=True, slots=True)
class FaceConsent:
    """A student said that faces may be compared, or took that back. `text` and its digest say what was agreed to.

    `signature` is the station's over all of it, so that the server can show it to whoever asks.
    """

    student_id: ids.StudentId
    given: bool
    text: str
    text_sha256: str
    at: datetime
    consent_id: UUID | None = None
    signature: str = ""
    kind: Literal["face_consent"] = "face_consent"


@dataclass(frozen=True, slots=True)
class FrameDecided:
    """The operator said what becomes of a frame."""

    capture_id: ids.CaptureId
    decision: Decision
    reason: str | None
    at: datetime
    role: Role | None = None
    #: A frame of the sitter's that is left to nobody.
    given_up: bool = False
    kind: Literal["frame_decided"] = "frame_decided"

    @property
    def uses_up(self) -> bool:
        """Whether the sitter has one retake less for it."""
        return self.decision == "retake" or self.given_up


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """The server has the frame and said so; the spool may let it go."""

    capture_id: ids.CaptureId
    at: datetime
    kind: Literal["frame_received"] = "frame_received"


@dataclass(frozen=True, slots=True)
class DriftSuspected:
    """Something shifts photos against students; the desk stands still until its operator resolves it."""

    drift_id: ids.DriftId
    sign: Sign
    expected: str
    seen: str
    at: datetime
    capture_id: ids.CaptureId | None = None
    kind: Literal["drift_suspected"] = "drift_suspected"


@dataclass(frozen=True, slots=True)
class DriftResolved:
    """The operator resolved a suspected drift."""

    drift_id: ids.DriftId
    resolution: Resolution
    note: str | None
    at: datetime
    kind: Literal["drift_resolved"] = "drift_resolved"


@dataclass(frozen=True, slots=True)
class CameraCount:
    """What a camera itself counted: its frames `before`+1 to `after` belong to a session."""

    serial: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class SessionSealed:
    """The desk's session is closed; from here the counts of camera, journal and server are compared.

    `journal_head` is the head of the journal's hash chain over `journal_facts` facts; `signature` is the station's,
    over all that it says of the session. A session that the server refused is sealed anew by another one of these.
    """

    session_id: ids.SessionId
    camera_frames: int
    at: datetime
    cameras: tuple[CameraCount, ...] = ()
    journal_facts: int = 0
    journal_head: str = ""
    journal_intact: bool = True
    signature: str = ""
    kind: Literal["session_sealed"] = "session_sealed"


Fact = (
    SessionOpened
    | TicketIssued
    | CheckInAsked
    | TicketAdopted
    | TicketLeft
    | TicketReleased
    | Seated
    | TicketShown
    | TicketReturned
    | ShutterPressed
    | PressFailed
    | FrameJournalled
    | RawFound
    | FrameJudged
    | FaceCompared
    | FaceConsent
    | FrameDecided
    | FrameReceived
    | DriftSuspected
    | DriftResolved
    | SessionSealed
)
