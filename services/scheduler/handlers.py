"""What scheduler does: one function a message. Each loads, lets the domain decide, saves, and says what happened."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from gradphoto_contracts import billing, capture, ids, roster
from gradphoto_contracts import scheduler as says
from gradphoto_contracts.envelope import Event
from kit import errors
from services.scheduler.domain import drafting, plans, running, wanted
from services.scheduler.ports import Campaign, Delay, Work

Reason = Literal["crew_late", "equipment", "queue", "room", "other"]


class PlanRefused(errors.Invalid):
    """A plan with errors is not published; the door words its findings."""

    def __init__(self, plan: plans.Plan) -> None:
        super().__init__("plan-has-errors", errors=plan.errors)
        self.plan = plan


async def draft_plan(work: Work, campaign_id: ids.CampaignId, asked: wanted.Wanted) -> plans.Plan:
    """Draft the next revision. Its findings say what speaks against it; nothing on the floor changes."""
    campaign = await _open_campaign(work, campaign_id)
    layout, findings = await _lay_out(work, campaign, asked, plans.Layout())
    plan = plans.Plan(
        plan_id=ids.PlanId(work.new_id()),
        campaign_id=campaign_id,
        revision=await work.plans.newest_revision(campaign_id) + 1,
        state="draft",
        wanted=asked,
        layout=layout,
        findings=findings,
    )
    await work.plans.add(plan, work.now)
    return plan


async def publish_plan(work: Work, plan_id: ids.PlanId) -> plans.Plan:
    """Put a draft in force, checked anew against the roster as it is now. Published again, nothing changes."""
    drafted = await work.plans.get(plan_id)
    if drafted is None:
        raise errors.NotFound("plan-unknown")
    campaign = await _open_campaign(work, drafted.campaign_id)
    drafted = await work.plans.get(plan_id) or drafted
    if drafted.state == "published":
        return drafted
    if drafted.state == "superseded":
        raise errors.Conflict("plan-superseded", revision=drafted.revision)
    layout, findings = await _lay_out(work, campaign, drafted.wanted, drafted.layout)
    plan = replace(drafted, layout=layout, findings=findings, state="published")
    if plan.errors or not layout.slots:
        raise PlanRefused(plan)
    await _put_in_force(work, plan)
    return plan


@dataclass(frozen=True)
class AnnounceDelay:
    """A group runs late. `delay_id` makes a repeat of the request harmless."""

    delay_id: UUID
    group_id: ids.GroupId
    minutes: int
    reason: Reason


async def announce_delay(work: Work, command: AnnounceDelay) -> list[plans.Slot]:
    """Announce a delay and move the later slots of that day; the slots that moved. Announced again, none moves."""
    found = await work.floor.group(command.group_id)
    if found is None:
        raise errors.NotFound("plan-group-unknown")
    campaign = await _open_campaign(work, found[0])
    if await work.absences.delay(command.delay_id) is not None:
        return []
    moved = running.delay(await work.floor.slots_of_group(command.group_id), work.now, command.minutes)
    if not moved:
        raise errors.Conflict("plan-nothing-to-delay", group=found[1].code)
    given = Delay(command.delay_id, command.group_id, campaign.campaign_id, command.minutes, command.reason, work.now)
    await work.absences.add_delay(given)
    await work.events.add(
        says.DelayAnnouncedV1(
            group_id=command.group_id,
            campaign_id=campaign.campaign_id,
            minutes=command.minutes,
            reason=command.reason,
            version=await work.floor.raise_group(command.group_id),
        )
    )
    await _move(work, campaign.campaign_id, moved)
    return moved


async def find_missed(work: Work) -> int:
    """Say of every eligible student whom the last window left without a photo that it was missed; once each."""
    found = await work.absences.find(work.now - running.MISSED_AFTER, work.now)
    await work.events.add_all(says.StudentMissedV1(version=1, **one._asdict()) for one in found)
    return len(found)


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


async def on_payment_recorded(work: Work, event: billing.PaymentRecordedV1) -> None:
    """A class that brings its cash before its turn goes first, where classes pay on site."""
    if event.payer.kind != "class" or event.method != "cash":
        return
    class_id = ids.ClassId(UUID(event.payer.ref))
    await work.people.put_payment(event.payment_id, event.campaign_id, class_id)
    campaign = await work.campaigns.locked(event.campaign_id)
    found = await work.floor.slot_of_class(class_id)
    if campaign is None or found is None or campaign.fee_mode != "cash_on_site":
        return
    preferred = running.prefer(found[1], work.now)
    if preferred is not None:
        await _move(work, event.campaign_id, [preferred])


async def _open_campaign(work: Work, campaign_id: ids.CampaignId) -> Campaign:
    campaign = await work.campaigns.locked(campaign_id)
    if campaign is None:
        raise errors.NotFound("plan-campaign-unknown")
    if campaign.closed:
        raise errors.Conflict("plan-campaign-closed")
    return campaign


async def _lay_out(
    work: Work, campaign: Campaign, asked: wanted.Wanted, drafted: plans.Layout
) -> tuple[plans.Layout, tuple[plans.Finding, ...]]:
    school = drafting.School(campaign.campuses, await work.people.classes(campaign.campaign_id))
    in_force = await work.floor.layout(campaign.campaign_id)
    return drafting.draft(asked, school, (drafted, in_force), work.new_id)


async def _put_in_force(work: Work, plan: plans.Plan) -> None:
    before = await work.plans.in_force(plan.campaign_id)
    if before is not None:
        await work.plans.save(replace(before, state="superseded"))
    campaign = await work.campaigns.get(plan.campaign_id)
    cash = campaign is not None and campaign.fee_mode == "cash_on_site"
    paid = await work.people.paid(plan.campaign_id) if cash else frozenset()
    slots_before = (await work.floor.layout(plan.campaign_id)).slots
    change = running.take_over(slots_before, plan.layout.slots, paid)
    await work.plans.save(plan)
    await work.floor.replace(plan, plan.layout.groups, plan.layout.desks, change)
    await work.events.add(plans.published(plan))
    of = plan.plan_id, plan.campaign_id
    await work.events.add_all(plans.cancelled(slot, plan.campaign_id) for slot in change.cancelled)
    await work.events.add_all(plans.moved(slot, *of) for slot in change.moved)
    await work.events.add_all(plans.assigned(slot, *of) for slot in change.assigned)


async def _move(work: Work, campaign_id: ids.CampaignId, slots: list[plans.Slot]) -> None:
    plan = await work.plans.in_force(campaign_id)
    if plan is None:
        raise errors.Conflict("plan-none-in-force")
    await work.floor.move(slots)
    await work.events.add_all(plans.moved(slot, plan.plan_id, campaign_id) for slot in slots)


Handler = Callable[[Work, Any], Awaitable[None]]

#: Everything that scheduler hears, and who answers.
HEARS: dict[type[Event], Handler] = {
    roster.CampaignOpenedV1: on_campaign_told,
    roster.CampaignChangedV1: on_campaign_told,
    roster.CampaignClosedV1: on_campaign_closed,
    roster.ClassRegisteredV1: on_class_told,
    roster.ClassChangedV1: on_class_told,
    roster.StudentEnrolledV1: on_student_told,
    roster.StudentChangedV1: on_student_told,
    roster.StudentWithdrawnV1: on_student_withdrawn,
    capture.CheckinRecordedV1: on_checkin_recorded,
    capture.PhotoAcceptedV1: on_photo_bound,
    capture.PhotoReboundV1: on_photo_bound,
    capture.PhotoWithdrawnV1: on_photo_withdrawn,
    billing.PaymentRecordedV1: on_payment_recorded,
}
