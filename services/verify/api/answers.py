"""What students and the school say about one picture, over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from gradphoto_contracts import ids
from kit import auth, errors, web
from services.verify.api import access, cases
from services.verify.handlers import answers
from services.verify.ports import Unit, Work

Anybody = Annotated[auth.Principal, Depends(web.principal(None))]
Writer = Annotated[auth.Principal, Depends(web.principal("verify.write"))]


class Body(BaseModel):
    """Which campaign is meant: a student may stand in more than one."""

    model_config = ConfigDict(extra="forbid")

    campaign_id: UUID


class DisputeBody(Body):
    """What is wrong with the picture."""

    cause: Literal["wrong_person", "wrong_data", "bad_photo", "not_shown"]


class MakeupBody(Body):
    """Where the make-up shoot will be: one of the places that policy names, where it names any."""

    place_zh: str = Field(min_length=1, max_length=100)


def router(unit: Unit) -> APIRouter:
    """Confirm, dispute, correct; book and finish a make-up shoot."""
    doors = APIRouter(prefix="/students/{student_id}", tags=["answers"])

    @doors.post("/confirmation")
    async def confirm_photo(student_id: UUID, body: Body, who: Anybody) -> cases.CaseAnswer:
        async with unit() as work:
            await _may_speak(work, who, body.campaign_id, student_id)
            return cases.answer(await answers.confirm_photo(work, *_named(body, student_id)))

    @doors.post("/dispute")
    async def dispute_photo(student_id: UUID, body: DisputeBody, who: Anybody) -> cases.CaseAnswer:
        async with unit() as work:
            await _may_speak(work, who, body.campaign_id, student_id)
            return cases.answer(await answers.dispute_photo(work, *_named(body, student_id), body.cause))

    @doors.post("/correction")
    async def correct_photo(student_id: UUID, body: Body, who: Anybody) -> cases.CaseAnswer:
        async with unit() as work:
            await _may_speak(work, who, body.campaign_id, student_id)
            return cases.answer(await answers.correct_photo(work, *_named(body, student_id)))

    @doors.post("/makeup")
    async def book_makeup(student_id: UUID, body: MakeupBody, who: Anybody) -> cases.CaseAnswer:
        async with unit() as work:
            await _may_speak(work, who, body.campaign_id, student_id)
            return cases.answer(await answers.book_makeup(work, *_named(body, student_id), body.place_zh))

    @doors.put("/makeup/done")
    async def finish_makeup(student_id: UUID, body: Body, who: Writer) -> cases.CaseAnswer:
        async with unit() as work:
            await _may_speak(work, who, body.campaign_id, student_id)
            return cases.answer(await answers.finish_makeup(work, *_named(body, student_id)))

    return doors


def _named(body: Body, student_id: UUID) -> tuple[ids.CampaignId, ids.StudentId]:
    return ids.CampaignId(body.campaign_id), ids.StudentId(student_id)


async def _may_speak(work: Work, who: auth.Principal, campaign_id: UUID, student_id: UUID) -> None:
    """Students speak for themselves only; staff with verify.write for whom their scope holds."""
    who.require("self.confirm" if who.role == "student" else "verify.write")
    within = access.within(who, campaign_id)
    if who.role == "student" and within.student_ids != (student_id,):
        raise errors.Refused("out-of-scope", dimension="student")
    case = await work.cases.get(ids.StudentId(student_id))
    if case is not None and await work.cases.get(case.student_id, within) is None:
        raise errors.Refused("out-of-scope", dimension="student")
