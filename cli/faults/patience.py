"""Waiting for what must come, on a machine that others use too: nothing here is decided by how long it takes."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 240.0
_LOOK_AGAIN_S = 0.05


class TooLong(AssertionError):
    """What was waited for did not come."""


async def risen(what: str, before: float, read: Callable[[], Awaitable[float]]) -> float:
    """The first reading above `before`."""

    async def above() -> float | None:
        now = await read()
        return now if now > before else None

    return await until(what, above)


async def until(what: str, reached: Callable[[], Awaitable[T | None]], patience_s: float = PATIENCE_S) -> T:
    """The first answer that is true; TooLong after `patience_s`."""
    deadline = time.monotonic() + patience_s
    while not (answer := await reached()):
        if time.monotonic() > deadline:
            raise TooLong(f"{patience_s:g} s 内未见 not seen within: {what}")
        await asyncio.sleep(_LOOK_AGAIN_S)
    return answer
