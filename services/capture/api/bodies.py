"""What goes in and out of the doors. Field names here are what stations and pages are written against."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from gradphoto_contracts.capture import Sha256
from kit import pages
from services.capture.domain import audits, photos, seals, sessions


class Body(BaseModel):
    """A request or an answer; an undeclared field is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


#: A short code or number from a desk: printable ASCII, so that no person's name fits in.
Mark = Annotated[str, Field(max_length=64, pattern=r"^[ -~]*$")]
RuleId = Annotated[str, Field(pattern=r"^[A-Za-z0-9'_.-]{1,40}$")]
Reason = Annotated[str, Field(min_length=1, max_length=500)]


class NewStation(Body):
    campaign_id: UUID
    desk_id: UUID
    label: Annotated[str, Field(min_length=1, max_length=60)]


class Invitation(Body):
    """The one-time code is in this answer and nowhere else."""

    station_id: UUID
    enrolment_code: str
    expires_at: datetime


class FleetStation(Body):
    station_id: UUID
    campaign_id: UUID
    desk_id: UUID
    desk_code: str | None
    group_code: str | None
    campus_id: UUID | None
    label: str
    state: Literal["invited", "enrolled", "revoked"]
    online: bool
    last_seen_at: datetime | None
    backlog: int | None = None
    disk_free_bytes: int | None = None
    camera: str | None = None
    skew_s: float | None = None
    pack_age_s: float | None = None
    queue: int | None = None
    mode: str | None = None
    #: Where the desk listens for the others of its hall, what it is to them, and how many of them it hears.
    hall_address: str | None = None
    hall_part: str | None = None
    hall_term: int | None = None
    hall_heard: int | None = None


class StationState(Body):
    station_id: UUID
    state: Literal["invited", "enrolled", "revoked"]


class Enrolment(Body):
    code: Annotated[str, Field(min_length=1, max_length=40)]
    public_key_pem: Annotated[str, Field(min_length=1, max_length=400)]


class Enrolled(Body):
    station_id: UUID
    campaign_id: UUID
    desk_id: UUID
    desk_code: str
    group_code: str
    campus_id: UUID
    campus_code: str
    #: The public key (PEM) under whose signature this station takes desk packs, and under no other.
    pack_key: str
    #: For whom the station closes its keys when its work is carried away on a stick (X25519, hex).
    recovery_key: str
    server_time: datetime


class PackPhoto(Body):
    profile: str
    retake_limit: int
    face_consent: str = ""
    seat_proof: Literal["shown", "called"] = "called"
    change_over_s: float | None = None
    lingering_s: float | None = None


class PackDesk(Body):
    """`next_ticket` is the first number that this desk has not told us of: a replaced laptop goes on from it."""

    desk_id: UUID
    code: str
    group_code: str
    campus_code: str
    next_ticket: int


class PackClass(Body):
    class_id: UUID
    label: str
    order_code: str | None
    #: When the class's slots at this desk's group begin; none where any day will do.
    starts_at: list[datetime] = []


class PackEntry(Body):
    student_id: UUID
    class_id: UUID
    digest: str | None
    ordinal: int
    eligible: bool
    photographed: bool


class PackHead(Body):
    """What a whole pack and its changes have in common. `etag` is said again in If-None-Match."""

    etag: str
    version: int
    issued_at: datetime
    expires_at: datetime
    #: Minutes without a word from the server after which the desk says that its pack is old.
    fresh_minutes: int
    #: How fast originals may go up; None: without limit.
    upload_kbit_s: int | None = None
    campaign_id: UUID
    identity_mode: str
    campaign_code_key: str
    photo: PackPhoto
    desk: PackDesk


class DeskPack(PackHead):
    """All that a desk may know. In capture-code mode no name and no ID number is anywhere in it."""

    kind: Literal["whole"] = "whole"
    classes: list[PackClass]
    entries: list[PackEntry]


class DeskPackChanges(PackHead):
    """What makes the pack `base` the pack `etag`. `classes` is null when they are the same."""

    kind: Literal["changes"] = "changes"
    base: str
    classes: list[PackClass] | None
    entries: list[PackEntry]
    gone: list[UUID]


class HallGrant(Body):
    """How the desks of the hall agreed: under which hub's term, or `apart`, where they could not all know."""

    term: Annotated[int, Field(ge=1)] | None = None
    apart: bool = False


class Checkin(Body):
    student_id: UUID
    ticket: Annotated[str, Field(max_length=24)]
    checked_in_at: AwareDatetime
    hall: HallGrant = HallGrant()


class Release(Body):
    released_at: AwareDatetime


