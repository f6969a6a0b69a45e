"""What verify says: deliveries to CHSI, each student's proofreading, make-up shoots, and deadlines."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from gradphoto_contracts import ids
from gradphoto_contracts.capture import ObjectKey, Sha256
from gradphoto_contracts.envelope import Event


class BatchDeliveredV1(Event):
    """A batch of accepted photos left for CHSI."""

    TYPE: ClassVar[str] = "verify.batch.delivered.v1"
    KEY: ClassVar[str] = "batch_id"

    batch_id: ids.BatchId
    campaign_id: ids.CampaignId
    number: int = Field(ge=1)
    photos: int = Field(ge=0)
    archive_key: ObjectKey
    archive_sha256: Sha256
    delivered_at: AwareDatetime


class _Case(Event):
    KEY: ClassVar[str] = "student_id"

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    class_id: ids.ClassId


class PhotoPublishedV1(_Case):
    """CHSI shows the student's photo; proofreading can begin."""

    TYPE: ClassVar[str] = "verify.photo.published.v1"


class PhotoConfirmedV1(_Case):
    """The student said 正确."""

    TYPE: ClassVar[str] = "verify.photo.confirmed.v1"


class PhotoDisputedV1(_Case):
    """The student said 有误, or CHSI refused the photo."""

    TYPE: ClassVar[str] = "verify.photo.disputed.v1"

    cause: Literal["wrong_person", "wrong_data", "bad_photo", "not_shown", "refused_by_chsi"]
    due_at: AwareDatetime
    owner: str


class PhotoCorrectedV1(_Case):
    """A dispute is closed: what CHSI shows is right now."""

    TYPE: ClassVar[str] = "verify.photo.corrected.v1"


class PhotoDefaultedV1(_Case):
    """The window closed on a silent student: deemed correct, or without effect, as policy says."""

    TYPE: ClassVar[str] = "verify.photo.defaulted.v1"

    outcome: Literal["deemed_correct", "no_effect"]


class MakeupRequiredV1(_Case):
    """The student needs a make-up shoot (补拍)."""

    TYPE: ClassVar[str] = "verify.makeup.required.v1"

    cause: Literal["missed", "refused", "withdrawn"]
    due_at: AwareDatetime | None


class MakeupBookedV1(_Case):
    """The student has a place for the make-up shoot."""

    TYPE: ClassVar[str] = "verify.makeup.booked.v1"

    place_zh: str


class MakeupDoneV1(_Case):
    """The make-up shoot gave a photo."""

    TYPE: ClassVar[str] = "verify.makeup.done.v1"


class DeadlineNearV1(Event):
    """A deadline is close, and so many students have no outcome yet. `owner` is the role that must act."""

    TYPE: ClassVar[str] = "verify.deadline.near.v1"
    KEY: ClassVar[str] = "campaign_id"

    campaign_id: ids.CampaignId
    deadline: Literal["publish", "proofreading", "reporting", "recheck", "makeup"]
    due_at: AwareDatetime
    students: int = Field(ge=0)
    owner: str
