"""Live data for the page, as server-sent events: the whole document whenever it differs, and a sign of life between."""

import asyncio
from collections.abc import AsyncIterator, Callable

from fastapi.responses import StreamingResponse

from station.console import pages, views

_LOOK_S = 0.1
#: A page that hears nothing for longer than twice this says that the station is gone.
PULSE_S = 1.0


class Live:
    """Streams of one agent; all end when it ends, so that nothing holds up its shutting down."""

    def __init__(self) -> None:
        self._closing = asyncio.Event()

    def open(self) -> None:
        """Let streams begin (again)."""
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End all streams."""
        self._closing.set()

    def stream(self, view: Callable[[], views.Document]) -> StreamingResponse:
        """What `view` says, now and whenever it says something else."""
        headers = {**pages.HEADERS, "x-accel-buffering": "no"}
        return StreamingResponse(self._events(view), media_type="text/event-stream", headers=headers)

    async def _events(self, view: Callable[[], views.Document]) -> AsyncIterator[str]:
        loop, closing = asyncio.get_running_loop(), self._closing
        sent, said_at = "", 0.0
        while not closing.is_set():
            document = view()
            content = document.model_dump_json(exclude={"stamp"})
            if content != sent:
                yield f"event: view\ndata: {document.model_dump_json()}\n\n"
                sent, said_at = content, loop.time()
            elif loop.time() - said_at > PULSE_S:
                yield "event: pulse\ndata: \n\n"
                said_at = loop.time()
            await _pause(closing)


async def _pause(closing: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(closing.wait(), _LOOK_S)
    except TimeoutError:
        return
