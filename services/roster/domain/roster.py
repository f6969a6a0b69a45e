"""What a change of the roster left behind, and what is said of it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gradphoto_contracts import ids, policy
from gradphoto_contracts import roster as says
from gradphoto_contracts.envelope import Event


class ClassState(NamedTuple):
    """A class as it is now. `headcount` counts its eligible students."""

    class_id: ids.ClassId
    campaign_id: ids.CampaignId
    campus_id: ids.CampusId
    college_zh: str
    label: str
    headcount: int
    version: int
    new: bool


class StudentState(NamedTuple):
    """A student as it is now: what other services may know."""

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    class_id: ids.ClassId
    campus_id: ids.CampusId
    cohort: str
    eligible: bool
    ordinal: int
    version: int
    new: bool


class CodeState(NamedTuple):
    """A student's registered code."""

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    mode: policy.IdentityMode
    digest: str
    version: int


class Touched(NamedTuple):
    """All that one change touched, and nothing else."""

    classes: Sequence[ClassState]
    students: Sequence[StudentState]
    codes: Sequence[CodeState]


def said(touched: Touched) -> Iterator[Event]:
    """The events of a change: classes, then students, then codes; a reader in order knows what each refers to."""
    yield from map(_class_event, touched.classes)
    yield from map(_student_event, touched.students)
    for code in touched.codes:
        yield says.CodeRegisteredV1(**code._asdict())


def _class_event(one: ClassState) -> Event:
    fields = one._asdict()
    kind = says.ClassRegisteredV1 if fields.pop("new") else says.ClassChangedV1
    return kind(**fields)


def _student_event(one: StudentState) -> Event:
    fields = one._asdict()
    kind = says.StudentEnrolledV1 if fields.pop("new") else says.StudentChangedV1
    return kind(**fields)
