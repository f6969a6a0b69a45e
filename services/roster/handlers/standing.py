"""The campaign that a message is about, as it stands, and the count of what changed in it."""

from dataclasses import replace

from gradphoto_contracts import ids
from kit import errors
from services.roster.domain import campaigns, roster
from services.roster.ports import Work


async def locked(work: Work, campaign_id: ids.CampaignId) -> campaigns.Campaign:
    """The campaign, held until the transaction ends; NotFound when there is none."""
    campaign = await work.campaigns.locked(campaign_id)
    if campaign is None:
        raise errors.NotFound("roster-campaign-unknown")
    return campaign


async def unclosed(work: Work, campaign_id: ids.CampaignId) -> campaigns.Campaign:
    """The campaign, held as above; Conflict once it is closed."""
    campaign = await locked(work, campaign_id)
    if campaign.state == "closed":
        raise errors.Conflict("roster-campaign-closed", campaign=campaign.code)
    return campaign


async def say(work: Work, campaign: campaigns.Campaign, touched: roster.Touched) -> campaigns.Campaign:
    """Say what a change touched, and count it: uploads compared with the roster before it are stale now."""
    counted = replace(campaign, roster_revision=campaign.roster_revision + 1)
    await work.campaigns.save(counted)
    await work.events.add_all(roster.said(touched))
    return counted
