"""Who may see and say what: a token's scope turned into what verify filters by."""

from uuid import UUID

from gradphoto_contracts import ids
from kit import auth, errors
from services.verify.ports import Within

_PARTS = ("campus", "college", "class", "student")


def whole(who: auth.Principal, campaign_id: UUID) -> ids.CampaignId:
    """For what concerns a whole campaign: a narrower scope is not enough."""
    who.require_scope(campaign_id=campaign_id)
    narrowed = [part for part in _PARTS if who.scope.get(part) is not None]
    if narrowed:
        raise errors.Refused("out-of-scope", dimension=narrowed[0])
    return ids.CampaignId(campaign_id)


def within(who: auth.Principal, campaign_id: UUID) -> Within:
    """The part of a campaign's cases that this person may see."""
    who.require_scope(campaign_id=campaign_id)
    if who.scope.get("campus") is not None:
        raise errors.Refused("out-of-scope", dimension="campus")
    colleges = who.scope.get("college")
    return Within(
        None if colleges is None else tuple(colleges), _uuids(who.scope.get("class")), _uuids(who.scope.get("student"))
    )


def _uuids(texts: list[str] | None) -> tuple[UUID, ...] | None:
    return None if texts is None else tuple(UUID(text) for text in texts)
