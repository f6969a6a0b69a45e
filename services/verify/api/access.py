"""Who may see and say what: a token's scope turned into what verify filters by."""

from uuid import UUID

from gradphoto_contracts import ids
from kit import auth, errors
from services.verify.ports import Within


def whole(who: auth.Principal, campaign_id: UUID) -> ids.CampaignId:
    """For what concerns a whole campaign: a narrower scope is not enough."""
    who.require_whole(campaign_id)
    return ids.CampaignId(campaign_id)


def within(who: auth.Principal, campaign_id: UUID) -> Within:
    """The part of a campaign's cases that this person may see."""
    who.require_scope(campaign_id=campaign_id)
    narrowed = who.scope_filter
    if "campus" in narrowed:
        raise errors.Refused("out-of-scope", dimension="campus")
    return Within(narrowed.get("college"), _uuids(narrowed.get("class")), _uuids(narrowed.get("student")))


def _uuids(texts: tuple[str, ...] | None) -> tuple[UUID, ...] | None:
    return None if texts is None else tuple(UUID(text) for text in texts)
