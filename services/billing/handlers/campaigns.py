"""The campaign that a message is about. Locks are taken in one order: campaign, students, accounts."""

from gradphoto_contracts import ids
from kit import errors
from services.billing.domain import copies
from services.billing.ports import Work


async def shared(work: Work, campaign_id: ids.CampaignId) -> copies.Campaign:
    """The campaign, kept as it is until the transaction ends."""
    await work.campaigns.share(campaign_id)
    return await known(work, campaign_id)


async def known(work: Work, campaign_id: ids.CampaignId) -> copies.Campaign:
    """The campaign as it is.

    Raises:
        errors.NotFound: roster has not told of it (yet).
    """
    campaign = await work.campaigns.get(campaign_id)
    if campaign is None:
        raise errors.NotFound("billing-campaign-unknown", campaign_id=str(campaign_id))
    return campaign
