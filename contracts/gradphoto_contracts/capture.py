"""What capture says: stations, check-ins, photos and whose they are, suspected drift, sealed sessions."""

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field

from gradphoto_contracts import ids
from gradphoto_contracts.envelope import Event

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

#: An object's name in the store: a prefix, the campaign's id, and a hash or an id. It says nothing about a person.
ObjectKey = Annotated[str, Field(pattern=r"^[a-z-]+/[0-9a-f-]{36}/[0-9A-Za-z._-]+$")]

#: A rule of the photo standard, as in photospec's profiles: G1, P2, X4 …
RuleId = str


class StationEnrolledV1(Event):
    """A station has given its public key for a one-time code, and serves this desk."""

    TYPE: ClassVar[str] = "capture.station.enrolled.v1"
    KEY: ClassVar[str] = "station_id"

    station_id: ids.StationId
    campaign_id: ids.CampaignId
    desk_id: ids.DeskId


class StationSeenV1(Event):
    """A station is heard again: for the first time, or after it was lost."""

    TYPE: ClassVar[str] = "capture.station.seen.v1"
    KEY: ClassVar[str] = "station_id"

    station_id: ids.StationId
    campaign_id: ids.CampaignId
    desk_id: ids.DeskId
    seen_at: AwareDatetime


class StationLostV1(Event):
    """A station has not been heard for longer than policy allows."""

    TYPE: ClassVar[str] = "capture.station.lost.v1"
    KEY: ClassVar[str] = "station_id"

    station_id: ids.StationId
    campaign_id: ids.CampaignId
    desk_id: ids.DeskId
    last_seen_at: AwareDatetime


class CheckinRecordedV1(Event):
    """A student was checked in at a desk and holds a 拍摄号."""

    TYPE: ClassVar[str] = "capture.checkin.recorded.v1"
    KEY: ClassVar[str] = "checkin_id"

    checkin_id: ids.CheckinId
    campaign_id: ids.CampaignId
    student_id: ids.StudentId
    class_id: ids.ClassId
    desk_id: ids.DeskId
    station_id: ids.StationId
    ticket: str
    checked_in_at: AwareDatetime


class _Photo(Event):
    KEY: ClassVar[str] = "capture_id"

    capture_id: ids.CaptureId
    campaign_id: ids.CampaignId
    student_id: ids.StudentId
    class_id: ids.ClassId
    desk_id: ids.DeskId


class PhotoReceivedV1(_Photo):
    """An original is in the store with the hash that the desk journalled."""

    TYPE: ClassVar[str] = "capture.photo.received.v1"

    original_key: ObjectKey
    sha256: Sha256
    size_bytes: int = Field(ge=1)
    shutter_at: AwareDatetime
    received_at: AwareDatetime


class PhotoAcceptedV1(_Photo):
    """This photo is the student's: it meets the standard, and no other photo of the student is in force."""

    TYPE: ClassVar[str] = "capture.photo.accepted.v1"

    photo_key: ObjectKey
    photo_sha256: Sha256
    profile: str
    overridden: bool = False
    shutter_at: AwareDatetime


class PhotoRejectedV1(_Photo):
    """This photo cannot be the student's: it breaks rules, was retaken, or another one is in force."""

    TYPE: ClassVar[str] = "capture.photo.rejected.v1"

    cause: Literal["standard", "retaken", "duplicate", "unreadable"]
    rules: tuple[RuleId, ...]


class PhotoReboundV1(_Photo):
    """An accepted photo was moved to another student; `student_id` is the new one."""

    TYPE: ClassVar[str] = "capture.photo.rebound.v1"

    previous_student_id: ids.StudentId
    previous_class_id: ids.ClassId
    photo_key: ObjectKey
    photo_sha256: Sha256
    shutter_at: AwareDatetime
    reason: str


class PhotoWithdrawnV1(_Photo):
    """An accepted photo is no longer in force; the student has none now."""

    TYPE: ClassVar[str] = "capture.photo.withdrawn.v1"

    reason: str


class VerdictDifferedV1(Event):
    """Desk and authority judged one image differently; the authority holds. `refusal`: one of them refuses it."""

    TYPE: ClassVar[str] = "capture.verdict.differed.v1"
    KEY: ClassVar[str] = "capture_id"

    capture_id: ids.CaptureId
    campaign_id: ids.CampaignId
    desk_id: ids.DeskId
    station_id: ids.StationId
    desk_verdict: Literal["accept", "review", "reject"]
    desk_rules: tuple[RuleId, ...]
    verdict: Literal["accept", "review", "reject"]
    rules: tuple[RuleId, ...]
    profile: str
    refusal: bool


class DoubleFoundV1(Event):
    """A student has more than one check-in that counts: two desks took them. All are kept.

    `apart`: one was made where a hall was split. `checkin_ids` is empty where both photos came without one.
    """

    TYPE: ClassVar[str] = "capture.double.found.v1"
    KEY: ClassVar[str] = "student_id"

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    checkin_ids: tuple[ids.CheckinId, ...]
    apart: bool
    found_at: AwareDatetime


class DoubleSettledV1(Event):
    """It is decided which photo of a student taken twice is in force: by policy, by a person, or one walked off."""

    TYPE: ClassVar[str] = "capture.double.settled.v1"
    KEY: ClassVar[str] = "student_id"

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    kept_capture_id: ids.CaptureId | None
    by: Literal["policy", "released", "person"]
    settled_at: AwareDatetime


class DriftSuspectedV1(Event):
    """A desk saw something that shifts photos against students, and stopped until its operator resolved it."""

    TYPE: ClassVar[str] = "capture.drift.suspected.v1"
    KEY: ClassVar[str] = "drift_id"

    drift_id: ids.DriftId
    campaign_id: ids.CampaignId
    desk_id: ids.DeskId
    station_id: ids.StationId
    sign: Literal["ticket_skipped", "ticket_repeated", "frame_missing", "frame_unexpected", "double_checkin"]
    expected: str
    seen: str
    suspected_at: AwareDatetime
    resolution: str | None = None
    #: The desk's own, finer word for the sign (`face_repeated`, `seat_stale`, …), where `sign` is the nearest to it.
    cue: str | None = None


class SessionRefusedV1(Event):
    """A desk's session could not be sealed: camera, journal and server disagree in so many places. No card is wiped."""

    TYPE: ClassVar[str] = "capture.session.refused.v1"
    KEY: ClassVar[str] = "session_id"

    session_id: ids.SessionId
    campaign_id: ids.CampaignId
    desk_id: ids.DeskId
    station_id: ids.StationId
    camera_frames: int = Field(ge=0)
    journalled_frames: int = Field(ge=0)
    stored_frames: int = Field(ge=0)
    differences: int = Field(ge=1)
    refused_at: AwareDatetime


class SessionSealedV1(Event):
    """A desk's session is closed, and the counts of camera, journal and server have been compared."""

    TYPE: ClassVar[str] = "capture.session.sealed.v1"
    KEY: ClassVar[str] = "session_id"

    session_id: ids.SessionId
    campaign_id: ids.CampaignId
    desk_id: ids.DeskId
    station_id: ids.StationId
    camera_frames: int = Field(ge=0)
    journalled_frames: int = Field(ge=0)
    stored_frames: int = Field(ge=0)
    balanced: bool
    sealed_at: AwareDatetime
