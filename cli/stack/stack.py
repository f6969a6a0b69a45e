"""The embedded stack as a library: `start` one, ask its handle for addresses and tokens, kill parts of it, end it.

Everything here blocks for a moment and is not async: from async code call it through `asyncio.to_thread`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cli.stack import clock as clocks
from cli.stack import control, environment, process, secrets, supervisor
from cli.stack import layout as layouts
from kit import auth

ALL = secrets.SERVICES
Say = Callable[[str], None]


class StartFailed(Exception):
    """The stack did not come up; the text names the part and holds the end of its log."""


class SupervisorLost(StartFailed):
    """The supervisor was killed before it was ready; started again, it ends what the dead one left."""


def _silent(_: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A handle on a stack that runs under its supervisor; it holds no connection and may be made at any time."""

    layout: layouts.Layout

    @classmethod
    def at(cls, root: Path | None = None) -> "Stack":
        return cls(layouts.Layout.at(root))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    # -- what it is

    def state(self) -> dict[str, Any]:
        """`stack.json`, corrected: parts whose process is gone are not called ready."""
        state = self.layout.read_state()
        if state and not control.supervisor_alive(state) and state["phase"] not in {"stopped", "failed"}:
            state["phase"] = "lost"
        for part in state.get("parts", {}).values():
            if part["pid"] and not process.alive(part["pid"], part["created"]):
                part["state"], part["pid"] = "gone", 0
        return state

    def running(self) -> bool:
        return control.supervisor_alive(self.layout.read_state())

    def secrets(self) -> secrets.Secrets:
        return secrets.load(self.layout.secrets)

    def urls(self) -> dict[str, str]:
        """DATABASE_URL, AMQP_URL and S3_URL with administrator credentials."""
        return environment.urls(self.secrets(), self._ports(), environment.given())

    def env_for(self, service: str) -> dict[str, str]:
        """The `GRADPHOTO_` variables that the service was started with."""
        return environment.for_service(service, self.layout, self.secrets(), self._ports(), environment.given())

    def url(self, service: str) -> str:
        """`http://127.0.0.1:port` of a service."""
        return str(self._part(service)["url"])

    def port(self, name: str) -> int:
        """A port by its name in stack.json, such as `rabbitmq-management`."""
        return self._ports()[name]

    def pids(self) -> dict[str, int]:
        """The process of each part that runs now."""
        parts = self.state().get("parts", {})
        return {name: int(part["pid"]) for name, part in parts.items() if part["pid"]}

    def now(self) -> float:
        """Seconds since 1970 by the stack's own clock."""
        return clocks.now(self.layout.clock)

    def token(self, role: str, *, subject: str = "cli", hours: float = 8.0, **scope: Sequence[str]) -> str:
        """A signed token. Scope by keyword, each a list: campaign, campus, college, class_, student; none = no bounds.

        ValueError names the roles or scopes that there are, if it is none of them.
        """
        bounds = {name.rstrip("_"): values for name, values in scope.items()}
        now = datetime.fromtimestamp(self.now(), UTC)
        return auth.mint(self.secrets().token_private_key, subject, role, bounds, now, timedelta(hours=hours))

    # -- what one can do to it

    def kill(self, part: str, number: int = signal.SIGKILL) -> None:
        """An accident: the signal goes to the part's process; the supervisor restarts what ends of it."""
        victim = self._part(part)
        control.ask(self.layout, "kill", part=part, signal=int(number))
        # So that whoever then asks whether the part is ready is not told of the one that is just dying.
        while number == signal.SIGKILL and process.alive(victim["pid"], victim["created"]):
            time.sleep(0.01)

    def stop(self, part: str) -> None:
        """End the part and keep it down until `start_part`."""
        control.ask(self.layout, "stop", part=part)

    def start_part(self, part: str) -> None:
        control.ask(self.layout, "start", part=part)

    def restart(self, part: str) -> None:
        """End the part in good order and start it; returns when it is ready."""
        control.ask(self.layout, "restart", part=part)

    def spawn(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        ready_url: str = "",
        url: str = "",
        port: int = 0,
        restart: bool = True,
        cwd: Path | None = None,
    ) -> None:
        """Put any further process under the supervisor; returns once `ready_url` answers 200."""
        more: dict[str, Any] = {
            "env": dict(env or {}),
            "ready_url": ready_url,
            "url": url,
            "port": port,
            "restart": restart,
        }
        control.ask(self.layout, "spawn", part=name, argv=list(argv), cwd=str(cwd or ""), **more)

    def remove(self, name: str) -> None:
        """End a spawned process and forget it."""
        control.ask(self.layout, "remove", part=name)

    def wait_ready(self, part: str, timeout_s: float = 60.0) -> None:
        """Return once the part is ready; TimeoutError otherwise."""
        deadline = time.monotonic() + timeout_s
        while self.state()["parts"].get(part, {}).get("state") != "ready":
            if time.monotonic() > deadline:
                raise TimeoutError(f"{part} 未就绪 · is not ready")
            time.sleep(0.05)

    def down(self, timeout_s: float = 90.0) -> list[str]:
        """End everything, also what a killed supervisor left; returns the names of such leftovers. Safe to repeat."""
        state = self.layout.read_state()
        own = state.get("supervisor") or {"pid": 0, "created": 0.0}
        if control.supervisor_alive(state):
            os.kill(own["pid"], signal.SIGTERM)
        deadline = time.monotonic() + timeout_s
        while process.alive(own["pid"], own["created"]) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.end(own["pid"], own["created"], patience_s=1)
        left = supervisor.sweep(self.layout.read_state())
        if state:
            self._mark_stopped()
        return left

    def _mark_stopped(self) -> None:
        state = self.layout.read_state()
        if state["phase"] != "failed":
            state["phase"] = "stopped"
        for part in state["parts"].values():
            part.update(pid=0, created=0.0, state="stopped")
        self.layout.write_state(state)

    def _ports(self) -> dict[str, int]:
        return {name: int(port) for name, port in self.layout.read_state()["ports"].items()}

    def _part(self, name: str) -> dict[str, Any]:
        part: dict[str, Any] = self.layout.read_state()["parts"][name]
        return part


