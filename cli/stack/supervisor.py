"""The one process that starts everything in order, restarts what ends by accident, and leaves nothing behind.

Run as `python -m cli.stack.supervisor --dir DIR [--services a,b] [--fast] [--owner PID]`, by `cli.stack.stack.start`.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import datetime
import fcntl
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TextIO

from cli.stack import clock, environment, ports, process, secrets
from cli.stack import layout as layouts
from cli.stack.parts import objects, postgres, rabbitmq, rabbitmq_folder, services

#: A process that was killed is known to be dead so long after.
_NOTICE_S = 0.5


class AlreadyRunning(Exception):
    """Another supervisor holds this directory."""


class Supervisor:
    """Owns the children of one state directory. All methods run on one event loop."""

    def __init__(self, layout: layouts.Layout, chosen: tuple[str, ...], *, fast: bool, owner: int) -> None:
        self.layout = layout
        self.services = chosen
        self.fast = fast
        self.owner = owner
        self.given = environment.given()
        self.clean = environment.clean()
        self.keys = secrets.load_or_generate(layout.secrets)
        self.children: dict[str, process.Child] = {}
        self.messages: list[str] = []
        self.phase = "starting"
        self.error = ""
        self.ending = asyncio.Event()
        self.ports: dict[str, int] = {}

    async def run(self) -> int:
        """Start, serve requests until asked to end, end. The exit status is 1 if the start failed."""
        yesterday = self.layout.read_state()
        sweep(yesterday)
        self.ports = ports.choose(self._port_names(), yesterday.get("ports", {}))
        if not self.layout.clock.exists():
            clock.reset(self.layout.clock)
        self.write()
        self._catch_signals()
        async with self._control():
            watch = asyncio.create_task(self._watch_owner())
            starting = asyncio.create_task(self._start_all())
            ending = asyncio.create_task(self.ending.wait())
            await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)
            failed = await self._conclude(starting)
            if not failed:
                await ending
            await self._stop_all()
            for task in (watch, ending):
                task.cancel()
        self.phase = "failed" if failed else "stopped"
        self.write()
        return int(failed)

    def say(self, text: str) -> None:
        """A line for people: kept in stack.json for `up` to show, and in the supervisor's own log."""
        stamp = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        sys.stdout.write(f"{stamp} {text}\n")
        sys.stdout.flush()
        self.messages = [*self.messages[-199:], text]
        self.write()

    def write(self) -> None:
        own = os.getpid()
        self.layout.write_state(
            {
                "phase": self.phase,
                "error": self.error,
                "supervisor": {"pid": own, "created": process.created_at(own)},
                "services": list(self.services),
                "given": sorted(self.given),
                "ports": self.ports,
                "parts": {name: child.as_dict() for name, child in self.children.items()},
                "messages": self.messages,
            }
        )

    # -- start and end

    async def _conclude(self, starting: "asyncio.Task[None]") -> bool:
        if not starting.done():
            starting.cancel()
        try:
            await starting
        except asyncio.CancelledError:
            return False
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the parts that did start are ended, and the reason is told
            self.error = "\n".join(_reasons(error))
            self.say(f"启动失败 · start failed: {self.error}")
            return True
        return False

    async def _start_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for begin in (self._start_postgres, self._start_rabbitmq, self._start_objects):
                group.create_task(begin())
        async with asyncio.TaskGroup() as group:
            group.create_task(self._settle_rabbitmq())
            for service in self.services:
                group.create_task(self._start_service(service))
        self.phase = "ready"
        self.say("就绪 · ready")

    async def _start_postgres(self) -> None:
        address = environment.urls(self.keys, self.ports, self.given)["DATABASE_URL"]
        if "DATABASE_URL" not in self.given:
            await self._bring_up(
                postgres.program(self.layout, self.keys, self.ports, self.clean, say=self.say, fast=self.fast)
            )
        await self._provision("postgres", lambda: postgres.provision(address, self.keys))

    async def _start_rabbitmq(self) -> None:
        if "AMQP_URL" in self.given:
            return
        broker = await asyncio.to_thread(rabbitmq.find_or_install, os.environ, self._say_from_thread())
        for part in broker.programs(self.layout, self.keys, self.ports, self.clean):
            await self._bring_up(part)

    async def _settle_rabbitmq(self) -> None:
        if "AMQP_URL" not in self.given:
            address = environment.urls(self.keys, self.ports, self.given)["AMQP_URL"]
            await rabbitmq_folder.settle(self.layout, self.children["rabbitmq"], address)

    async def _start_objects(self) -> None:
        if "S3_URL" not in self.given:
            await self._bring_up(objects.program(self.layout, self.keys, self.ports, self.clean))
        address = environment.urls(self.keys, self.ports, self.given)["S3_URL"]
        await self._provision("objects", lambda: objects.provision(address))

    async def _provision(self, part: str, act: Callable[[], Awaitable[None]]) -> None:
        """Provisioning may be repeated: a part of ours that dies under it is waited for, and it begins anew."""
        child = self.children.get(part)
        tried = child.pid if child else 0
        while True:
            try:
                return await act()
            except Exception:
                await asyncio.sleep(_NOTICE_S)
                if child is None or child.pid == tried:
                    raise
                tried = child.pid if child.state == "ready" else tried

    async def _start_service(self, service: str) -> None:
        own = environment.for_service(service, self.layout, self.keys, self.ports, self.given)
        env = {**self.clean, **own}
        await self._bring_up(services.program(self.layout, service, self.ports[service], env))

    async def _bring_up(self, program: process.Program) -> process.Child:
        self.say(f"{program.name}: 启动中 · starting")
        child = process.Child(program, self.write, self.say)
        self.children[program.name] = child
        child.start()
        await child.until_ready()
        self.say(f"{program.name}: 就绪 · ready")
        return child

    async def _stop_all(self) -> None:
        self.phase = "stopping"
        self.say("正在停止 · stopping")
        # Services and extras have no order among themselves; the infrastructure ends after them, last started first.
        outer = [child for child in self.children.values() if child.program.kind != "infra"]
        await asyncio.gather(*(child.stop() for child in outer))
        for child in reversed([child for child in self.children.values() if child.program.kind == "infra"]):
            await child.stop()

    def _port_names(self) -> list[str]:
        return ["control", "postgres", *rabbitmq.PORTS, *objects.PORTS, *self.services]

    def _say_from_thread(self) -> Any:
        loop = asyncio.get_running_loop()
        return lambda text: loop.call_soon_threadsafe(self.say, text)

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self.ending.set)

    async def _watch_owner(self) -> None:
        """A stack made for one test run or demo must not outlive it."""
        created = process.created_at(self.owner)
        while self.owner:
            if not process.alive(self.owner, created):
                self.say("所属进程已结束 · the process that asked for this stack is gone")
                self.ending.set()
                return
            await asyncio.sleep(1)

    # -- requests

    @contextlib.asynccontextmanager
    async def _control(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, ports.LOOPBACK, self.ports["control"])
        try:
            yield
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            answer = await self._answer(request)
        except (ValueError, KeyError, TypeError, AttributeError, process.PartFailed) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        with contextlib.suppress(ConnectionError):
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("key") != self.keys.control:
            return {"error": "wrong key"}
        match request["do"]:
            case "down":
                self.ending.set()
            case "kill":
                self._child(request).kill(int(request["signal"]))
            case "stop":
                await self._child(request).stop()
            case "start":
                self._child(request).start()
                await self._child(request).until_ready()
            case "restart":
                await self._child(request).stop()
                self._child(request).start()
                await self._child(request).until_ready()
            case "spawn":
                await self._spawn(request)
            case "remove":
                await self._child(request).stop()
                del self.children[request["part"]]
                self.write()
            case other:
                return {"error": f"unknown request {other}"}
        return {"ok": True}

    def _child(self, request: dict[str, Any]) -> process.Child:
        try:
            return self.children[request["part"]]
        except KeyError:
            raise ValueError(f"没有这个部件 · no such part: {request['part']}; {', '.join(self.children)}") from None

    async def _spawn(self, request: dict[str, Any]) -> None:
        name, url = str(request["part"]), str(request.get("ready_url", ""))
        if name in self.children and self.children[name].state != "stopped":
            raise ValueError(f"已在运行 · runs already: {name}")
        program = process.Program(
            name=name,
            argv=tuple(request["argv"]),
            env={**self.clean, **request.get("env", {})},
            cwd=Path(request.get("cwd") or layouts.PROJECT),
            log=self.layout.log(name),
            restart=bool(request.get("restart", True)),
            url=str(request.get("url", "")),
            port=int(request.get("port", 0)),
        )
        if url:
            program = dataclasses.replace(program, ready=lambda: asyncio.to_thread(services.answers, url))
        await self._bring_up(program)


