"""What roster and scheduler say is copied here; what waited for a student's class goes on."""

from gradphoto_contracts import roster, scheduler
from kit import errors
from services.capture import ports
from services.capture.domain import checkins, floor, photos


async def on_campaign_told(work: ports.Work, event: roster.CampaignOpenedV1 | roster.CampaignChangedV1) -> None:
    policy = event.policy
    await work.floor.put_campaign(
        floor.Campaign(
            campaign_id=event.campaign_id,
            identity_mode=policy.identity_mode,
            profile=policy.photo.profile,
            retake_limit=policy.photo.retake_limit,
            face_consent=policy.photo.face_consent,
            double_rule=policy.photo.double_rule,
            desk_pack_hours=policy.retention.desk_pack_hours,
            desk_pack_fresh_minutes=policy.retention.desk_pack_fresh_minutes,
            seat=policy.photo.model_dump(include={"seat_proof", "change_over_s", "lingering_s"}),
            upload_kbit_s=policy.desk.upload_kbit_s,
            campuses={campus.campus_id: campus.code for campus in event.campuses},
            open=True,
            version=event.version,
        )
    )


async def on_campaign_closed(work: ports.Work, event: roster.CampaignClosedV1) -> None:
    if not await work.floor.close_campaign(event.campaign_id, event.version):
        raise errors.Unavailable("campaign-not-known-yet")


async def on_class_told(work: ports.Work, event: roster.ClassRegisteredV1 | roster.ClassChangedV1) -> None:
    await work.floor.put_class(floor.SchoolClass(**event.model_dump()))


async def on_student_told(work: ports.Work, event: roster.StudentEnrolledV1 | roster.StudentChangedV1) -> None:
    facts = event.model_dump(exclude={"campus_id", "cohort"})
    await work.floor.put_student(floor.Student(**facts, withdrawn=False))
    student = await work.floor.student(event.student_id)
    if student is not None:
        await resolve_student(work, student)


async def on_student_withdrawn(work: ports.Work, event: roster.StudentWithdrawnV1) -> None:
    await work.floor.put_student(
        floor.Student(
            student_id=event.student_id,
            campaign_id=event.campaign_id,
            class_id=event.class_id,
            eligible=False,
            ordinal=0,
            withdrawn=True,
            version=event.version,
        )
    )


async def on_code_registered(work: ports.Work, event: roster.CodeRegisteredV1) -> None:
    await work.floor.put_code(floor.Code(**event.model_dump()))


async def on_plan_published(work: ports.Work, event: scheduler.PlanPublishedV1) -> None:
    group_codes = {group.group_id: group.code for group in event.groups}
    await work.floor.put_desks(
        [
            floor.Desk(
                **desk.model_dump(),
                campaign_id=event.campaign_id,
                group_code=group_codes.get(desk.group_id, ""),
                revision=event.revision,
            )
            for desk in event.desks
        ]
    )


async def on_slot_told(work: ports.Work, event: scheduler.SlotAssignedV1 | scheduler.SlotMovedV1) -> None:
    kept = {"slot_id", "campaign_id", "class_id", "group_id", "order_code", "starts_at", "version"}
    await work.floor.put_slot(floor.Slot(**event.model_dump(include=kept), cancelled=False))


async def on_slot_cancelled(work: ports.Work, event: scheduler.SlotCancelledV1) -> None:
    await work.floor.cancel_slot(event.slot_id, event.campaign_id, event.version)


async def resolve_student(work: ports.Work, student: floor.Student) -> None:
    """Let check-ins and photos go on that came before roster's word about their student."""
    for checkin in await work.checkins.waiting_for(student.student_id):
        resolved, told = checkins.resolve(checkin, student.class_id)
        await work.checkins.save(resolved)
        await work.say(told)
    for photo in await work.photos.waiting_for(student.student_id):
        known, events = photos.resolve(photo, student.class_id)
        await work.photos.save(known)
        await work.say(events)


async def resolve_waiting(work: ports.Work) -> int:
    """As `resolve_student`, for all who are known by now: a photo and its student may pass each other unseen."""
    students = await work.photos.awaited(limit=100)
    for student in students:
        await resolve_student(work, student)
    return len(students)
