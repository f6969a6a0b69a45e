"""One station agent: the desk with its work beside the operator's door."""

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, ParamSpec

from kit import logs
from kit.errors import Problem
from station import ballast, gear, inspection, journal, measures, packs, server, settings, spool, timekeeping, uplink
from station.cameras import portraits
from station.domain import facts
from station.domain.desk import Desk
from station.hall import joined as halls
from station.handlers import frames, pairs, queue, sessions
from station.ports import workplace

_HEARTBEAT_S = 10.0
_TEND_S = 1.0

P = ParamSpec("P")


@dataclass
class Agent:
    """Everything wired together; `station.app` does the wiring."""

    directory: settings.Directory
    enrolled: settings.Enrolled
    work: workplace.Work
    journal: journal.SqliteJournal
    spool: spool.FileSpool
    packs: packs.SealedPacks
    server: server.Server
    uplink: uplink.Uplink
    clock: timekeeping.StationClock
    measures: measures.Measures
    inspector: inspection.PhotospecInspector
    gear: gear.Gear
    ballast: ballast.Ballast
    embedded: bool
    #: Bytes a second that originals may take, or None.
    upload_limit: Callable[[], float | None]
    #: The agent before this one did not end by itself: it was killed, or the power went.
    after_kill: bool = False
    began: float = field(default_factory=time.monotonic)
    #: None: this desk was never told how to reach the others of its hall.
    hall: halls.Joined | None = None
    backlog: int = field(default=0)
    _begun: bool = False
    _borne: dict[str, str] = field(default_factory=dict)

    async def start(self) -> None:
        """Finish what a former life left, before the door opens."""
        self.packs.load()
        if self.hall:
            await self.hall.open()
        await self.work.camera.start()
        await self.gear.start()
        # A full disk, or a camera that does not answer, is no reason to have no door: it is tried again while tending.
        await self._bear(self._begin)
        if self._begun:
            await self._bear(frames.take_in_waiting, self.work, live=False)

    async def close(self) -> None:
        """Let go of files, threads and connections. What was journalled needs no closing."""
        await self.work.camera.close()
        await self.gear.close()
        await self.server.close()
        if self.hall:
            await self.hall.close()
        self.inspector.close()
        if self.work.faces:
            self.work.faces.close()
        await self.journal.close()

    def background(self) -> list[Callable[[], Awaitable[None]]]:
        """The work beside the door."""
        hall = self.hall.background() if self.hall else []
        beside = [*self.gear.background(), *hall]
        return [self.uplink.run, self.packs.run, self._beat, self._tend, self.work.camera.run, *beside]

    async def received(self, fact: facts.Fact) -> None:
        """The server has a frame: remember it and let the spool go."""
        self.work.desk.apply(fact)
        if isinstance(fact, facts.FrameReceived):
            await self.spool.wipe(fact.capture_id)

    def plug(self, *, online: bool) -> None:
        """Pull the network cable, or put it back. For drills in the embedded stack."""
        self.server.plugged = online
        if online:
            self.uplink.try_now()
            self.packs.hurry()

    async def count_backlog(self) -> int:
        """How many messages the server has not received, with frames that await a decision."""
        self.backlog = await self.journal.backlog() + len(self.work.desk.undecided)
        self.measures.backlog(self.backlog)
        return self.backlog

    async def _beat(self) -> None:
        while True:
            body = await self._health()
            try:
                await self.server.heartbeat(body)
            except Problem as problem:
                logs.get().debug("heartbeat.not-sent", code=problem.code)
            await asyncio.sleep(_HEARTBEAT_S)

    async def _health(self) -> dict[str, Any]:
        age_s = queue.pack_age_s(self.work, self.clock.now())
        self.measures.pack(age_s, old=queue.pack_is_old(self.work, self.clock.now()))
        return {
            "backlog": await self.count_backlog(),
            "disk_free_bytes": self.spool.free_bytes(),
            "camera": self.work.camera.serial,
            "skew_s": self.clock.offset_s,
            "pack_age_s": age_s,
            "queue": len(self.work.desk.waiting),
            "mode": mode(self.work),
            **(self.hall.health() if self.hall else {}),
        }

    async def _tend(self) -> None:
        await asyncio.to_thread(self.ballast.keep)
        small = await asyncio.to_thread(portraits.draw, 0, width_px=800, height_px=1200)
        await self.inspector.warm_up(small)
        while True:
            await self._bear(self._begin)
            if self._begun:
                await self._bear(frames.take_in_waiting, self.work, live=True)
            await self._bear(pairs.look, self.work)
            await self._bear(frames.judge_unjudged, self.work)
            await asyncio.to_thread(self.ballast.keep)
            await self.count_backlog()
            self._measure()
            await self.work.camera.arrived(_TEND_S)

    async def _begin(self) -> None:
        """A session is open, and what a former life only spooled is journalled."""
        if not self._begun:
            if self.work.desk.session is None:
                await sessions.open_session(self.work)
            await frames.journal_spooled(self.work)
            self._begun = True

    async def _bear(self, act: Callable[P, Awaitable[None]], *args: P.args, **kwargs: P.kwargs) -> None:
        """Do what is tried again each time; a failure is told once, until it is another or over."""
        name, code = act.__name__, ""
        try:
            await act(*args, **kwargs)
        except Problem as problem:
            code = problem.code
        except OSError as error:
            # A full disk refuses more than frames, a camera's own notes for one: the desk must live to say so.
            code = errno.errorcode.get(error.errno or 0, "OSError")
        if code and self._borne.get(name) != code:
            logs.get().warning("desk.tending-failed", act=name, code=code)
        self._borne[name] = code

    def _measure(self) -> None:
        self.measures.standing(
            free_bytes=self.spool.free_bytes(),
            full=self.spool.full,
            offset_s=self.clock.offset_s,
            limit_bytes_s=self.upload_limit(),
        )


def mode(work: workplace.Work) -> str:
    """What the desk is doing, in one word."""
    desk: Desk = work.desk
    if desk.drift:
        return "drift"
    if work.exposing:
        return "exposing"
    if desk.undecided:
        return "deciding"
    return "seated" if desk.seated else "idle"
