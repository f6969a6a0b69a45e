"""What `python -m services.<x>` does: migrate, or serve the web door and the work beside it until told to stop."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI

from kit import clock as clocks
from kit import db, logs, settings

S = TypeVar("S", bound=settings.ServiceSettings)

#: How long requests and handlers under way may take to end after SIGTERM.
GRACE_S = 10


@dataclass(frozen=True)
class Service:
    """One wired service: its web door, the work beside it, and what to do before and after."""

    name: str
    web: FastAPI
    background: Sequence[Callable[[], Awaitable[None]]] = ()
    start: Sequence[Callable[[], Awaitable[None]]] = ()
    stop: Sequence[Callable[[], Awaitable[None]]] = ()


def main(
    service: str, settings_type: type[S], build: Callable[[S], Service], argv: Sequence[str] | None = None
) -> None:
    """The whole program of a service: `migrate`, `serve`, `serve --migrate`, and `revision MESSAGE` for developers."""
    arguments = _arguments(service, argv)
    config = settings.load(settings_type)
    logs.configure(service, config.log_level)
    url = config.database_url.get_secret_value()
    if arguments.act == "revision":
        asyncio.run(db.revise(service, url, arguments.message))
    if arguments.act == "migrate" or getattr(arguments, "migrate", False):
        asyncio.run(db.migrate(service, url))
    if arguments.act == "serve":
        sys.exit(asyncio.run(serve(build(config), config)))


def _arguments(service: str, argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m services.{service}")
    acts = parser.add_subparsers(dest="act", required=True)
    acts.add_parser("migrate", help="bring the schema to the newest revision")
    serving = acts.add_parser("serve", help="serve until SIGTERM")
    serving.add_argument("--migrate", action="store_true", help="migrate first")
    acts.add_parser("revision", help="write the next migration").add_argument("message")
    return parser.parse_args(argv)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: this process has more than a web door to close."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


async def serve(service: Service, config: settings.ServiceSettings) -> int:
    """Serve until SIGTERM or SIGINT (status 0), or until a piece of background work ends or fails (status 1)."""
    stopping = asyncio.Event()
    _on_signals(stopping)
    for act in service.start:
        await act()
    server = _Server(_uvicorn_config(service.web, config))
    web = asyncio.create_task(server.serve(), name="web")
    background = [asyncio.create_task(_coroutine(act), name=_name(act)) for act in service.background]
    asked = asyncio.create_task(stopping.wait(), name="signal")
    try:
        done, _ = await asyncio.wait({web, asked, *background}, return_when=asyncio.FIRST_COMPLETED)
        return _report(service.name, done - {asked})
    finally:
        asked.cancel()
        server.should_exit = True
        await _close(web, background)
        for act in reversed(service.stop):
            await act()


async def _coroutine(act: Callable[[], Awaitable[None]]) -> None:
    await act()


def _name(act: Callable[[], Awaitable[None]]) -> str:
    return getattr(act, "__qualname__", type(act).__qualname__)


def _on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)


def _uvicorn_config(web: FastAPI, config: settings.ServiceSettings) -> uvicorn.Config:
    return uvicorn.Config(
        web,
        host=config.host,
        port=config.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )


def _report(service: str, ended: set[asyncio.Task[Any]]) -> int:
    """Say which part ended although nobody asked it to; a supervisor starts the process anew."""
    for task in ended:
        error = task.exception() if not task.cancelled() else None
        logs.get().error("process.part-ended", service=service, part=task.get_name(), exc_info=error)
    return 1 if ended else 0


async def _close(web: "asyncio.Task[None]", background: "list[asyncio.Task[None]]") -> None:
    for task in background:
        task.cancel()
    await asyncio.wait({web, *background}, timeout=GRACE_S + 2)


@contextlib.asynccontextmanager
async def running(*acts: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run background work beside the block, and end it with the block. For tests and tools."""
    tasks = [asyncio.create_task(_coroutine(act), name=_name(act)) for act in acts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result


def ticker(
    name: str, seconds: float, clock: clocks.Clock, act: Callable[[], Awaitable[None]]
) -> Callable[[], Awaitable[None]]:
    """Background work that does `act` every `seconds` by the clock. After a failure, logged, the next tick comes."""

    async def tick() -> None:
        while True:
            try:
                await act()
            except Exception:  # noqa: BLE001 - the next tick is the retry; the log and its alert tell of it
                logs.get().exception("ticker.failed", ticker=name)
            await clock.sleep(seconds)

    tick.__qualname__ = f"ticker {name}"
    return tick
