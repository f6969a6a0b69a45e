"""What time does by itself: deadlines pass, and come near."""

from datetime import timedelta

from gradphoto_contracts import ids, verify
from services.verify.domain import copies, journey, lapses, makeups
from services.verify.handlers import steps
from services.verify.ports import Work

#: Cases given an outcome in one transaction.
SOME = 500


async def lapse_some(work: Work) -> int:
    """Give an outcome to cases whose deadline has passed; how many got one. Call again while some do."""
    policies = {campaign.campaign_id: campaign for campaign in await work.campaigns.all()}
    lost = await work.cases.without_photo_since(work.now - makeups.SECOND_SHOT, SOME)
    late = await work.cases.due(work.now, SOME)
    taken = [makeups.call_for_second_shot(case, work.now, policies[case.campaign_id]) for case in _of(lost, policies)]
    taken += [lapses.lapse(case, work.now, policies[case.campaign_id]) for case in _of(late, policies)]
    await steps.save(work, taken)
    return sum(step.after != step.before for step in taken)


def _of(cases: list[journey.Case], policies: dict[ids.CampaignId, copies.Campaign]) -> list[journey.Case]:
    return [case for case in cases if case.campaign_id in policies]


async def announce_near(work: Work) -> int:
    """Announce each deadline once when it comes near, with the number of students without outcome; how many were."""
    announced = 0
    for campaign in await work.campaigns.all():
        near = timedelta(days=campaign.chsi.near_days)
        for waiting in await work.cases.waiting(campaign.campaign_id):
            if waiting.due_at is None or not waiting.due_at - near <= work.now < waiting.due_at:
                continue
            if await work.announcements.add(campaign.campaign_id, waiting.deadline, waiting.due_at):
                announced += 1
                await work.events.add(
                    verify.DeadlineNearV1(
                        version=await work.announcements.count(campaign.campaign_id),
                        campaign_id=campaign.campaign_id,
                        deadline=waiting.deadline,
                        due_at=waiting.due_at,
                        students=waiting.students,
                        owner=waiting.owner,
                    )
                )
    return announced
