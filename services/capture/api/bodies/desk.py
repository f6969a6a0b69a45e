"""What a desk tells: check-ins, uploads, frames, drifts."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from gradphoto_contracts.capture import Sha256
from services.capture.api.bodies import halls, shape
from services.capture.domain import photos, sessions


class Override(shape.Body):
    """Who let it pass, by what the operator says, why, and when."""

    role: photos.Role
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
    at: AwareDatetime


class Checkin(shape.Body):
    student_id: UUID
    ticket: Annotated[str, Field(max_length=24)]
    checked_in_at: AwareDatetime
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
    size_bytes: Annotated[int, Field(ge=1, le=200_000_000)]


class Upload(shape.Body):
    """Where to PUT the original. `exists` when it lies there whole already."""

    object_key: str
    url: str
    expires_at: datetime
    exists: bool


class Capture(shape.Body):
    student_id: UUID | None
    checkin_id: UUID | None
    ticket: Annotated[str, Field(max_length=24)] | None
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=1)]
    shutter_at: AwareDatetime
    camera_serial: shape.Mark
    frame_counter: Annotated[int, Field(ge=0)]
    monotonic_ns: Annotated[int, Field(ge=0)]
    decision: photos.Decision
    override: Override | None = None
    desk_verdict: photos.Verdict | None = None
    desk_rules: list[shape.RuleId] = Field(default_factory=list, max_length=60)
    #: Seconds by which the desk's machine was ahead, as measured; `shutter_at` has them taken out already.
    clock_offset_s: Annotated[float, Field(allow_inf_nan=False)] = 0.0


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
    signature: Annotated[str, Field(max_length=400)]


class ConsentNoted(shape.Body):
    state: Literal["noted"] = "noted"


class Drift(shape.Body):
    sign: sessions.Sign
    expected: shape.Mark
    seen: shape.Mark
    suspected_at: AwareDatetime
    resolution: shape.Mark | None = None
    cue: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = None


class DriftNoted(shape.Body):
    state: Literal["suspected", "resolved"]
