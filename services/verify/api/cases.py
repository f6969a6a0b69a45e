"""Cases, counts and deadlines over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from gradphoto_contracts import ids
from kit import auth, errors, pages, web
from services.verify.api import access
from services.verify.domain import clocks, journey
from services.verify.ports import Unit

Reader = Annotated[auth.Principal, Depends(web.principal("verify.read"))]
Limit = Annotated[int, Query(ge=1, le=1000)]


class CaseAnswer(BaseModel):
    """One student's way. `owner` is the role that must act before `due_at`."""

    student_id: UUID
    campaign_id: UUID
    class_id: UUID
    state: str
    outcome: str | None
    capture_id: UUID | None
    published_at: datetime | None
    cause: str | None
    place_zh: str | None
    deadline: str | None
    due_at: datetime | None
    owner: str | None
    version: int


class SummaryAnswer(BaseModel):
    """How many students are in each state."""

    students: int
    states: dict[str, int]


class DeadlineAnswer(BaseModel):
    """One deadline: how many students still have no outcome, and which outcomes the others had."""

    deadline: str
    due_at: datetime | None
    owner: str
    students: int
    overdue: bool
    outcomes: dict[str, int]


def answer(case: journey.Case) -> CaseAnswer:
    """A case as people see it."""
    names = set(CaseAnswer.model_fields) - {"owner"}
    return CaseAnswer(**{name: getattr(case, name) for name in names}, owner=clocks.owner(case))


def router(unit: Unit) -> APIRouter:
    """Look at cases and deadlines."""
    doors = APIRouter(tags=["cases"])

    @doors.get("/campaigns/{campaign_id}/cases")
    async def list_cases(
        campaign_id: UUID,
        who: Reader,
        state: journey.State | None = None,
        after: UUID | None = None,
        limit: Limit = 200,
    ) -> pages.Page[CaseAnswer]:
        within = access.within(who, campaign_id)
        cursor = ids.StudentId(after) if after else None
        async with unit() as work:
            found = await work.cases.page(ids.CampaignId(campaign_id), state, within, cursor, limit)
        return pages.Page(
            items=[answer(case) for case in found], next=found[-1].student_id if len(found) == limit else None
        )

    @doors.get("/campaigns/{campaign_id}/summary")
    async def summarise(campaign_id: UUID, who: Reader) -> SummaryAnswer:
        within = access.within(who, campaign_id)
        async with unit() as work:
            states = await work.cases.counts(ids.CampaignId(campaign_id), within)
        return SummaryAnswer(students=sum(states.values()), states=states)

    @doors.get("/campaigns/{campaign_id}/deadlines")
    async def list_deadlines(campaign_id: UUID, who: Reader) -> pages.Page[DeadlineAnswer]:
        campaign = access.whole(who, campaign_id)
        async with unit() as work:
            waiting = await work.cases.waiting(campaign)
            outcomes = dict(await work.outcomes.counts(campaign))
            now = work.now
        items = [
            DeadlineAnswer(
                deadline=w.deadline,
                due_at=w.due_at,
                owner=w.owner,
                students=w.students,
                overdue=w.due_at is not None and w.due_at <= now,
                outcomes=dict(outcomes.pop((w.deadline, w.due_at), {})) if w.due_at else {},
            )
            for w in waiting
        ]
        items += [_closed(deadline, due_at, dict(counted)) for (deadline, due_at), counted in outcomes.items()]
        return pages.Page(items=sorted(items, key=lambda item: (item.due_at is None, item.due_at or now)))

    @doors.get("/students/{student_id}/case")
    async def show_case(student_id: UUID, who: Annotated[auth.Principal, Depends(web.principal(None))]) -> CaseAnswer:
        async with unit() as work:
            case = await work.cases.get(ids.StudentId(student_id))
            if case is None:
                raise errors.NotFound("verify-case-unknown", student_id=str(student_id))
            if await work.cases.get(case.student_id, access.within(who, case.campaign_id)) is None:
                raise errors.Refused("out-of-scope", dimension="student")
        return answer(case)

    return doors


def _closed(deadline: journey.Deadline, due_at: datetime, outcomes: dict[str, int]) -> DeadlineAnswer:
    owner = clocks.OWNERS[deadline]
    return DeadlineAnswer(deadline=deadline, due_at=due_at, owner=owner, students=0, overdue=False, outcomes=outcomes)
