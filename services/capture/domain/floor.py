"""What capture keeps of other services' facts: campaigns, classes, students, desks. Fed by events alone."""

from dataclasses import dataclass
from datetime import datetime

from gradphoto_contracts import ids
from gradphoto_contracts.policy import DoubleRule, IdentityMode


@dataclass(frozen=True)
class Campaign:
    """The part of a campaign's policy that the desks need. `campuses` maps a campus's id to its code.

    `seat` is what the policy asks before a photo is somebody's: as in the contract, handed on to the desks unread.
    """

    campaign_id: ids.CampaignId
    identity_mode: IdentityMode
    profile: str
    retake_limit: int
    face_consent: str
    double_rule: DoubleRule
    desk_pack_hours: int
    desk_pack_fresh_minutes: int
    seat: dict[str, str | float | None]
    upload_kbit_s: int | None
    campuses: dict[ids.CampusId, str]
    open: bool
    version: int


@dataclass(frozen=True)
class SchoolClass:
    """A class (班级) and where it belongs."""

    class_id: ids.ClassId
    campaign_id: ids.CampaignId
    campus_id: ids.CampusId
    college_zh: str
    label: str
    headcount: int
    version: int


@dataclass(frozen=True)
class Student:
    """A student as an id in a class. Who it is, only roster knows."""

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    class_id: ids.ClassId
    eligible: bool
    ordinal: int
    withdrawn: bool
    version: int


@dataclass(frozen=True)
class Code:
    """The digest by which a student is known at a desk."""

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    mode: IdentityMode
    digest: str
    version: int


@dataclass(frozen=True)
class Desk:
    """A desk of the published plan."""

    desk_id: ids.DeskId
    campaign_id: ids.CampaignId
    group_id: ids.GroupId
    group_code: str
    campus_id: ids.CampusId
    code: str
    planned_per_hour: int
    revision: int


@dataclass(frozen=True)
class Slot:
    """A class's time with a group. `class_id` is None for a delegated block."""

    slot_id: ids.SlotId
    campaign_id: ids.CampaignId
    class_id: ids.ClassId | None
    group_id: ids.GroupId
    order_code: str | None
    starts_at: datetime
    cancelled: bool
    version: int


@dataclass(frozen=True)
class Place:
    """Where something happened, in the words of the metrics: the codes of campus and desk."""

    campus: str
    desk: str
