"""Slots move on the day: a group runs late, a class that brought its cash goes first."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from gradphoto_contracts import billing, ids
from gradphoto_contracts import scheduler as says
from kit import errors
from services.scheduler.domain import plans, running
from services.scheduler.handlers import standing
from services.scheduler.ports import Delay, Work

Reason = Literal["crew_late", "equipment", "queue", "room", "other"]


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
    campaign = await standing.unclosed(work, found[0])
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
    await move(work, campaign.campaign_id, moved)
    return moved


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
        await move(work, event.campaign_id, [preferred])


async def move(work: Work, campaign_id: ids.CampaignId, slots: list[plans.Slot]) -> None:
    """Put slots at their new times, and say so."""
    plan = await work.plans.in_force(campaign_id)
    if plan is None:
        raise errors.Conflict("plan-none-in-force")
    await work.floor.move(slots)
    await work.events.add_all(plans.moved(slot, plan.plan_id, campaign_id) for slot in slots)
