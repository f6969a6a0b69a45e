"""The campaign that a message is about, as it stands."""

from gradphoto_contracts import ids
from kit import errors
from services.scheduler.ports import Campaign, Work


async def unclosed(work: Work, campaign_id: ids.CampaignId) -> Campaign:
    """The campaign, held until the transaction ends; NotFound when there is none, Conflict once it is closed."""
    campaign = await work.campaigns.locked(campaign_id)
    if campaign is None:
        raise errors.NotFound("plan-campaign-unknown")
    if campaign.closed:
        raise errors.Conflict("plan-campaign-closed")
    return campaign