class Released(Body):
    state: Literal["released"] = "released"


class HallStation(Body):
    station_id: UUID
    desk_code: str
    public_key_pem: str
    address: str | None


class HallList(Body):
    """The stations of a hall, signed as a whole (header `gradphoto-signature`), in the order in which hubs follow."""

    campaign_id: UUID
    group_code: str
    stations: list[HallStation]


class ListedDouble(Body):
    """A student whom two desks took: which check-ins, whether one was made apart, and what was decided."""

    student_id: UUID
    checkin_ids: list[UUID]
    capture_ids: list[UUID]
    apart: bool
    found_at: datetime
    kept_capture_id: UUID | None
    settled_by: Literal["policy", "released", "person"] | None
    settled_at: datetime | None
    version: int


class DoubleSettled(Body):
    """Which photo is to be in force."""

    capture_id: UUID
    reason: Reason


class CheckinRecorded(Body):
    state: Literal["recorded"] = "recorded"
    checkin_id: UUID
    ticket: str


class UploadAsked(Body):
    capture_id: UUID
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=1, le=200_000_000)]


class Upload(Body):
    """Where to PUT the original. `exists` when it lies there whole already."""

    object_key: str
    url: str
    expires_at: datetime
    exists: bool


class Capture(Body):
    student_id: UUID | None
    checkin_id: UUID | None
    ticket: Annotated[str, Field(max_length=24)] | None
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=1)]
    shutter_at: AwareDatetime
    camera_serial: Mark
    frame_counter: Annotated[int, Field(ge=0)]
    monotonic_ns: Annotated[int, Field(ge=0)]
    decision: photos.Decision
    override_reason: Annotated[str, Field(max_length=500)] | None = None
    desk_verdict: photos.Verdict | None = None
    desk_rules: Annotated[list[RuleId], Field(max_length=60)] = []
    #: Seconds by which the desk's machine was ahead, as measured; `shutter_at` has them taken out already.
    clock_offset_s: Annotated[float, Field(allow_inf_nan=False)] = 0.0


class CaptureReceived(Body):
    state: Literal["received"] = "received"


class Drift(Body):
    sign: sessions.Sign
    expected: Mark
    seen: Mark
    suspected_at: AwareDatetime
    resolution: Mark | None = None
    cue: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = None


class DriftNoted(Body):
    state: Literal["suspected", "resolved"]


class Heartbeat(BaseModel):
    """What a station says of itself. What an agent says beyond this is left unread."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    backlog: Annotated[int, Field(ge=0)] = 0
    disk_free_bytes: Annotated[int, Field(ge=0)] | None = None
    camera: Mark | None = None
    skew_s: float | None = None
    pack_age_s: float | None = None
    queue: Annotated[int, Field(ge=0)] | None = None
    mode: Mark | None = None
    hall_address: Mark | None = None
    hall_part: Mark | None = None
    hall_term: Annotated[int, Field(ge=0)] | None = None
    hall_heard: Annotated[int, Field(ge=0)] | None = None


class ServerTime(Body):
    server_time: datetime


class JournalledFrame(Body):
    capture_id: UUID
    sha256: Sha256
    camera_serial: Mark = ""
    frame_counter: Annotated[int, Field(ge=0)] | None = None


class CountedCamera(Body):
    """A camera's own count: at the session's beginning, and at its end."""

    serial: Mark
    before: int
    after: int


class SealAsked(Body):
    """A session as its desk closed it. `signature` is the station's, over all the rest with session and station."""

    camera_frames: int
    cameras: Annotated[list[CountedCamera], Field(max_length=50)] = []
    journalled: Annotated[list[JournalledFrame], Field(max_length=50_000)]
    #: Facts in the journal by then, the head of its hash chain, and whether that chain held when it was read.
    journal_facts: Annotated[int, Field(ge=0)] = 0
    journal_head: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    journal_intact: bool = True
    #: Texts, not times: what was signed must come back to the letter.
    opened_at: Mark = ""
    closed_at: Mark = ""
    signature: Annotated[str, Field(max_length=400)]


class SealDifference(Body):
    """One thing in which camera, journal and server differ; what is known of the frame in question."""

    kind: seals.Kind
    capture_id: UUID | None
    camera_serial: str | None
    frame_counter: int | None


class Sealed(Body):
    """Sealed, refused with what differs, or settled by somebody. What is countersigned is the server's own document."""

    state: seals.State
    stored_frames: int
    missing: list[UUID]
    balanced: bool
    difference_count: int
    differences: list[SealDifference]
    sealed_at: datetime
    countersigned: dict[str, Any] | None
    countersignature: str | None


