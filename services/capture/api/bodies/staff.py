"""What staff see: progress, captures, lineage, who is missing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.capture.api.bodies import shape
from services.capture.domain import photos


class ClassProgress(shape.Body):
    class_id: UUID
    label: str
    college_zh: str
    campus_id: UUID
    eligible: int
    checked_in: int
    photographed: int


class DeskProgress(shape.Body):
    desk_id: UUID
    code: str
    campus_id: UUID
    planned_per_hour: int
    checkins: int
    captures: int
    accepted: int
    rejected: int
    retakes: int
    waiting: int


class Progress(shape.Body):
    by_class: list[ClassProgress]
    by_desk: list[DeskProgress]


class ListedCapture(shape.Body):
    """A capture as staff see it: ids, hashes and verdicts."""

    capture_id: UUID
    campaign_id: UUID
    student_id: UUID | None
    class_id: UUID | None
    desk_id: UUID
    station_id: UUID
    checkin_id: UUID | None
    ticket: str | None
    state: photos.State
    cause: photos.Why | None
    rules: list[str]
    verdict: photos.Verdict | None
    desk_verdict: photos.Verdict | None
    desk_rules: list[str]
    decision: photos.Decision
    overridden: bool
    sha256: str
    size_bytes: int
    shutter_at: datetime
    received_at: datetime
    camera_serial: str
    frame_counter: int
    clock_offset_s: float
    profile: str | None
    photo_key: str | None
    photo_sha256: str | None
    version: int


class AcceptedPhoto(shape.Body):
    capture_id: UUID
    student_id: UUID
    class_id: UUID
    photo_key: str
    photo_sha256: str
    shutter_at: datetime
    overridden: bool
    version: int


class HistoryLine(shape.Body):
    capture_id: UUID
    version: int
    act: str
    author: str
    role: str
    reason: str
    at: datetime
    from_student_id: UUID | None
    to_student_id: UUID | None


class LetInLine(shape.Body):
    """A check-in that was made by hand, or against the plan: by whom, as the desk said, and why."""

    checkin_id: UUID
    desk_id: UUID
    station_id: UUID
    role: photos.Role
    reason: str
    at: datetime


class ConsentLine(shape.Body):
    """What a student said to face comparison. `document` is what the station signed; the words, where we know them."""

    consent_id: UUID
    given: bool
    text: str
    text_sha256: str
    text_zh: str | None
    text_en: str | None
    at: datetime
    desk_id: UUID
    station_id: UUID
    document: dict[str, Any]
    signature: str


class StudentHistory(shape.Body):
    """What was decided about a student at the desks. `consent_in_force`: the saying that holds now, if one does."""

    let_in: list[LetInLine]
    consents: list[ConsentLine]
    consent_in_force: UUID | None


class Derivative(shape.Body):
    """A composed picture's lineage: which original, which profile, which program."""

    capture_id: UUID
    sha256: str
    object_key: str
    original_sha256: str
    profile: str
    maker: str
    made_at: datetime


class CaptureWithHistory(shape.Body):
    capture: ListedCapture
    history: list[HistoryLine]
    derivatives: list[Derivative]


class MissingStudent(shape.Body):
    student_id: UUID
    class_id: UUID
    ordinal: int
    checked_in: bool


class ImageAddress(shape.Body):
    """An address that opens the image for a short time; that it was asked for is on record."""

    url: str
    expires_at: datetime
