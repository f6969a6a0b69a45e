"""What capture does at each message. The table below is the routing of everything it hears."""

from collections.abc import Awaitable, Callable
from typing import Any

from gradphoto_contracts import roster, scheduler
from gradphoto_contracts.envelope import Event
from services.capture import ports
from services.capture.handlers import floor

HEARS: dict[type[Event], Callable[[ports.Work, Any], Awaitable[None]]] = {
    roster.CampaignOpenedV1: floor.on_campaign_told,
    roster.CampaignChangedV1: floor.on_campaign_told,
    roster.CampaignClosedV1: floor.on_campaign_closed,
    roster.ClassRegisteredV1: floor.on_class_told,
    roster.ClassChangedV1: floor.on_class_told,
    roster.StudentEnrolledV1: floor.on_student_told,
    roster.StudentChangedV1: floor.on_student_told,
    roster.StudentWithdrawnV1: floor.on_student_withdrawn,
    roster.CodeRegisteredV1: floor.on_code_registered,
    scheduler.PlanPublishedV1: floor.on_plan_published,
    scheduler.SlotAssignedV1: floor.on_slot_told,
    scheduler.SlotMovedV1: floor.on_slot_told,
    scheduler.SlotCancelledV1: floor.on_slot_cancelled,
}
