"""Waiting in tests for what comes about by itself."""

import asyncio
from collections.abc import Callable

#: Longer than anything takes on a busy machine; nothing waits so long when all is well.
SECONDS = 60.0
_STEP_S = 0.01


async def until(reached: Callable[[], object]) -> None:
    """Return as soon as it is so; TimeoutError after `SECONDS`."""
    for _ in range(int(SECONDS / _STEP_S)):
        if reached():
            return
        await asyncio.sleep(_STEP_S)
    raise TimeoutError
