"""Three desks and the services on one machine: how long an operator waits, and whether a desk keeps up for an hour.

Every desk is a real agent with a 24-megapixel picture before its camera; every wait is taken at the desk's door.
"""

import asyncio
import contextlib
import itertools
import os
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np

from cli.bench import photo
from cli.bench.figures import Figure
from cli.faults import agents, hall
from cli.stack import clock as clocks
from cli.stack.stack import Stack

DESKS, STUDENTS = 3, 30
#: A student a desk: three times the pace of the plan, so that an hour's bustle is seen in minutes.
_EVERY_S = 3.4
PER_HOUR = 350
#: The hour is played so many times as fast; the machine has that much less time for each student.
_SPEED = 5.0
#: Walking up and sitting down, and looking at the verdict: simulated seconds.
_SITTING_S, _LOOKING_S = 4.0, 1.0
_PICTURES = 4
_SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass
class Waits:
    """Seconds that operators waited, and what the least thing of that kind takes in the same minutes."""

    ticket: list[float] = field(default_factory=list)
    verdict: list[float] = field(default_factory=list)
    ticket_floor: list[float] = field(default_factory=list)
    verdict_floor: list[float] = field(default_factory=list)


class Floor:
    """An answer of the same door that does nothing, one durable commit; the picture synced, and decoded least."""

    def __init__(self, folder: Path, picture: bytes) -> None:
        self._folder, self._picture = folder, picture
        self._base = sqlite3.connect(folder / "floor.sqlite3", isolation_level=None, check_same_thread=False)
        self._base.execute("pragma journal_mode = wal")
        self._base.execute("pragma synchronous = full")
        self._base.execute("create table facts (body text)")

    def commit(self) -> None:
        """One row, on the disk."""
        self._base.execute("insert into facts values (?)", ("x" * 300,))

    def keep_and_decode(self) -> None:
        """The same bytes written and synced, and their entropy decoding: grey, an eighth of the size."""
        with (self._folder / "floor.jpg").open("wb") as file:
            file.write(self._picture)
            file.flush()
            os.fsync(file.fileno())
        cv2.imdecode(np.frombuffer(self._picture, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()


async def measure(stack: Stack, folder: Path) -> list[Figure]:
    """Waits at three desks, then an hour at one of them. The stack's clock is at the next morning afterwards."""
    cv2.setNumThreads(1)
    # A desk's queue is of one day: an hour that begins at night would pass midnight.
    clocks.set_to(stack.layout.clock, _next_morning(stack.now()))
    pictures = [await asyncio.to_thread(photo._capture, seed, *photo._SIZES["upright"]) for seed in range(_PICTURES)]
    place = await hall.set_up(stack, folder, desks=DESKS, students=DESKS * STUDENTS + PER_HOUR + 10)
    try:
        async with contextlib.AsyncExitStack() as at_work:
            told = {"CLOCK_FILE": str(stack.layout.clock)}
            desks = [await at_work.enter_async_context(place.desk(environment=told)) for _ in range(DESKS)]
            waits = await _waits(place, desks, pictures, folder)
            hour = await _hour(place, desks[0], pictures, stack.layout.clock)
            clocks.set_to(stack.layout.clock, stack.now())
            for desk in desks:
                await desk.settle()
    finally:
        await place.close()
    return [*_figures(waits), *hour]


def _next_morning(now: float) -> float:
    """Nine o'clock of the next day in Shanghai, in seconds since 1970."""
    tomorrow = datetime.fromtimestamp(now, _SHANGHAI) + timedelta(days=1)
    return tomorrow.replace(hour=9, minute=0, second=0, microsecond=0).timestamp()


async def _waits(place: hall.Hall, desks: list[agents.Desk], pictures: list[bytes], folder: Path) -> Waits:
    waits, floor = Waits(), Floor(folder, pictures[0])
    await asyncio.gather(*(_work(place, desk, pictures, waits, floor) for desk in desks))
    floor.close()
    return waits


async def _work(place: hall.Hall, desk: agents.Desk, pictures: list[bytes], waits: Waits, floor: Floor) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number in range(STUDENTS):
        await asyncio.sleep(max(0.0, begun + number * _EVERY_S - loop.time()))
        await _student(desk, place.next_student(), pictures[number % _PICTURES], waits)
        waits.ticket_floor.append(await _timed(lambda: _answer_and(desk, floor.commit)))
        waits.verdict_floor.append(await _timed(lambda: _answer_and(desk, floor.keep_and_decode)))


async def _student(desk: agents.Desk, place: int, picture: bytes, waits: Waits) -> None:
    desk.sit_down(picture)
    began = time.perf_counter()
    answer = await desk.post("/v1/checkins", {"scan": f"code-{place}"})
    waits.ticket.append(time.perf_counter() - began)
    await desk.post("/v1/seat", {"ticket": answer["ticket"]})
    began = time.perf_counter()
    shot = await desk.post("/v1/shutter")
    waits.verdict.append(time.perf_counter() - began)
    await desk.keep(shot)


async def _answer_and(desk: agents.Desk, act: Callable[[], None]) -> None:
    await desk.alive_at_door()
    await asyncio.to_thread(act)


async def _timed(act: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await act()
    return time.perf_counter() - began


def _figures(waits: Waits) -> list[Figure]:
    ticket = "同一接口的空应答加一次落盘 an empty answer of that door, one durable commit"
    verdict = "空应答、同样字节落盘、1/8 灰度解码 an empty answer, the same bytes synced, grey 1/8 decode"
    rows = (
        ("scan to ticket, p95", "扫码 → 拍摄号 p95", waits.ticket, waits.ticket_floor, ticket, 300.0),
        ("shutter to verdict, p95", "快门 → 判定 p95", waits.verdict, waits.verdict_floor, verdict, 1000.0),
    )
    return [
        Figure(name, zh, "ms", _p95(ours) * 1000, _p95(floor) * 1000, told, aim, less=True)
        for name, zh, ours, floor, told, aim in rows
    ]


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


# The hour


@dataclass
class Hour:
    """A simulated hour at one desk. Times are simulated seconds since its beginning."""

    place: hall.Hall
    desk: agents.Desk
    pictures: list[bytes]
    begun: float = 0.0
    came: dict[str, float] = field(default_factory=dict)
    done: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    longest_queue: int = 0

    def now(self) -> float:
        """So far in the hour."""
        return self.place.stack.now() - self.begun

    async def until(self, moment: float) -> None:
        """Return when the hour is so far."""
        while (left := moment - self.now()) > 0:  # noqa: ASYNC110 - on the stack's clock
            await asyncio.sleep(left / _SPEED)

    async def arrive(self) -> None:
        """One student after the other, at the plan's pace."""
        for number in range(PER_HOUR):
            await self.until(number * 3600 / PER_HOUR)
            answer = await self.desk.post("/v1/checkins", {"scan": f"code-{self.place.next_student()}"})
            self.came[answer["ticket"]] = self.now()

    async def serve(self) -> None:
        """Whoever is next sits down, is photographed, and goes."""
        for number in itertools.count():
            if number == PER_HOUR:
                return
            while len(self.came) <= number:  # noqa: ASYNC110 - they come when they come
                await asyncio.sleep(0.01)
            await self._one(number)

    async def _one(self, number: int) -> None:
        self.longest_queue = max(self.longest_queue, len(self.came) - number)
        self.desk.sit_down(self.pictures[number % _PICTURES])
        await self.desk.post("/v1/seat", {"ticket": list(self.came)[number]})
        await self.until(self.now() + _SITTING_S)
        shot = await self.desk.post("/v1/shutter")
        self.waited.append(self.now() - self.came[shot["ticket"]])
        await self.until(self.now() + _LOOKING_S)
        await self.desk.keep(shot)
        self.done.append(self.now())


async def _hour(place: hall.Hall, desk: agents.Desk, pictures: list[bytes], clock: Path) -> list[Figure]:
    hour = Hour(place, desk, pictures)
    clocks.set_to(clock, place.stack.now(), _SPEED)
    hour.begun = place.stack.now()
    await asyncio.gather(hour.arrive(), hour.serve())
    in_time = sum(moment <= 3600 + 3600 / PER_HOUR for moment in hour.done)
    told = f"来了这么多 so many came; {_SPEED:g}× 速 speed, 最长队 longest queue {hour.longest_queue}"
    least = _SITTING_S
    waited = f"坐下 sitting down; 最长 the longest {max(hour.waited):.0f} s"
    return [
        Figure("students in a simulated hour", "模拟一小时人数", "students/h", in_time, PER_HOUR, told, PER_HOUR),
        Figure("ticket to shutter, p95", "拍摄号 → 快门 p95", "s", _p95(hour.waited), least, waited, less=True),
    ]
