"""A campaign is opened, changed and closed."""

from collections.abc import Sequence
from dataclasses import dataclass

from gradphoto_contracts import ids, policy
from kit import errors
from services.roster.domain import campaigns
from services.roster.handlers import standing
from services.roster.ports import Work


@dataclass(frozen=True)
class OpenCampaign:
    """Open a campaign with these campuses, each (code, name)."""

    code: str
    title_zh: str
    school_code: str
    graduation_year: int
    policy: policy.Policy
    campuses: Sequence[tuple[str, str]]


async def open_campaign(work: Work, command: OpenCampaign) -> tuple[campaigns.Campaign, bool]:
    """Open a campaign; the same one again is no change. Returns it, and whether it is new."""
    twice = campaigns.repeated_codes(command.campuses)
    if twice is not None:
        raise errors.Invalid("roster-campus-twice", campus=twice)
    wanted = campaigns.Campaign(
        campaign_id=ids.CampaignId(work.new_id()),
        code=command.code,
        title_zh=command.title_zh,
        school_code=command.school_code,
        graduation_year=command.graduation_year,
        campuses=campaigns.number_campuses(command.campuses, [work.new_id() for _ in command.campuses]),
        policy=command.policy,
    )
    known = await work.campaigns.by_code(command.code)
    if known is not None:
        if not known.says_the_same(wanted):
            raise errors.Conflict("roster-campaign-differs", campaign=command.code)
        return known, False
    await work.campaigns.add(wanted)
    await work.events.add(campaigns.opened(wanted))
    return wanted, True


async def change_policy(work: Work, campaign_id: ids.CampaignId, new: policy.Policy) -> campaigns.Campaign:
    """Put another policy in force. Students whose cohort is treated otherwise now change with it."""
    campaign = await standing.unclosed(work, campaign_id)
    changed = campaigns.with_policy(campaign, new)
    if changed is campaign:
        return campaign
    await _check_cohorts(work, campaign, new)
    await work.campaigns.save(changed)
    await work.events.add(campaigns.changed(changed))
    change = work.new_id()
    eligible = {cohort.code: cohort.eligible for cohort in new.cohorts}
    await work.students.reassess(campaign_id, change, eligible)
    return await standing.say(work, changed, await work.students.settle(campaign_id, change))


async def close_campaign(work: Work, campaign_id: ids.CampaignId) -> campaigns.Campaign:
    """Close a campaign; closing it again is no change."""
    campaign = await standing.locked(work, campaign_id)
    if campaign.state == "closed":
        return campaign
    closed, event = campaigns.close(campaign)
    await work.campaigns.save(closed)
    await work.events.add(event)
    return closed


async def _check_cohorts(work: Work, campaign: campaigns.Campaign, new: policy.Policy) -> None:
    known = await work.students.known(campaign.campaign_id)
    orphaned = {one.cohort for one in known.students if not one.withdrawn} - {cohort.code for cohort in new.cohorts}
    if orphaned:
        raise errors.Conflict("roster-cohort-in-use", cohorts="、".join(sorted(orphaned)))
