"""`--kill PART@ACT`: kill -9 of any process of the stack while the demo plays. No process is told beforehand."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cli.stack.stack import Stack

#: The acts of the demo in their order, with the titles that the screen shows.
ACTS = {
    "roster": "名单 roster",
    "plan": "计划 plan",
    "stations": "台站 stations",
    "capture": "采集 capture",
    "money": "结算 money",
    "chsi": "学信网 CHSI",
    "inspection": "查验 inspection",
}
SUPERVISOR = "supervisor"
STATION = "station"
_LOOK_AGAIN_S = 0.1
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class Kill:
    """Which part dies, so many seconds after which act has begun."""

    part: str
    act: str
    after_s: float = 0.0

    def __str__(self) -> str:
        return f"{self.part}@{self.act}+{self.after_s:g}"


def parse(text: str) -> Kill:
    """`PART@ACT` or `PART@ACT+SECONDS`; ValueError says what is meant. `station` is the first station there is."""
    part, _, rest = text.partition("@")
    act, _, seconds = rest.partition("+")
    if not part or act not in ACTS or not _SECONDS.fullmatch(seconds or "0"):
        raise ValueError(f"{text}: 应为 部件@阶段[+秒] · should be PART@ACT[+SECONDS], ACT one of {' '.join(ACTS)}")
    return Kill(part, act, float(seconds or 0))


@dataclass
class Killer:
    """Kills what was asked for; `happened` says what was killed, and when it found nothing to kill."""

    stack: Stack
    kills: Sequence[Kill]
    say: Callable[[str], None]
    happened: list[str] = field(default_factory=list)
    _under_way: dict["asyncio.Task[None]", Kill] = field(default_factory=dict)

    def act(self, name: str) -> None:
        """An act begins: the kills of this act are under way."""
        for kill in self.kills:
            if kill.act == name:
                self._under_way[asyncio.create_task(self._do(kill))] = kill

    def close(self) -> None:
        """The demo is over: who did not exist until now is not waited for."""
        for task, kill in self._under_way.items():
            if task.cancel():
                self._note(f"{kill}: 没有这个进程 there was no such process")

    async def _do(self, kill: Kill) -> None:
        await asyncio.sleep(kill.after_s)
        while not self._kill(kill):  # noqa: ASYNC110 - processes do not say when they begin
            await asyncio.sleep(_LOOK_AGAIN_S)

    def _kill(self, kill: Kill) -> bool:
        pid = self._pid(kill.part)
        with contextlib.suppress(ProcessLookupError):
            if pid:
                os.kill(pid, signal.SIGKILL)
                self._note(f"{kill}: kill -9 {pid}")
                return True
        return False

    def _pid(self, part: str) -> int:
        if part == SUPERVISOR:
            return int(self.stack.layout.read_state()["supervisor"]["pid"])
        pids = self.stack.pids()
        stations = sorted(name for name in pids if name.startswith(f"{STATION}-"))
        name = stations[0] if part == STATION and stations else part
        return pids.get(name, 0)

    def _note(self, text: str) -> None:
        self.happened.append(text)
        self.say(text)
