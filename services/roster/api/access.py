"""Who may see what: a token's scope turned into what roster filters by."""

from collections.abc import Sequence
from uuid import UUID

from gradphoto_contracts import ids
from kit import auth, errors
from services.roster.ports import Scope, StudentRecord, Work


def within(principal: auth.Principal, campaign_id: ids.CampaignId) -> Scope:
    """The part of a campaign that a list may show to this person."""
    principal.require_scope(campaign_id=campaign_id)
    scope = principal.scope
    colleges = scope.get("college")
    return Scope(_uuids(scope.get("campus")), None if colleges is None else list(colleges), _uuids(scope.get("class")))


async def record(work: Work, principal: auth.Principal, student_id: ids.StudentId) -> StudentRecord:
    """A student that this person may see."""
    found = await work.students.get(student_id)
    if found is None:
        raise errors.NotFound("roster-student-unknown")
    principal.require_scope(
        campaign_id=found.campaign_id,
        campus_id=found.campus_id,
        college=found.college_zh,
        class_id=found.class_id,
        student_id=found.student_id,
    )
    return found


def _uuids(texts: Sequence[str] | None) -> list[UUID] | None:
    return None if texts is None else [UUID(text) for text in texts]
