"""Campaigns over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response, status
from pydantic import BaseModel, ConfigDict, Field

from gradphoto_contracts import ids, policy
from gradphoto_contracts import roster as says
from kit import auth, db, errors, pages, web
from services.roster.domain import campaigns
from services.roster.handlers import opening
from services.roster.ports import Work

Reader = Annotated[auth.Principal, Depends(web.principal("roster.read"))]
Writer = Annotated[auth.Principal, Depends(web.principal("roster.write"))]


class CampusRequest(BaseModel):
    """A campus as the registrar names it."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1, max_length=20)
    name_zh: str = Field(min_length=1, max_length=60)


class CampaignRequest(BaseModel):
    """A campaign to open."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1, max_length=60)
    title_zh: str = Field(min_length=1, max_length=200)
    school_code: str = Field(pattern=r"^[0-9]{5}$")
    graduation_year: int = Field(ge=2000, le=2100)
    policy: policy.Policy
    campuses: list[CampusRequest] = Field(min_length=1)


class CampaignAnswer(BaseModel):
    """A campaign as it is now."""

    campaign_id: UUID
    code: str
    title_zh: str
    school_code: str
    graduation_year: int
    campuses: tuple[says.Campus, ...]
    policy: policy.Policy
    state: str
    version: int


def router(unit: db.Unit[Work]) -> APIRouter:
    """Open, read, change and close campaigns."""
    doors = APIRouter(tags=["campaigns"])

    @doors.post("/campaigns", status_code=status.HTTP_201_CREATED)
    async def open_campaign(request: CampaignRequest, response: Response, who: Writer) -> CampaignAnswer:
        if who.scope:
            raise errors.Refused("out-of-scope", dimension=next(iter(who.scope)))
        async with unit() as work:
            campaign, new = await opening.open_campaign(work, _command(request))
        response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        return _answer(campaign)

    @doors.get("/campaigns")
    async def list_campaigns(who: Reader) -> pages.Page[CampaignAnswer]:
        visible = who.scope.get("campaign")
        async with unit() as work:
            found = await work.campaigns.all()
        return pages.Page(items=[_answer(one) for one in found if visible is None or str(one.campaign_id) in visible])

    @doors.get("/campaigns/{campaign_id}")
    async def get_campaign(campaign_id: UUID, who: Reader) -> CampaignAnswer:
        who.require_scope(campaign_id=campaign_id)
        async with unit() as work:
            campaign = await work.campaigns.get(ids.CampaignId(campaign_id))
        if campaign is None:
            raise errors.NotFound("roster-campaign-unknown")
        return _answer(campaign)

    @doors.put("/campaigns/{campaign_id}/policy")
    async def change_policy(campaign_id: UUID, new: policy.Policy, who: Writer) -> CampaignAnswer:
        who.require_whole(campaign_id)
        async with unit() as work:
            return _answer(await opening.change_policy(work, ids.CampaignId(campaign_id), new))

    @doors.post("/campaigns/{campaign_id}/close")
    async def close_campaign(campaign_id: UUID, who: Writer) -> CampaignAnswer:
        who.require_whole(campaign_id)
        async with unit() as work:
            return _answer(await opening.close_campaign(work, ids.CampaignId(campaign_id)))

    return doors


def _command(request: CampaignRequest) -> opening.OpenCampaign:
    return opening.OpenCampaign(
        code=request.code,
        title_zh=request.title_zh,
        school_code=request.school_code,
        graduation_year=request.graduation_year,
        policy=request.policy,
        campuses=[(campus.code, campus.name_zh) for campus in request.campuses],
    )


def _answer(campaign: campaigns.Campaign) -> CampaignAnswer:
    return CampaignAnswer.model_validate({name: getattr(campaign, name) for name in CampaignAnswer.model_fields})
