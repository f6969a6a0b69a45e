"""A webcam as a scanner: its frames come from the page one by one, are looked at in memory, and are kept nowhere."""

import asyncio
import hmac
import os
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel

from station.cameras import codes
from station.handlers import queue
from station.measures import Measures
from station.ports import workplace
from station.readers import wedge

T = TypeVar("T", bound=BaseModel)

#: A code is shown anew when it was out of sight for so long, and in so many frames: hands tremble, screens glare, and
#: a busy machine may look at no frame for a while.
OUT_OF_SIGHT_S, OUT_OF_SIGHT_FRAMES = 3.0, 3

#: `nothing`: no code in the frame; `unread`: one that cannot be read; `code`: one that was just taken for a check-in;
#: `same`: one that was taken before and is still held there; `several`: more than one to choose from.
Seen = Literal["nothing", "unread", "code", "same", "several"]


class Looked(BaseModel, Generic[T]):
    """What a frame showed, and how the check-in ended that came of it."""

    seen: Seen
    checked_in: T | None = None


@dataclass
class Watch:
    """The codes that webcams of this desk have in sight. A code is taken once, however many frames show it."""

    work: workplace.Work
    measures: Measures
    monotonic_s: Callable[[], float] = time.monotonic
    #: When each was last seen, and in how many frames not since; by a digest that means nothing in another process.
    _taken: dict[bytes, tuple[float, int]] = field(default_factory=dict)
    _secret: bytes = field(default_factory=lambda: os.urandom(32))
    #: One frame at a time: two webcams are no reason for the verdicts to wait.
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(
        self, request: Request, check_in: Callable[[workplace.Work, str], Awaitable[queue.CheckIn]] = queue.check_in
    ) -> tuple[Seen, queue.CheckIn | None]:
        """Take in one frame. What `check_in` raises is raised; the code counts as taken until it is out of sight."""
        content = await request.body()
        async with self._looking:
            look = await asyncio.to_thread(codes.in_frame, content)
        seen, fresh = self.judge(look)
        self.measures.webcam_looked(seen)
        return seen, await check_in(self.work, wedge.plain(fresh)) if fresh else None

    def judge(self, look: codes.Look) -> tuple[Seen, str | None]:
        """What the frame shows, and the code to be taken, if there is one that was not taken yet."""
        now = self.monotonic_s()
        held = {self._digest(code): code for code in look.codes}
        self._forget(held.keys(), now)
        fresh = [digest for digest in held if digest not in self._taken]
        if len(fresh) > 1:
            return "several", None
        if fresh:
            self._taken[fresh[0]] = (now, 0)
            return "code", held[fresh[0]]
        return ("same" if held else "unread" if look.unread else "nothing"), None

    def _forget(self, held: Collection[bytes], now: float) -> None:
        """Note which codes are in sight, and forget those that have been out of it long enough."""
        for digest, (at, missed) in list(self._taken.items()):
            if digest in held:
                self._taken[digest] = (now, 0)
            elif missed + 1 >= OUT_OF_SIGHT_FRAMES and now - at >= OUT_OF_SIGHT_S:
                del self._taken[digest]
            else:
                self._taken[digest] = (at, missed + 1)

    def _digest(self, code: str) -> bytes:
        return hmac.digest(self._secret, code.encode(), "sha256")
