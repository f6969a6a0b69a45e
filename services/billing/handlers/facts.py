"""What other services say, in any order."""

from gradphoto_contracts import capture, roster
from services.billing.domain import copies
from services.billing.handlers import charging, closing
from services.billing.ports import Work


async def on_campaign(work: Work, event: roster.CampaignOpenedV1 | roster.CampaignChangedV1) -> None:
    """Keep the fee; when it is new, bill again all who were photographed."""
    await work.campaigns.hold(event.campaign_id)
    before = await work.campaigns.get(event.campaign_id)
    campaign = copies.Campaign(
        campaign_id=event.campaign_id,
        version=event.version,
        code=event.code,
        school_code=event.school_code,
        mode=event.policy.fee.mode,
        amount_fen=event.policy.fee.amount_fen,
    )
    if not await work.campaigns.save(campaign):
        return
    terms = (campaign.mode, campaign.amount_fen, campaign.school_code)
    if before is None or (before.mode, before.amount_fen, before.school_code) != terms:
        students = await work.students.with_money(event.campaign_id, None)
        await charging.rebill(work, event.campaign_id, students, event.campaign_id)


async def on_campaign_closed(work: Work, event: roster.CampaignClosedV1) -> None:
    """From now on every difference is an error."""
    await work.campaigns.hold(event.campaign_id)
    await work.campaigns.close(event.campaign_id)
    campaign = await work.campaigns.get(event.campaign_id)
    if campaign is None:
        return
    for account in await work.accounts.of(event.campaign_id):
        locked = await work.accounts.lock(event.campaign_id, account.payer)
        await closing.close_books(work, campaign, locked, event.campaign_id)


async def on_class(work: Work, event: roster.ClassRegisteredV1 | roster.ClassChangedV1) -> None:
    """Keep the class; when its college is new, bill its photographed students again."""
    await work.campaigns.hold(event.campaign_id)
    before = await work.classes.get(event.class_id)
    known = copies.Class(event.class_id, event.campaign_id, event.version, event.college_zh, event.label)
    if await work.classes.save(known) and (before is None or before.college_zh != known.college_zh):
        students = await work.students.with_money(event.campaign_id, event.class_id)
        await charging.rebill(work, event.campaign_id, students, event.class_id)


async def on_student(
    work: Work, event: roster.StudentEnrolledV1 | roster.StudentChangedV1 | roster.StudentWithdrawnV1
) -> None:
    """Keep the student's class; a photographed head moves with its student. Who withdraws was still photographed."""
    await work.campaigns.share(event.campaign_id)
    student = copies.Student(event.student_id, event.campaign_id, event.class_id, event.version)
    if await work.students.save(student):
        await charging.rebill(work, event.campaign_id, [student], event.student_id)


async def on_photo(work: Work, event: capture.PhotoAcceptedV1 | capture.PhotoReboundV1) -> None:
    """A photo is this student's: the head is owed for."""
    photo = copies.Photo(
        event.capture_id, event.version, event.campaign_id, event.student_id, event.class_id, in_force=True
    )
    await _keep_photo(work, photo)


async def on_photo_withdrawn(work: Work, event: capture.PhotoWithdrawnV1) -> None:
    """A photo counts no more: nothing is owed for it."""
    photo = copies.Photo(
        event.capture_id, event.version, event.campaign_id, event.student_id, event.class_id, in_force=False
    )
    await _keep_photo(work, photo)


async def _keep_photo(work: Work, photo: copies.Photo) -> None:
    newer, before = await work.photos.keep(photo)
    if not newer:
        return
    owners = [before, photo] if before and before.student_id != photo.student_id else [photo]
    seen = [copies.Student(owner.student_id, owner.campaign_id, owner.class_id, version=0) for owner in owners]
    await charging.rebill(work, photo.campaign_id, await work.students.lock(seen), photo.capture_id)