def _reasons(error: BaseException) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        return [line for one in error.exceptions for line in _reasons(one)]
    return [str(error) if isinstance(error, process.PartFailed) else f"{type(error).__name__}: {error}"]


def sweep(state: dict[str, Any]) -> list[str]:
    """End whatever a dead supervisor left running; returns the names. Pid and time of creation name a process."""
    parts = sorted(state.get("parts", {}).items(), key=lambda item: item[1].get("kind") == "infra")
    ended = [name for name, part in parts if process.end(int(part.get("pid", 0)), float(part.get("created", 0.0)))]
    wrong = [process.clear_up(part.get("clear_up", ()), part.get("leftovers", ())) for _, part in parts]
    return [*ended, *filter(None, wrong)]


@contextlib.contextmanager
def held(layout: layouts.Layout) -> Any:
    """Hold the directory: the lock goes with the process, however it ends, so no stale one can be left."""
    with layout.lock.open("w") as file:
        _lock(file)
        yield


def _lock(file: TextIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise AlreadyRunning from error


def main() -> int:
    """The entry of the supervisor process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--services", default="")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--owner", type=int, default=0)
    asked = parser.parse_args()
    layout = layouts.Layout.at(asked.dir)
    chosen = tuple(name for name in asked.services.split(",") if name)
    try:
        with held(layout):
            return asyncio.run(_run(layout, chosen, fast=asked.fast, owner=asked.owner))
    except AlreadyRunning:
        sys.stderr.write("另一个监督进程正在使用该目录 · another supervisor holds this directory\n")
        return 3
    except secrets.Unreadable as error:
        sys.stderr.write(f"{error}\n")
        return 4


async def _run(layout: layouts.Layout, chosen: tuple[str, ...], *, fast: bool, owner: int) -> int:
    return await Supervisor(layout, chosen, fast=fast, owner=owner).run()


if __name__ == "__main__":
    sys.exit(main())