def start(
    root: Path | None = None,
    *,
    services: Sequence[str] = ALL,
    fast: bool = False,
    bound: bool = False,
    say: Say = _silent,
    timeout_s: float = 900.0,
) -> Stack:
    """Start a stack and return when all of it is ready; a running one is returned as it is.

    `services=()` starts the infrastructure alone. `fast` gives up durability over power cuts (tests). `bound` ends the
    stack when this process ends. `say` hears the progress lines. StartFailed names the part that did not come up.
    """
    layout = layouts.Layout.at(root)
    stack = Stack(layout)
    if stack.running() and layout.read_state()["phase"] == "ready":
        return stack
    launched = launch(layout, services, fast=fast, bound=bound)
    _follow(layout, launched, say, timeout_s)
    return stack


def command(layout: layouts.Layout, services: Sequence[str], *, fast: bool = False, bound: bool = False) -> list[str]:
    """The command line of a supervisor."""
    line = [sys.executable, "-m", "cli.stack.supervisor", "--dir", str(layout.root), "--services", ",".join(services)]
    line += ["--fast"] if fast else []
    return line + (["--owner", str(os.getpid())] if bound else [])


def launch(
    layout: layouts.Layout, services: Sequence[str], *, fast: bool = False, bound: bool = False
) -> "subprocess.Popen[bytes]":
    """Start the supervisor apart from this terminal; does not wait for the parts."""
    with layout.log("supervisor").open("ab") as log:
        return subprocess.Popen(
            command(layout, services, fast=fast, bound=bound),
            cwd=layouts.PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _follow(layout: layouts.Layout, launched: "subprocess.Popen[bytes]", say: Say, timeout_s: float) -> None:
    told = 0
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        ended = launched.poll() is not None
        state = layout.read_state()
        if state.get("supervisor", {}).get("pid") == launched.pid:
            for text in state["messages"][told:]:
                say(text)
            told = len(state["messages"])
            if state["phase"] == "ready":
                launched.returncode = 0  # it lives on by itself: nobody here waits for it
                return
        if ended and launched.returncode < 0:
            raise SupervisorLost(f"监督进程被终止 · the supervisor was killed: {-launched.returncode}")
        if ended:
            raise StartFailed(state.get("error") or layouts.log_tail(layout.log("supervisor")))
        time.sleep(0.05)
    raise StartFailed(f"{timeout_s:g} s 内未就绪 · not ready in time")
