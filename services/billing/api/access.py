"""Who may see and do what."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from gradphoto_contracts import ids
from gradphoto_contracts.billing import Payer
from kit import auth, errors, web
from services.billing.domain import copies
from services.billing.ports import Work

Reader = Annotated[auth.Principal, Depends(web.principal("billing.read"))]
Writer = Annotated[auth.Principal, Depends(web.principal("billing.write"))]


def whole(who: auth.Principal, campaign_id: UUID) -> ids.CampaignId:
    """For what concerns a whole campaign: a narrower scope is not enough."""
    who.require_whole(campaign_id)
    return ids.CampaignId(campaign_id)


async def require(work: Work, who: auth.Principal, campaign_id: ids.CampaignId, payer: Payer) -> None:
    """A class's money is for whose scope holds it, a college's for its secretary, the school's for the school."""
    dimension = await outside(work, who, campaign_id, payer)
    if dimension is not None:
        raise errors.Refused("out-of-scope", dimension=dimension)


async def outside(work: Work, who: auth.Principal, campaign_id: ids.CampaignId, payer: Payer) -> str | None:
    """The first dimension of the scope that does not hold this payer; what a payer does not have lies outside."""
    place = {"campaign": str(campaign_id)}
    if payer.kind == "college":
        place["college"] = payer.ref
    elif payer.kind == "class" and (known := await _class(work, payer.ref)):
        place |= {"college": known.college_zh, "class": str(known.class_id)}
    return next((name for name, allowed in who.scope_filter.items() if place.get(name) not in allowed), None)


async def _class(work: Work, ref: str) -> copies.Class | None:
    try:
        return await work.classes.get(ids.ClassId(UUID(ref)))
    except ValueError:
        return None