class SealWhole(Sealed):
    """All that is kept of a session, with the keys that its two signatures can be checked with."""

    session_id: UUID
    station_id: UUID
    desk_id: UUID
    document: dict[str, Any]
    station_signature: str
    station_key: str | None
    server_key: str
    settled_by: str | None
    settled_role: str | None
    settled_reason: str | None
    version: int


class ListedSession(Body):
    session_id: UUID
    desk_id: UUID
    station_id: UUID
    state: seals.State
    camera_frames: int
    journalled_frames: int
    stored_frames: int
    difference_count: int
    sealed_at: datetime


class KeysAsked(Body):
    """A stick's list of contents as its station signed it, and for whom its keys are to be closed again."""

    manifest: Annotated[str, Field(max_length=20_000_000)]
    signature: Annotated[str, Field(max_length=400)]
    recipient: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Keys(Body):
    box: str


class Brought(Body):
    """A message of another station, to the letter, with that station's signature."""

    text: Annotated[str, Field(max_length=20_000_000)]
    signature: Annotated[str, Field(max_length=400)]


class BroughtIn(Body):
    state: Literal["received"] = "received"


class ClassProgress(Body):
    class_id: UUID
    label: str
    college_zh: str
    campus_id: UUID
    eligible: int
    checked_in: int
    photographed: int


class DeskProgress(Body):
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


class Progress(Body):
    by_class: list[ClassProgress]
    by_desk: list[DeskProgress]


class ListedCapture(Body):
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
    cause: photos.Cause | None
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


class AcceptedPhoto(Body):
    capture_id: UUID
    student_id: UUID
    class_id: UUID
    photo_key: str
    photo_sha256: str
    shutter_at: datetime
    overridden: bool
    version: int


class HistoryLine(Body):
    capture_id: UUID
    version: int
    act: str
    author: str
    role: str
    reason: str
    at: datetime
    from_student_id: UUID | None
    to_student_id: UUID | None


class Derivative(Body):
    """A composed picture's lineage: which original, which profile, which program."""

    capture_id: UUID
    sha256: str
    object_key: str
    original_sha256: str
    profile: str
    maker: str
    made_at: datetime


class CaptureWithHistory(Body):
    capture: ListedCapture
    history: list[HistoryLine]
    derivatives: list[Derivative]


class MissingStudent(Body):
    student_id: UUID
    class_id: UUID
    ordinal: int
    checked_in: bool


class Rebinding(Body):
    student_id: UUID
    reason: Reason


class Move(Body):
    capture_id: UUID
    student_id: UUID


class Rebindings(Body):
    """Photos that change students together: neighbours that were swapped, a range that was shifted."""

    moves: Annotated[list[Move], Field(min_length=1, max_length=2000)]
    reason: Reason


class Withdrawal(Body):
    reason: Reason


class Bound(Body):
    """Whose a photo is now."""

    capture_id: UUID
    state: photos.State
    student_id: UUID | None
    version: int


class ImageAddress(Body):
    """An address that opens the image for a short time; that it was asked for is on record."""

    url: str
    expires_at: datetime


class AuditAsked(Body):
    """Which campaign is audited (none: all of them), whether pictures are decoded, how old an orphan is at least."""

    campaign_id: UUID | None = None
    decode: bool = True
    grace_s: Annotated[int, Field(ge=0, le=86_400)] = 3600


class Audit(Body):
    """An audit as it stands. `found` counts what is wrong by kind; `sound` once it has ended and nothing is."""

    audit_id: UUID
    campaign_id: UUID
    state: Literal["running", "finished"]
    decode: bool
    grace_s: int
    asked_by: str
    started_at: datetime
    finished_at: datetime | None
    expected: int
    checked: int
    in_flight: int
    known_unreadable: int
    found: dict[audits.Kind, int]
    sound: bool


class AuditFinding(Body):
    """An object that is not as the rows say, and whose it is."""

    seq: int
    object_key: str
    kind: audits.Kind
    capture_ids: list[UUID]


def page(kind: type[Any], found: list[dict[str, Any]], limit: int | None = None) -> pages.Page[Any]:
    """A page of one kind; the next begins behind its last row, by the kind's first field."""
    items = rows(kind, found)
    last = next(iter(kind.model_fields))
    return pages.Page(items=items, next=getattr(items[-1], last) if items and len(items) == limit else None)


def rows(kind: type[Any], found: list[dict[str, Any]]) -> list[Any]:
    """Answers of one kind from rows."""
    return [kind(**row) for row in found]
