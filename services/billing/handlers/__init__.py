"""What billing does at each message. The table below is the routing of everything it hears."""

from collections.abc import Awaitable, Callable
from typing import Any

from gradphoto_contracts import capture, roster
from gradphoto_contracts.envelope import Event
from services.billing.handlers import facts
from services.billing.ports import Work

HEARS: dict[type[Event], Callable[[Work, Any], Awaitable[None]]] = {
    roster.CampaignOpenedV1: facts.on_campaign,
    roster.CampaignChangedV1: facts.on_campaign,
    roster.CampaignClosedV1: facts.on_campaign_closed,
    roster.ClassRegisteredV1: facts.on_class,
    roster.ClassChangedV1: facts.on_class,
    roster.StudentEnrolledV1: facts.on_student,
    roster.StudentChangedV1: facts.on_student,
    roster.StudentWithdrawnV1: facts.on_student,
    capture.PhotoAcceptedV1: facts.on_photo,
    capture.PhotoReboundV1: facts.on_photo,
    capture.PhotoWithdrawnV1: facts.on_photo_withdrawn,
}
