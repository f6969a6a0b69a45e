"""What verify keeps of other services' facts."""

from dataclasses import dataclass
from datetime import datetime

from gradphoto_contracts import ids
from gradphoto_contracts.policy import ChsiPolicy, MakeupPolicy


@dataclass(frozen=True)
class Campaign:
    """The part of a campaign's policy that concerns CHSI."""

    campaign_id: ids.CampaignId
    version: int
    code: str
    chsi: ChsiPolicy
    makeup: MakeupPolicy


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
    """What roster says of a student. `version` 0: nothing yet."""

    version: int = 0
    eligible: bool = True
    withdrawn: bool = False


@dataclass(frozen=True)
class Photo:
    """A photo, whose it is, and whether it counts."""

    capture_id: ids.CaptureId
    version: int
    campaign_id: ids.CampaignId
    student_id: ids.StudentId
    class_id: ids.ClassId
    in_force: bool
    photo_key: str = ""
    photo_sha256: str = ""
    shutter_at: datetime | None = None
