"""What scheduler does at each message. The table below is the routing of everything it hears."""

from collections.abc import Awaitable, Callable
from typing import Any

from gradphoto_contracts import billing, capture, roster
from gradphoto_contracts.envelope import Event
from services.scheduler.handlers import facts, moving
from services.scheduler.ports import Work

HEARS: dict[type[Event], Callable[[Work, Any], Awaitable[None]]] = {
    roster.CampaignOpenedV1: facts.on_campaign_told,
    roster.CampaignChangedV1: facts.on_campaign_told,
    roster.CampaignClosedV1: facts.on_campaign_closed,
    roster.ClassRegisteredV1: facts.on_class_told,
    roster.ClassChangedV1: facts.on_class_told,
    roster.StudentEnrolledV1: facts.on_student_told,
    roster.StudentChangedV1: facts.on_student_told,
    roster.StudentWithdrawnV1: facts.on_student_withdrawn,
    capture.CheckinRecordedV1: facts.on_checkin_recorded,
    capture.PhotoAcceptedV1: facts.on_photo_bound,
    capture.PhotoReboundV1: facts.on_photo_bound,
    capture.PhotoWithdrawnV1: facts.on_photo_withdrawn,
    billing.PaymentRecordedV1: moving.on_payment_recorded,
}
