"""One supervised process: start, wait until it answers, restart with back-off, end it and all that it started."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from cli.stack import layout

FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 15.0
STEADY_AFTER_S = 30.0
_CLEAR_UP_S = 60.0
GIVE_UP_AFTER = 3  # ends before the first "ready": then the start has failed, and the log says why

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class PartFailed(Exception):
    """A part of the stack did not come up; the text holds the end of its log."""


async def _at_once() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Program:
    """What to run and how to know that it works. `ready` may raise OSError while the program is still coming up."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    ready: Callable[[], Awaitable[bool]] = _at_once
    before: Callable[[], Awaitable[None]] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 20.0
    ready_timeout_s: float = 180.0
    user: str | None = None
    leftovers: tuple[Path, ...] = ()
    clear_up: tuple[str, ...] = ()  # a command that ends what outlives the process, such as a container its client
    restart: bool = True
    kind: str = "extra"
    url: str = ""
    port: int = 0


@dataclass(slots=True)
class Child:
    """A program under supervision. `changed` is called on each change, so that stack.json names what happens."""

    program: Program
    changed: Callable[[], None]
    say: Callable[[str], None]
    state: str = "stopped"
    pid: int = 0
    created: float = 0.0
    restarts: int = 0
    last_exit: str = ""
    since: float = 0.0
    _task: asyncio.Task[None] | None = field(default=None, repr=False)
    _process: asyncio.subprocess.Process | None = field(default=None, repr=False)
    _ready: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _hurry: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _stopping: bool = False

    def start(self) -> None:
        """Begin to supervise; does not wait."""
        if self._task is None or self._task.done():
            self._stopping = False
            self._ready.clear()
            self._task = asyncio.create_task(self._supervise(), name=self.program.name)

    async def until_ready(self) -> None:
        """Return once the program answers; PartFailed with the end of its log if it does not in its time."""
        if self._task is None:
            raise PartFailed(f"{self.program.name} 尚未启动 · was not started")
        ready = asyncio.create_task(self._ready.wait())
        done, _ = await asyncio.wait(
            {ready, self._task}, timeout=self.program.ready_timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        if ready in done:
            return
        ready.cancel()
        tail = layout.log_tail(self.program.log)
        raise PartFailed(f"{self.program.name} 未能启动 · did not start ({self.last_exit or 'no answer'})\n{tail}")

    async def stop(self) -> None:
        """End the process and its group; returns when nothing of it is left."""
        self._stopping = True
        self._hurry.set()
        process = self._process
        if process is not None and process.returncode is None:
            _signal(process.pid, self.program.stop_signal)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), self.program.stop_timeout_s)
            end_group(process.pid)
        if self._task is not None:
            await self._task
        self._become("stopped")

    def kill(self, number: int) -> None:
        """Send any signal, as an accident would; the restart is the supervisor's affair."""
        if self.pid:
            _signal(self.pid, signal.Signals(number))

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.program.kind,
            "state": self.state,
            "pid": self.pid,
            "created": self.created,
            "port": self.program.port,
            "url": self.program.url,
            "restarts": self.restarts,
            "last_exit": self.last_exit,
            "since": self.since,
            "leftovers": [str(path) for path in self.program.leftovers],
            "clear_up": list(self.program.clear_up),
        }

    async def _supervise(self) -> None:
        delay_s = FIRST_DELAY_S
        while True:
            began = time.monotonic()
            await self._run_once()
            if self._stopping or not self.program.restart:
                break
            if not self._ready.is_set() and self.restarts >= GIVE_UP_AFTER:
                self._become("failed")
                return
            if time.monotonic() - began > STEADY_AFTER_S:
                delay_s = FIRST_DELAY_S
            self.restarts += 1
            self.say(
                f"{self.program.name} 意外结束 · ended ({self.last_exit}),{delay_s:g} s 后重启 restart {self.restarts}"
            )
            self._become("restarting")
            self._hurry.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), delay_s)
            delay_s = min(delay_s * 2, LONGEST_DELAY_S)
        self._become("stopped")

    async def _run_once(self) -> None:
        try:
            if self.program.before is not None:
                await self.program.before()
            self._process = await _spawn(self.program)
        except Exception as error:  # noqa: BLE001 - told in the log and in stack.json, and tried again
            self.last_exit = f"{type(error).__name__}: {error}"
            return
        self.pid = self._process.pid
        self.created = created_at(self.pid)
        self._become("starting")
        watch = asyncio.create_task(self._announce_ready())
        code = await self._process.wait()
        watch.cancel()
        end_group(self.pid)
        if wrong := await asyncio.to_thread(clear_up, self.program.clear_up, self.program.leftovers):
            self.say(f"{self.program.name}: {wrong}")
        self.last_exit = _describe(code)
        # In one go, so that no reader of stack.json is told of a ready part without a process.
        self.state, self.pid, self.created = "ended", 0, 0.0

    async def _announce_ready(self) -> None:
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                if await asyncio.wait_for(self.program.ready(), 5):
                    break
            await asyncio.sleep(0.1)
        self._become("ready")
        self._ready.set()

    def _become(self, state: str) -> None:
        if state != self.state:
            self.state, self.since = state, time.time()
            self.changed()


async def _spawn(program: Program) -> asyncio.subprocess.Process:
    program.log.parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"user": program.user, "group": program.user, "extra_groups": []} if program.user else {}
    with program.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *program.argv,
            env=dict(program.env),
            cwd=program.cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_die_with_parent(program.stop_signal),
            **options,
        )


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """On Linux the kernel ends the child when the supervisor dies, even by kill -9."""
    libc = _LIBC
    if libc is None:
        return None

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)

    return ask_kernel


def created_at(pid: int) -> float:
    """When the process was made; with the pid it names one process for ever. 0.0 if it is gone."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def alive(pid: int, created: float) -> bool:
    """True if this very process still runs: a reused pid has another time of creation."""
    if not pid or abs(created_at(pid) - created) > 1.0:
        return False
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end(pid: int, created: float, *, patience_s: float = 15.0) -> bool:
    """End a process of which only pid and creation time are known, with its group; returns when it is gone.

    True if there was one. It has `patience_s` to end by itself; a killed one needs a moment too, and is waited for.
    """
    if not alive(pid, created):
        return False
    _signal(pid, signal.SIGTERM)
    _signal(pid, signal.SIGCONT)
    _wait_until_gone(pid, created, patience_s)
    end_group(pid)
    _wait_until_gone(pid, created, patience_s)
    return True


def _wait_until_gone(pid: int, created: float, longest_s: float) -> None:
    deadline = time.monotonic() + longest_s
    while alive(pid, created) and time.monotonic() < deadline:
        time.sleep(0.05)


def end_group(pid: int) -> None:
    """Kill what is left of the process group that the child led."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def clear_up(command: Sequence[str], leftovers: Iterable[str | Path]) -> str:
    """Remove what an ended process left behind; returns what went wrong, empty if nothing did.

    The command may find nothing to do, so its status is not looked at. One that hangs, or is not there any more, must
    not keep the supervisor from starting the program anew or from ending the others.
    """
    for path in leftovers:
        Path(path).unlink(missing_ok=True)
    try:
        if command:
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_CLEAR_UP_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"未能清理 · could not clear up ({' '.join(command)}): {type(error).__name__}"
    return ""


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _describe(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit {code}"
