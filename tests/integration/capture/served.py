"""Capture's whole web door over HTTP, for commands and agents that are programs of their own."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

from cli import doors as cli_doors
from cli import sticks
from kit import auth, crypto, web
from services.capture import api
from station import importing
from tests.integration.capture.conftest import Capture


@dataclass(frozen=True)
class WebSettings:
    """The part of the settings that the web door reads."""

    deployment: str = "embedded"


class Quiet(uvicorn.Server):
    """uvicorn without signal handlers of its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Served:
    """Capture on a port, and what mints its tokens."""

    capture: Capture
    url: str
    token_key: str

    def token(self, role: str = "crew_lead") -> str:
        return auth.mint(self.token_key, "lead", role, {}, self.capture.clock.now())

    def door(self, role: str = "crew_lead") -> cli_doors.Door:
        return cli_doors.Door(self.url, self.token(role))

    async def bring(self, folder: Path) -> importing.Imported:
        """Take a stick in, as `gradphoto station import` does."""
        return await asyncio.to_thread(self._bring, folder)

    def _bring(self, folder: Path) -> importing.Imported:
        server = sticks.Server(self.door())
        try:
            return importing.take_in(folder, server)
        finally:
            server.close()

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        return await asyncio.to_thread(self.door().ask, method, path, body)


@contextlib.asynccontextmanager
async def serving(capture: Capture) -> AsyncIterator[Served]:
    """The whole web door of capture over HTTP, on the real database and store."""
    capture.clock.time = datetime.now(UTC)
    # A real agent lives today, and lets in only whose class is planned for today.
    await capture.hear(capture.slot(capture.class_id, "A1"))
    private_pem, public_pem = crypto.new_key()

    async def ready() -> dict[str, bool]:
        return {"database": True}

    app = web.application(
        WebSettings(),
        title="gradphoto capture",
        clock=capture.clock,
        verifier=auth.TokenVerifier(public_pem, capture.clock),
        routers=[api.router(capture.unit, capture.objects, capture.clock)],
        readiness=ready,
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = Quiet(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    yield Served(capture, f"http://127.0.0.1:{listening.getsockname()[1]}", private_pem)
    server.should_exit = True
    await running
    listening.close()
