"""Guards taken out of an agent, one by one: what a check finds then shows that it looks. For negative controls."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from gradphoto_contracts import ids
from kit.errors import Unavailable
from station import server, spool, timekeeping, uplink
from station.domain import facts
from station.ports import keeping


def receipt() -> None:
    """Whatever became of a request, the server is taken to have the frame: it is wiped."""
    deliver = uplink.Uplink._deliver

    async def believe(self: uplink.Uplink, pending: keeping.Pending) -> dict[str, Any]:
        try:
            return await deliver(self, pending)
        except (Unavailable, server.RefusedByServer):
            return {}

    uplink.Uplink._deliver = believe  # type: ignore[method-assign]


def spooling() -> None:
    """Frames are kept in memory only."""
    kept: dict[ids.CaptureId, bytes] = {}
    get = spool.FileSpool.get

    async def put(_self: spool.FileSpool, frame: facts.FrameJournalled, jpeg: bytes) -> None:
        kept[frame.capture_id] = jpeg

    async def remember(self: spool.FileSpool, capture_id: ids.CaptureId) -> bytes:
        return kept[capture_id] if capture_id in kept else await get(self, capture_id)

    spool.FileSpool.put = put  # type: ignore[method-assign, assignment]
    spool.FileSpool.get = remember  # type: ignore[method-assign]


def reserve() -> None:
    """A full disk is no reason not to begin."""
    spool.FileSpool.demand_room = lambda _self: None  # type: ignore[method-assign, assignment]


def skew() -> None:
    """The server's time is not listened to."""

    def deaf(_self: timekeeping.StationClock, _server: datetime, _before: datetime, _after: datetime) -> None:
        return None

    timekeeping.StationClock.learn = deaf  # type: ignore[method-assign, assignment]


#: By the names that an order to the nursery may use.
GUARDS: Mapping[str, Callable[[], None]] = {
    "receipt": receipt,
    "spooling": spooling,
    "reserve": reserve,
    "skew": skew,
}
