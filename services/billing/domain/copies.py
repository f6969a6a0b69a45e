"""What billing keeps of other services' facts."""

from dataclasses import dataclass

from gradphoto_contracts import ids
from gradphoto_contracts.policy import FeeMode


@dataclass(frozen=True)
class Campaign:
    """The part of a campaign's policy that concerns money."""

    campaign_id: ids.CampaignId
    version: int
    code: str
    school_code: str
    mode: FeeMode
    amount_fen: int
    closed: bool = False


@dataclass(frozen=True)
class Class:
    """A class and its college."""

    class_id: ids.ClassId
    campaign_id: ids.CampaignId
    version: int
    college_zh: str
    label: str


@dataclass(frozen=True)
class Student:
    """A student's class. `version` 0: roster has not told of the student yet."""

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    class_id: ids.ClassId
    version: int


@dataclass(frozen=True)
class Photo:
    """A photo, whose it is, and whether it counts."""

    capture_id: ids.CaptureId
    version: int
    campaign_id: ids.CampaignId
    student_id: ids.StudentId
    class_id: ids.ClassId
    in_force: bool
