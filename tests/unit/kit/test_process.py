"""A service's process: it ends when told to, and says so when a part of it ends by itself."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI

from kit import process

CONFIG: Any = SimpleNamespace(host="127.0.0.1", port=0)


def service(*background: Callable[[], Awaitable[None]], ended: list[str] | None = None) -> process.Service:
    """A service with an empty web door."""

    async def stop() -> None:
        if ended is not None:
            ended.append("stopped")

    return process.Service(name="things", web=FastAPI(), background=background, stop=[stop])


async def forever() -> None:
    """Work that goes on."""
    await asyncio.Event().wait()


async def test_sigterm_ends_it_in_peace() -> None:
    """Told to end, it cancels its work, closes what it opened, and has status 0."""
    ended: list[str] = []

    async def work() -> None:
        try:
            await forever()
        finally:
            ended.append("cancelled")

    serving = asyncio.create_task(process.serve(service(work, ended=ended), CONFIG))
    await asyncio.sleep(0.3)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(serving, 10) == 0
    assert ended == ["cancelled", "stopped"]


@pytest.mark.parametrize("error", [None, ZeroDivisionError()])
async def test_a_part_that_ends_ends_the_process(error: Exception | None) -> None:
    """Background work that fails, or just ends, is a reason to be started anew by the supervisor: status 1."""

    async def work() -> None:
        if error is not None:
            raise error

    ended: list[str] = []
    assert await asyncio.wait_for(process.serve(service(forever, work, ended=ended), CONFIG), 10) == 1
    assert ended == ["stopped"]


async def test_a_ticker_goes_on_after_a_failure() -> None:
    """One bad tick does not stop the clock."""
    ticks = 0

    class Quick:
        """A clock without waits."""

        def now(self) -> datetime:
            return datetime.now(UTC)

        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(0)

    async def act() -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 2:
            raise ZeroDivisionError

    task = asyncio.create_task(_run(process.ticker("test", 60, Quick(), act)))
    async with asyncio.timeout(5):
        while ticks < 5:  # noqa: ASYNC110 - counted by the ticker
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _run(act: Callable[[], Awaitable[None]]) -> None:
    await act()
