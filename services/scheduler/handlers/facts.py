"""What other services tell scheduler: the campaign, its classes and students, who came and who has a photo."""

from gradphoto_contracts import capture, roster
from kit import errors
from services.scheduler.domain import plans
from services.scheduler.ports import Campaign, Work


async def on_campaign_told(work: Work, event: roster.CampaignOpenedV1 | roster.CampaignChangedV1) -> None:
    """A campaign is open, or is different now."""
    campuses = [plans.Campus(campus.campus_id, campus.code, campus.name_zh) for campus in event.campuses]
    await work.campaigns.put(
        Campaign(
            event.campaign_id, event.title_zh, campuses, event.policy.fee.mode, closed=False, version=event.version
        )
    )


async def on_campaign_closed(work: Work, event: roster.CampaignClosedV1) -> None:
    """A campaign takes no more plans."""
    if not await work.campaigns.close(event.campaign_id, event.version):
        raise errors.Unavailable("plan-campaign-not-heard-of")


async def on_class_told(work: Work, event: roster.ClassRegisteredV1 | roster.ClassChangedV1) -> None:
    """A class is on the roster, or is different now."""
    one = plans.SchoolClass(event.class_id, event.campus_id, event.college_zh, event.label, event.headcount)
    await work.people.put_class(event.campaign_id, one, event.version)


async def on_student_told(work: Work, event: roster.StudentEnrolledV1 | roster.StudentChangedV1) -> None:
    """A student is on the roster, or is different now."""
    await work.people.put_student(
        event.student_id,
        event.campaign_id,
        event.class_id,
        eligible=event.eligible,
        withdrawn=False,
        version=event.version,
    )


async def on_student_withdrawn(work: Work, event: roster.StudentWithdrawnV1) -> None:
    """A student is off the roster, and cannot miss anything."""
    await work.people.put_student(
        event.student_id, event.campaign_id, event.class_id, eligible=False, withdrawn=True, version=event.version
    )


async def on_checkin_recorded(work: Work, event: capture.CheckinRecordedV1) -> None:
    """A student came."""
    await work.people.put_checkin(event.checkin_id, event.student_id, event.class_id, event.version)


async def on_photo_bound(work: Work, event: capture.PhotoAcceptedV1 | capture.PhotoReboundV1) -> None:
    """A student has a photo."""
    await work.people.put_photo(
        event.capture_id, event.student_id, event.class_id, in_force=True, version=event.version
    )


async def on_photo_withdrawn(work: Work, event: capture.PhotoWithdrawnV1) -> None:
    """A student has this photo no more."""
    await work.people.put_photo(
        event.capture_id, event.student_id, event.class_id, in_force=False, version=event.version
    )
