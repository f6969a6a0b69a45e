"""The accidents of the demo: the broker dies, a desk loses its network, a station is killed, all in mid-day."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from cli.demo import doors
from cli.demo.desks import Desk, Fleet
from cli.stack import control
from cli.stack.stack import Stack

_NETWORK_LOST_S = 8.0
Say = Callable[[str], None]


@dataclass
class Accidents:
    """Three accidents at a quarter, a half and three quarters of the students; `happened` says what was done."""

    stack: Stack
    fleet: Fleet
    seed: int
    say: Say
    heal: Callable[[], None]
    happened: list[str] = field(default_factory=list)

    def schedule(self, students: int) -> dict[int, Callable[[], Awaitable[None]]]:
        """After how many students each accident comes."""
        return {
            max(1, students // 4): self.broker_dies,
            max(2, students // 2): self.network_is_lost,
            max(3, students * 3 // 4): self.station_dies,
        }

    async def broker_dies(self) -> None:
        """kill -9 of the broker; its supervisor starts it again, and what was said meanwhile waits in the outboxes."""
        self._note("消息中间件被 kill -9 broker killed")
        await self._kill("rabbitmq")
        self._note("消息中间件已恢复 broker is back")

    async def network_is_lost(self) -> None:
        """One desk goes on without its network, and sends everything when it has it again."""
        desk = self._some_desk()
        self._note(f"采集台 {desk.code} 断网 desk offline")
        await desk.door.post("/v1/network", {"online": False})
        await asyncio.sleep(_NETWORK_LOST_S)
        await desk.door.post("/v1/network", {"online": True})
        self._note(f"采集台 {desk.code} 网络恢复 desk online")

    async def station_dies(self) -> None:
        """kill -9 of a station; its journal brings back tickets, frames and what was not sent."""
        desk = self._some_desk()
        self._note(f"采集台 {desk.code} 的程序被 kill -9 station killed")
        await self._kill(desk.part)
        self._note(f"采集台 {desk.code} 的程序已恢复 station is back")

    async def _kill(self, part: str) -> None:
        """Return once the part is ready again, be it by a new supervisor."""
        await self._surely(lambda: self.stack.kill(part))
        await self._surely(lambda: self.stack.wait_ready(part, 10.0))

    async def _surely(self, act: Callable[[], None]) -> None:
        async for _ in doors.tries(self.heal):
            with contextlib.suppress(control.NotRunning, TimeoutError, KeyError):
                return await asyncio.to_thread(act)
        raise RuntimeError("监督进程不应答 the supervisor does not answer")

    def _some_desk(self) -> Desk:
        dice = random.Random(f"accidents-{self.seed}-{len(self.happened)}")
        return dice.choice([desk for desk in self.fleet.desks.values() if desk.done] or list(self.fleet.desks.values()))

    def _note(self, text: str) -> None:
        self.happened.append(text)
        self.say(text)
