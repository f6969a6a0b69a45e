"""What students and the school say about one picture, and the make-up shoots."""

from gradphoto_contracts import ids
from services.verify.domain import answers, journey, makeups
from services.verify.handlers import steps
from services.verify.ports import Work


async def confirm_photo(work: Work, campaign_id: ids.CampaignId, student_id: ids.StudentId) -> journey.Case:
    """The student says 正确."""
    campaign = await steps.campaign(work, campaign_id)
    case = await steps.case(work, campaign_id, student_id)
    return await _saved(work, answers.confirm(case, work.now, campaign))


async def dispute_photo(
    work: Work, campaign_id: ids.CampaignId, student_id: ids.StudentId, cause: journey.Cause
) -> journey.Case:
    """The student says 有误."""
    campaign = await steps.campaign(work, campaign_id)
    case = await steps.case(work, campaign_id, student_id)
    return await _saved(work, answers.dispute(case, cause, work.now, campaign))


async def correct_photo(work: Work, campaign_id: ids.CampaignId, student_id: ids.StudentId) -> journey.Case:
    """What CHSI shows is right now."""
    campaign = await steps.campaign(work, campaign_id)
    case = await steps.case(work, campaign_id, student_id)
    return await _saved(work, answers.correct(case, campaign))


async def book_makeup(
    work: Work, campaign_id: ids.CampaignId, student_id: ids.StudentId, place_zh: str
) -> journey.Case:
    """The student will be photographed there."""
    campaign = await steps.campaign(work, campaign_id)
    case = await steps.case(work, campaign_id, student_id)
    return await _saved(work, makeups.book(case, place_zh, work.now, campaign))


async def finish_makeup(work: Work, campaign_id: ids.CampaignId, student_id: ids.StudentId) -> journey.Case:
    """The student's papers show that the make-up shoot was done."""
    campaign = await steps.campaign(work, campaign_id)
    case = await steps.case(work, campaign_id, student_id)
    return await _saved(work, makeups.finish_makeup(case, campaign))


async def _saved(work: Work, step: journey.Step) -> journey.Case:
    await steps.save(work, [step])
    return step.after
