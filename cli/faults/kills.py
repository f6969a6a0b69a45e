"""The row of kill -9: an agent is killed at moments drawn by chance, while it works and while it recovers."""

import asyncio
import contextlib
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from cli.faults import agents, integrity, patience, pictures
from cli.faults.cameras import told
from cli.faults.hall import Hall
from cli.faults.matrix import Fault, Seen

T = TypeVar("T")
_CODE = "console-began-again"
_METRIC = "gradphoto_station_started_seconds"
#: A life ends at a moment between its birth and so long after its door is usually open; on a machine that takes
#: longer to open it, half of that time.
_WORK_S = 0.8
#: So much longer than is usual waits the killer for each life in a row that came to no door.
_LONGER = 1.15
#: So many lives tell what is usual now.
_RECENT = 9
#: Desks that are killed at once.
_DESKS = 3
_DEAD = (httpx.TransportError, OSError, ValueError, KeyError)


@dataclass
class Killer:
    """Kills an agent `kills` times, each a moment after its birth, and has it started anew."""

    desk: agents.Desk
    kills: int
    dice: random.Random
    done: int = 0
    #: Seconds from birth to an open door, of lives that came so far.
    openings: list[float] = field(default_factory=list)
    unopened: int = 0
    alive: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until all are done; the agent then lives."""
        while self.done < self.kills:
            opening_s = statistics.median([self.desk.opening_s, *self.openings[-_RECENT:]]) * _LONGER**self.unopened
            work_s = max(_WORK_S, opening_s / 2)
            born = time.monotonic()
            life = asyncio.create_task(self._live(born))
            await asyncio.wait({life}, timeout=self.dice.uniform(0.0, opening_s + work_s))
            self.unopened += 1
            if life.done():
                life.result()
                self.unopened = 0
                await asyncio.sleep(self.dice.uniform(0.0, work_s))
            life.cancel()
            self.alive.clear()
            await self.desk.kill()
            self.done += 1
            await self.desk.launch()
        await self.desk.open()
        self.alive.set()

    async def _live(self, born: float) -> None:
        await self.desk.open()
        self.openings.append(time.monotonic() - born)
        self.alive.set()


@dataclass
class Operator:
    """Photographs one student after the other, and says again whatever had no answer."""

    hall: Hall
    desk: agents.Desk
    killer: Killer
    kept: dict[str, int] = field(default_factory=dict)

    async def work(self) -> None:
        """Until the last kill is done."""
        pictures_of = [pictures.portrait(seed) for seed in range(3)]
        while self.killer.done < self.killer.kills:
            place = self.hall.next_student()
            self.desk.sit_down(pictures_of[place % 3])
            await self.do(lambda place=place: self.desk.seat(place))  # type: ignore[misc]
            shot = await self.do(lambda: self.desk.post("/v1/shutter"))
            self.kept[await self.do(lambda shot=shot: self.desk.keep(shot))] = place  # type: ignore[misc]

    async def do(self, act: Callable[[], Awaitable[T]]) -> T:
        """The answer, after as many lives as it takes."""
        while True:
            await self.killer.alive.wait()
            with contextlib.suppress(*_DEAD):
                return await act()
            await asyncio.sleep(0.01)


async def _trial(kills: int, hall: Hall) -> Seen:
    """The kills are shared among desks that work at once; beside them works the control's."""
    seen = Seen()
    shares = [kills // _DESKS + (place < kills % _DESKS) for place in range(_DESKS)]
    control = asyncio.create_task(_forgetful(hall))
    desks = [
        asyncio.create_task(_kill_one(share, random.Random(11 + place), hall, seen))
        for place, share in enumerate(shares)
        if share
    ]
    try:
        killers = await asyncio.gather(*desks)
        seen.control = await control
    finally:
        for task in (control, *desks):
            task.cancel()
    done, worked = sum(killer.done for killer in killers), sum(len(killer.openings) for killer in killers)
    seen.demand(done == kills, f"只杀了 only {done}")
    seen.demand(worked * 10 >= kills, f"只有 {worked} 次开门后被杀 only {worked} lives came to a door")
    seen.note = f"kill -9 × {done}，开门 doors opened × {worked}"
    return seen


async def _kill_one(kills: int, dice: random.Random, hall: Hall, seen: Seen) -> Killer:
    """One desk, killed so often."""
    async with hall.desk() as desk:
        desk.sit_down(pictures.portrait(0))
        seen.demand(_CODE not in await desk.messages(), "未被杀也提示 told without a kill")
        before = await desk.metric(_METRIC)
        killer = Killer(desk, kills, dice)
        killer.alive.set()
        operator = Operator(hall, desk, killer)
        work = asyncio.create_task(operator.work())
        try:
            await killer.run()
            await work
        finally:
            work.cancel()
        seen.zh = await patience.until(f"message {_CODE}", lambda: told(desk, _CODE))
        seen.moved = (before, await desk.metric(_METRIC))
        seen.demand(seen.moved[1] > before, "启动时间未变 the metric did not move")
        await desk.settle()
        seen.took(await integrity.compare(hall, desk, operator.kept))
    return killer


async def _forgetful(hall: Hall) -> str:
    """The control: an agent that keeps frames in memory loses one to a kill, and the comparison says so."""
    async with hall.desk(without=("spooling",)) as desk:
        desk.sit_down(pictures.portrait(0))
        desk.line.plug(online=False)
        await desk.photograph(hall.next_student())
        await desk.kill()
        desk.line.plug(online=True)
        await desk.start()
        with contextlib.suppress(patience.TooLong):
            await patience.until("the frame is sent", lambda: _sent(desk), patience_s=5)
        found = await integrity.compare(hall, desk)
    return f"查出 {len(found.wrong)} 处 found {len(found.wrong)} faults" if found.wrong else ""


async def _sent(desk: agents.Desk) -> bool:
    return not (await desk.state())["backlog"]


def row(kills: int) -> Fault:
    """The row with so many kills."""

    async def trial(hall: Hall) -> Seen:
        return await _trial(kills, hall)

    return Fault(
        name="kill-9",
        zh=f"任意时刻 kill -9（{kills} 次）",
        en=f"kill -9 at random, {kills} times",
        simulator="工作中与恢复中随机杀死 at work and while recovering",
        code=_CODE,
        metric=_METRIC,
        alert="StationRestarts",
        control="只放内存 frames in memory only",
        trial=trial,
    )
