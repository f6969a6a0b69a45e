"""Plans over HTTP: draft, look at the findings, publish."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, status

from gradphoto_contracts import ids
from kit import auth, db, errors, pages, web
from services.scheduler.api import access, bodies
from services.scheduler.domain import plans
from services.scheduler.handlers import planning
from services.scheduler.ports import Campaign, Turnout, Work

Reader = Annotated[auth.Principal, Depends(web.principal("plan.read"))]
Writer = Annotated[auth.Principal, Depends(web.principal("plan.write"))]


def router(unit: db.Unit[Work]) -> APIRouter:
    """Classes to plan, drafts, and the plan in force."""
    doors = APIRouter(tags=["plans"])

    @doors.get("/campaigns/{campaign_id}/classes")
    async def list_classes(campaign_id: UUID, who: Reader) -> pages.Page[bodies.ClassAnswer]:
        who.require_scope(campaign_id=campaign_id)
        async with unit() as work:
            found = await work.people.classes(ids.CampaignId(campaign_id))
        items = [bodies.ClassAnswer.model_validate(one._asdict()) for one in found if _sees(who, one)]
        return pages.Page(items=items)

    @doors.post("/campaigns/{campaign_id}/plans", status_code=status.HTTP_201_CREATED)
    async def draft_plan(campaign_id: UUID, request: bodies.PlanRequest, who: Writer) -> bodies.PlanAnswer:
        who.require_whole(campaign_id)
        async with unit() as work:
            plan = await planning.draft_plan(work, ids.CampaignId(campaign_id), request.wanted())
            return await _answer(work, plan, plan.layout)

    @doors.post("/plans/{plan_id}/publish")
    async def publish_plan(plan_id: UUID, who: Writer) -> bodies.PlanAnswer:
        try:
            async with unit() as work:
                plan = await planning.publish_plan(work, ids.PlanId(plan_id))
                # Inside the transaction: out of scope undoes it.
                who.require_whole(plan.campaign_id)
                return await _answer(work, plan, await work.floor.layout(plan.campaign_id))
        except planning.PlanRefused as refused:
            who.require_whole(refused.plan.campaign_id)
            refused.rows = [bodies.finding(one).model_dump() for one in refused.plan.findings]
            raise

    @doors.get("/campaigns/{campaign_id}/plan")
    async def get_plan(campaign_id: UUID, who: Reader) -> bodies.PlanAnswer:
        who.require_scope(campaign_id=campaign_id)
        async with unit() as work:
            plan = await work.plans.in_force(ids.CampaignId(campaign_id))
            if plan is None:
                raise errors.NotFound("plan-none-in-force")
            layout = await work.floor.layout(plan.campaign_id)
            return await _answer(work, plan, await _visible(work, who, layout, plan.campaign_id))

    return doors


async def _answer(work: Work, plan: plans.Plan, layout: plans.Layout) -> bodies.PlanAnswer:
    campaign = await _campaign(work, plan.campaign_id)
    turnouts: dict[UUID, Turnout] = {one.class_id: one for one in await work.people.turnout(plan.campaign_id)}
    campuses: dict[UUID, str] = {campus.campus_id: campus.code for campus in campaign.campuses}
    return bodies.plan(plan, layout, turnouts, campuses)


async def _campaign(work: Work, campaign_id: ids.CampaignId) -> Campaign:
    campaign = await work.campaigns.get(campaign_id)
    if campaign is None:
        raise errors.NotFound("plan-campaign-unknown")
    return campaign


async def _visible(work: Work, who: auth.Principal, layout: plans.Layout, campaign_id: ids.CampaignId) -> plans.Layout:
    """The layout with the slots of the classes that this person may see."""
    classes = await work.people.classes(campaign_id)
    seen = {one.class_id for one in classes if _sees(who, one)}
    slots = tuple(
        slot for slot in layout.slots if slot.class_id in seen or (slot.class_id is None and access.sees_all(who))
    )
    return plans.Layout(layout.groups, layout.desks, slots)


def _sees(who: auth.Principal, one: plans.SchoolClass) -> bool:
    return access.sees_class(who, one.class_id, one.college_zh, one.campus_id)
