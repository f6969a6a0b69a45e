"""What roster does at each message. The table below is the routing of everything it hears."""

from collections.abc import Awaitable, Callable
from typing import Any

from gradphoto_contracts import capture
from gradphoto_contracts.envelope import Event
from services.roster.handlers import facts
from services.roster.ports import Work

HEARS: dict[type[Event], Callable[[Work, Any], Awaitable[None]]] = {
    capture.PhotoAcceptedV1: facts.on_photo_accepted,
    capture.PhotoReboundV1: facts.on_photo_rebound,
    capture.PhotoWithdrawnV1: facts.on_photo_withdrawn,
}
