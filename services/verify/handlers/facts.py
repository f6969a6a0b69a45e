"""What other services say, in any order: a photo may come before its student, a student before the campaign."""

from collections.abc import Callable

from gradphoto_contracts import capture, ids, roster, scheduler
from services.verify.domain import copies, journey, told
from services.verify.handlers import steps
from services.verify.ports import Work


async def on_campaign(work: Work, event: roster.CampaignOpenedV1 | roster.CampaignChangedV1) -> None:
    """Keep the policy, settle what waited for it, and set all deadlines by it."""
    await work.campaigns.hold(event.campaign_id)
    policy = event.policy
    campaign = copies.Campaign(event.campaign_id, event.version, event.code, policy.chsi, policy.makeup)
    if await work.campaigns.save(campaign):
        cases = await work.cases.of_campaign(event.campaign_id)
        await steps.save(work, [told.revise(case, work.now, campaign) for case in cases])


async def on_campaign_closed(work: Work, event: roster.CampaignClosedV1) -> None:
    """The roster is final. What CHSI, students and time still have to say is not: their deadlines run on."""
    await work.campaigns.close(event.campaign_id)


async def on_class(work: Work, event: roster.ClassRegisteredV1 | roster.ClassChangedV1) -> None:
    """Keep the class: its college decides who may see its cases."""
    await work.classes.save(
        copies.Class(event.class_id, event.campaign_id, event.version, event.college_zh, event.label)
    )


async def on_student(work: Work, event: roster.StudentEnrolledV1 | roster.StudentChangedV1) -> None:
    """The student has a case, if eligible one to be photographed."""
    await _place(work, event, copies.Student(event.version, event.eligible))


async def on_student_withdrawn(work: Work, event: roster.StudentWithdrawnV1) -> None:
    """The student is off the roster: nothing is delivered and nothing is due any more."""
    await _place(work, event, copies.Student(event.version, withdrawn=True))


async def _place(
    work: Work,
    event: roster.StudentEnrolledV1 | roster.StudentChangedV1 | roster.StudentWithdrawnV1,
    student: copies.Student,
) -> None:
    await _take(
        work,
        event.campaign_id,
        event.student_id,
        event.class_id,
        lambda case, policy: told.place(case, student, event.class_id, policy),
    )


async def on_student_missed(work: Work, event: scheduler.StudentMissedV1) -> None:
    """The last window has passed without this student."""
    await _take(
        work,
        event.campaign_id,
        event.student_id,
        event.class_id,
        lambda case, policy: told.miss(case, work.now, policy),
    )


async def on_photo(work: Work, event: capture.PhotoAcceptedV1 | capture.PhotoReboundV1) -> None:
    """A photo is this student's, and no longer anybody else's."""
    photo = copies.Photo(
        event.capture_id,
        event.version,
        event.campaign_id,
        event.student_id,
        event.class_id,
        in_force=True,
        photo_key=event.photo_key,
        photo_sha256=event.photo_sha256,
        shutter_at=event.shutter_at,
    )
    await _keep_photo(work, photo)


async def on_photo_withdrawn(work: Work, event: capture.PhotoWithdrawnV1) -> None:
    """A photo counts no more."""
    photo = copies.Photo(
        event.capture_id, event.version, event.campaign_id, event.student_id, event.class_id, in_force=False
    )
    await _keep_photo(work, photo)


async def _keep_photo(work: Work, photo: copies.Photo) -> None:
    newer, before = await work.photos.keep(photo)
    if not newer:
        return
    owners = {owner.student_id: owner.class_id for owner in (before, photo) if owner}
    campaign = await work.campaigns.get(photo.campaign_id)
    for student_id, class_id in sorted(owners.items()):
        case = await work.cases.lock(student_id, photo.campaign_id, class_id)
        in_force = await work.photos.in_force(student_id)
        await steps.save(work, [told.see_photo(case, in_force, work.now, campaign)])


async def _take(
    work: Work,
    campaign_id: ids.CampaignId,
    student_id: ids.StudentId,
    class_id: ids.ClassId,
    step: Callable[[journey.Case, copies.Campaign | None], journey.Step],
) -> None:
    await work.campaigns.share(campaign_id)
    campaign = await work.campaigns.get(campaign_id)
    case = await work.cases.lock(student_id, campaign_id, class_id)
    await steps.save(work, [step(case, campaign)])
