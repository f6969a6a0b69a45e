"""What a desk tells: check-ins, uploads, frames, drifts."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from gradphoto_contracts.capture import Sha256
from services.capture.api.bodies import halls, shape
from services.capture.domain import checkins, photos, sessions


class Override(shape.Body):
    """Who let it pass, by what the operator says, why, and when."""

    role: photos.Role
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
    at: shape.When


class Checkin(shape.Body):
    student_id: UUID
    ticket: shape.Ticket
    checked_in_at: shape.When
    hall: halls.HallGrant = halls.HallGrant()
    #: By hand, or against the plan; told by the desk that let them in.
    let_in: Override | None = None


class CheckinRecorded(shape.Body):
    state: Literal["recorded"] = "recorded"
    checkin_id: UUID
    ticket: str


class UploadAsked(shape.Body):
    capture_id: UUID
    sha256: Sha256
    size_bytes: shape.Bytes


class Upload(shape.Body):
    """Where to PUT the original. `exists` when it lies there whole already."""

    object_key: str
    url: str
    expires_at: datetime
    exists: bool


class Capture(shape.Body):
    student_id: UUID | None
    checkin_id: UUID | None
    ticket: shape.Ticket | None
    sha256: Sha256
    size_bytes: shape.Bytes
    shutter_at: shape.When
    camera_serial: shape.Mark
    frame_counter: shape.Whole
    monotonic_ns: shape.Whole
    decision: photos.Decision
    override: Override | None = None
    desk_verdict: photos.Verdict | None = None
    desk_rules: list[shape.RuleId] = Field(default_factory=list, max_length=60)
    #: Seconds by which the desk's machine was ahead, as measured; `shutter_at` has them taken out already.
    clock_offset_s: shape.Seconds = 0.0


class CaptureReceived(shape.Body):
    """The receipt. `signature`: by the key of the desk packs, over station, frame and hash (`documents.receipt`)."""

    state: Literal["received"] = "received"
    capture_id: UUID
    sha256: Sha256
    signature: str


class Consent(shape.Body):
    """A student's word on face comparison. `signature`: the station's, over all the rest with consent and station."""

    student_id: UUID
    given: bool
    text: Annotated[str, Field(pattern=r"^[0-9a-z.]{1,12}$")]
    text_sha256: Sha256
    #: A text, not a time: what was signed must come back to the letter.
    at: shape.Mark
    signature: shape.Signature


class ConsentNoted(shape.Body):
    state: Literal["noted"] = "noted"


#: A 拍摄号, with the desk that called it too; a camera's count, seconds, how alike two faces are.
_CALLED = rf"{checkins.TICKET.pattern}(@([0-9A-Za-z-]{{1,16}}|[?]))?"
_MEASURED = r"[0-9]{1,10}|[0-9]{1,9}([.][0-9])? s|-?[0-9][.][0-9]{2}"
#: What a desk expected, or saw. It goes into an event: a name in letters, an ID number or a phone does not fit in.
Observed = Annotated[str, Field(max_length=41, pattern=rf"^({_CALLED}|{_MEASURED}|-)$")]


class Drift(shape.Body):
    sign: sessions.Sign
    expected: Observed
    seen: Observed
    suspected_at: shape.When
    resolution: sessions.Resolution | None = None
    cue: sessions.DeskCue | None = None


class DriftNoted(shape.Body):
    state: Literal["suspected", "resolved"]
