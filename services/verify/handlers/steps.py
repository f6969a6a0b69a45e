"""Saving what a step did: the case, the outcome of its deadline, and its events, in one transaction."""

from collections.abc import Iterable

from gradphoto_contracts import ids
from kit import errors
from services.verify.domain import copies, journey
from services.verify.ports import Work


async def save(work: Work, steps: Iterable[journey.Step]) -> None:
    """Save steps; those that changed nothing cost nothing."""
    taken = [step for step in steps if step.after != step.before]
    if not taken:
        return
    await work.cases.save([step.after for step in taken])
    await work.outcomes.add([outcome for step in taken if (outcome := step.outcome())], work.now)
    await work.events.add_all(event for step in taken for event in step.events)


async def campaign(work: Work, campaign_id: ids.CampaignId) -> copies.Campaign:
    """The campaign's policy, kept as it is until the transaction ends."""
    await work.campaigns.share(campaign_id)
    known = await work.campaigns.get(campaign_id)
    if known is None:
        raise errors.NotFound("verify-campaign-unknown", campaign_id=str(campaign_id))
    return known


async def case(work: Work, campaign_id: ids.CampaignId, student_id: ids.StudentId) -> journey.Case:
    """A student's case, kept to this transaction."""
    known = await work.cases.get(student_id)
    if known is None or known.campaign_id != campaign_id:
        raise errors.NotFound("verify-case-unknown", student_id=str(student_id))
    return await work.cases.lock(student_id, campaign_id, known.class_id)
