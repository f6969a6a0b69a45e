"""Everything that the server must be told goes through here: in the journal's order, a lane at a time, until received.

Without network all of it waits together; a message that the server is too busy for waits alone, with growing pauses
and jitter; one that the server refuses is set aside, shown to the operator, and offered again from time to time.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gradphoto_contracts import ids
from kit import crypto, logs
from kit.errors import NotFound, Problem, Refused, Unavailable
from station import receipts
from station.domain import facts
from station.ports import keeping
from station.server import Place, RefusedByServer, Unreachable

_AT_ONCE = 4
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _REFUSED_PAUSE_S = 0.25, 15.0, 60.0
_IDLE_S = 5.0
#: The store does not hold what the receipt would be for: uploading once more is the answer.
_UPLOAD_AGAIN = frozenset({"original-missing", "original-hash-differs"})


class Server(Protocol):
    """The doors of capture that take messages."""

    async def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]: ...
    async def ask_upload(self, capture_id: ids.CaptureId, sha256: str, size_bytes: int) -> Place: ...
    async def upload(self, url: str, jpeg: bytes) -> None: ...


@dataclass(frozen=True)
class Trouble:
    """Why a message waits, how often it was tried, and when it may go again (loop time)."""

    lane: str
    problem: Problem
    attempts: int
    not_before: float
    refused: bool

    @property
    def code(self) -> str:
        """What is wrong."""
        return self.problem.code


class Uplink:
    """The one sender. `received` is told of each receipt's facts after they are in the journal."""

    def __init__(
        self,
        server: Server,
        journal: keeping.Journal,
        spool: keeping.Spool,
        now: Callable[[], datetime],
        received: Callable[[facts.Fact], Awaitable[None]],
        genuine: receipts.Receipts,
        failed: Callable[[str], None] = lambda _code: None,
    ) -> None:
        """`failed` hears the code of every attempt that came to nothing."""
        self._failed, self._genuine = failed, genuine
        self._server, self._journal, self._spool, self._now, self._received = server, journal, spool, now, received
        self._wake = asyncio.Event()
        self._troubles: dict[int, Trouble] = {}
        self._lost_in_a_row = 0
        self._offline_until = 0.0
        self._lost: Unreachable | None = None
        self._sending: dict[asyncio.Task[None], keeping.Pending] = {}

    @property
    def online(self) -> bool:
        """Whether the server was reached when last tried."""
        return self._lost_in_a_row == 0

    @property
    def lost(self) -> Unreachable | None:
        """Why the server was not reached when last tried: nobody answered, or somebody else did."""
        return self._lost if self._lost_in_a_row else None

    @property
    def refused(self) -> dict[str, int]:
        """How many messages the server refuses, or cannot be sent, by code."""
        codes = [trouble.code for trouble in self._troubles.values() if trouble.refused]
        codes += ["journal-message-damaged"] * self._journal.unreadable
        return {code: codes.count(code) for code in codes}

    @property
    def kept_waiting(self) -> dict[str, Problem]:
        """What keeps messages waiting though the network is there, by its code: tried twice and tried again."""
        waiting = [trouble for trouble in self._troubles.values() if trouble.attempts > 1 and not trouble.refused]
        return {trouble.code: trouble.problem for trouble in waiting}

    def wake(self) -> None:
        """Something is to be sent."""
        self._wake.set()

    def try_now(self) -> None:
        """The network may be back, and take what was refused: do not wait for pauses to end."""
        self._offline_until = 0.0
        self._troubles.clear()
        self._wake.set()

    async def run(self) -> None:
        """Send for as long as the station runs."""
        try:
            while True:
                self._wake.clear()
                pause_s = await self._start_what_may_go()
                await self._wait(pause_s)
        finally:
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def _wait(self, pause_s: float) -> None:
        waker = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({waker, *self._sending}, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waker.cancel()
        for task in [task for task in self._sending if task.done()]:
            del self._sending[task]
            task.result()

    async def _start_what_may_go(self) -> float:
        now = _loop_time()
        if now < self._offline_until:
            return self._offline_until - now
        if not self._room():
            return _IDLE_S
        for pending in await self._may_go(now):
            self._sending[asyncio.create_task(self._send(pending))] = pending
        pauses = [trouble.not_before - now for trouble in self._troubles.values() if trouble.not_before > now]
        return max(0.01, min([_IDLE_S, *pauses]))

    def _room(self) -> int:
        # A lost network is felt out with one message, not with four.
        return max(0, (1 if self._lost_in_a_row else _AT_ONCE) - len(self._sending))

    async def _may_go(self, now: float) -> list[keeping.Pending]:
        refused = [seq for seq, trouble in self._troubles.items() if trouble.refused]
        resting = {seq: trouble for seq, trouble in self._troubles.items() if trouble.not_before > now}
        # What the server was too busy for keeps its place in its lane; what it refuses lets others pass.
        lanes = {trouble.lane for trouble in resting.values() if not trouble.refused}
        lanes |= {pending.message.lane for pending in self._sending.values()}
        return await self._journal.ready(self._room(), refused, resting, lanes)

    async def _send(self, pending: keeping.Pending) -> None:
        try:
            answer = await self._deliver(pending)
            await self._note_receipt(pending, answer)
        except Unreachable as problem:
            self._lose(problem)
        except (Unavailable, Refused, RefusedByServer, NotFound, crypto.Tampered) as problem:
            self._lost_in_a_row = 0
            self._set_aside(pending, problem)
        else:
            self._lost_in_a_row = 0
            self._troubles.pop(pending.seq, None)
        self._wake.set()

    async def _deliver(self, pending: keeping.Pending) -> dict[str, Any]:
        message = pending.message
        if message.kind == "capture":
            await self._store_original(ids.CaptureId(message.key), message.body)
        answer = await self._server.put(f"/v1/{message.kind}s/{message.key}", message.body)
        self._genuine.demand(message, answer)
        return answer

    async def _store_original(self, capture_id: ids.CaptureId, body: dict[str, Any]) -> None:
        place = await self._server.ask_upload(capture_id, body["sha256"], body["size_bytes"])
        if not place.exists:
            await self._server.upload(place.url, await self._spool.get(capture_id))

    async def _note_receipt(self, pending: keeping.Pending, answer: dict[str, Any]) -> None:
        now = self._now()
        happened: list[facts.Fact] = []
        if pending.message.kind == "capture":
            happened.append(facts.FrameReceived(ids.CaptureId(pending.message.key), now))
        if await self._journal.received(pending, answer, now, happened):
            for fact in happened:
                await self._received(fact)

    def _lose(self, problem: Unreachable) -> None:
        self._failed(problem.code)
        self._lost = problem
        self._lost_in_a_row += 1
        self._offline_until = _loop_time() + _pause_s(self._lost_in_a_row)
        if self._lost_in_a_row == 1:
            logs.get().warning("uplink.offline", code=problem.code)

    def _set_aside(self, pending: keeping.Pending, problem: Problem) -> None:
        self._failed(problem.code)
        known = self._troubles.get(pending.seq)
        attempts = known.attempts + 1 if known else 1
        refused = not isinstance(problem, Unavailable) and problem.code not in _UPLOAD_AGAIN
        pause_s = _REFUSED_PAUSE_S if refused else _pause_s(attempts)
        self._troubles[pending.seq] = Trouble(pending.message.lane, problem, attempts, _loop_time() + pause_s, refused)
        kind, key = pending.message.kind, str(pending.message.key)
        logs.get().warning("uplink.message-waits", kind=kind, key=key, code=problem.code, attempts=attempts)


def _pause_s(attempts: int) -> float:
    longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(attempts, 12))
    return random.uniform(longest / 2, longest)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
