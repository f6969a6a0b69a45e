"""What roster says: campaigns, classes, students and their registered capture codes. Never who a student is."""

from typing import Annotated, ClassVar

from pydantic import Field

from gradphoto_contracts import ids
from gradphoto_contracts.envelope import Event, Value
from gradphoto_contracts.policy import IdentityMode, Policy

#: HMAC-SHA256 of a code's payload under the campaign's key, in lower-case hex.
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Campus(Value):
    """A campus (校区) that takes part in a campaign."""

    campus_id: ids.CampusId
    code: str
    name_zh: str


class _CampaignState(Event):
    KEY: ClassVar[str] = "campaign_id"

    campaign_id: ids.CampaignId
    code: str
    title_zh: str
    school_code: str
    graduation_year: int
    campuses: tuple[Campus, ...]
    policy: Policy


class CampaignOpenedV1(_CampaignState):
    """A campaign (批次) is open: its policy holds from here on."""

    TYPE: ClassVar[str] = "roster.campaign.opened.v1"


class CampaignChangedV1(_CampaignState):
    """A campaign's policy or campuses are different now; the event carries the whole new state."""

    TYPE: ClassVar[str] = "roster.campaign.changed.v1"


class CampaignClosedV1(Event):
    """A campaign takes no more changes."""

    TYPE: ClassVar[str] = "roster.campaign.closed.v1"
    KEY: ClassVar[str] = "campaign_id"

    campaign_id: ids.CampaignId


class _ClassState(Event):
    KEY: ClassVar[str] = "class_id"

    class_id: ids.ClassId
    campaign_id: ids.CampaignId
    campus_id: ids.CampusId
    college_zh: str
    label: str
    headcount: int = Field(ge=0)


class ClassRegisteredV1(_ClassState):
    """A class (班级) came into the roster. `headcount` counts its eligible students."""

    TYPE: ClassVar[str] = "roster.class.registered.v1"


class ClassChangedV1(_ClassState):
    """A class has another campus, college, label or headcount; the event carries the whole new state."""

    TYPE: ClassVar[str] = "roster.class.changed.v1"


class _StudentState(Event):
    KEY: ClassVar[str] = "student_id"

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    class_id: ids.ClassId
    campus_id: ids.CampusId
    cohort: str
    eligible: bool
    #: Place in the class by student number (学号), from 1.
    ordinal: int = Field(ge=1)


class StudentEnrolledV1(_StudentState):
    """A student is on the roster. `eligible` is false where the cohort is not photographed here."""

    TYPE: ClassVar[str] = "roster.student.enrolled.v1"


class StudentChangedV1(_StudentState):
    """A student's class, campus, cohort, eligibility or place is different; the event carries the whole new state."""

    TYPE: ClassVar[str] = "roster.student.changed.v1"


class StudentWithdrawnV1(Event):
    """A student is off the roster."""

    TYPE: ClassVar[str] = "roster.student.withdrawn.v1"
    KEY: ClassVar[str] = "student_id"

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    class_id: ids.ClassId


class CodeRegisteredV1(Event):
    """A student can be known at a desk by this digest of an opaque payload (采集码, or the legacy document)."""

    TYPE: ClassVar[str] = "roster.code.registered.v1"
    KEY: ClassVar[str] = "student_id"

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    mode: IdentityMode
    digest: Digest
