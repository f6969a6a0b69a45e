"""Wiring: a directory becomes an agent, an agent becomes a running station."""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from gradphoto_contracts import ids
from kit import clock as clocks
from kit import ids as new_ids
from kit import logs, metrics, web
from station import api, inspection, journal, measures, packs, ports, server, settings, spool, timekeeping, uplink
from station.agent import Agent
from station.cameras import choice
from station.domain import facts
from station.domain.desk import Desk

_HOST = "127.0.0.1"
#: How long requests under way may take to end.
_GRACE_S = 5


async def build(directory: settings.Directory, config: settings.Settings) -> Agent:
    """Open the directory and wire an agent over it. The caller closes it."""
    enrolled = directory.enrolled()
    clock = timekeeping.StationClock(clocks.clock_for(config), directory.skew)
    book = journal.SqliteJournal(directory.journal)
    await book.open()
    desk = Desk(enrolled.desk_code, await book.history())
    client = server.Server(enrolled.server, enrolled.station_id, directory.private_pem(), clock)
    held = spool.FileSpool(directory.spool, directory.sealer(), config.station_reserve_mb * 1024 * 1024)
    pack = packs.SealedPacks(directory.pack, directory.sealer(), client, clock)
    figures = measures.Measures(desk, enrolled.campus_code)
    agents: list[Agent] = []

    async def received(fact: facts.Fact) -> None:
        await agents[0].received(fact)

    sender = uplink.Uplink(client, book, held, clock.now, received)
    inspector = inspection.PhotospecInspector()
    work = ports.Work(
        desk=desk,
        journal=book,
        spool=held,
        camera=choice.open_camera(enrolled.camera, directory.camera, _serial(enrolled.station_id)),
        inspector=inspector,
        packs=pack,
        clock=clock,
        new_id=new_ids.new,
        happened=figures.happened,
        wake_uplink=sender.wake,
    )
    embedded = config.deployment == "embedded"
    agents.append(
        Agent(directory, enrolled, work, book, held, pack, client, sender, clock, figures, inspector, embedded=embedded)
    )
    return agents[0]


def web_door(agent: Agent, config: settings.Settings, token: str) -> FastAPI:
    """The operator's door of an agent."""

    async def readiness() -> dict[str, bool]:
        return {"pack": agent.packs.size > 0}

    return web.application(
        config,
        title="gradphoto station",
        clock=clocks.clock_for(config),
        verifier=None,
        routers=[api.router(agent, token)],
        readiness=readiness,
    )


async def run(root: Path, config: settings.Settings) -> int:
    """Run the station until it is told to stop. Status 1 when a part of it failed: a supervisor starts it anew."""
    directory = settings.Directory(root)
    agent = await build(directory, config)
    try:
        await agent.start()
        with metrics.served(config.station_metrics) if config.station_metrics else contextlib.nullcontext():
            return await _serve(agent, directory, config)
    finally:
        directory.door.unlink(missing_ok=True)
        await agent.close()


async def _serve(agent: Agent, directory: settings.Directory, config: settings.Settings) -> int:
    token = secrets.token_urlsafe(32)
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.bind((_HOST, 0))
    listening.listen(128)
    door = _Server(_options(web_door(agent, config, token)))
    stopping = asyncio.Event()
    _on_signals(stopping)
    parts = [asyncio.create_task(door.serve(sockets=[listening]), name="door")]
    async with _door_file(directory, listening.getsockname()[1], token):
        parts += [asyncio.ensure_future(act()) for act in agent.background()]
        asked = asyncio.create_task(stopping.wait())
        ended, _ = await asyncio.wait({asked, *parts}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    for task in ended - {asked}:
        logs.get().error("station.part-ended", part=task.get_name(), exc_info=task.exception())
    door.should_exit = True
    for task in parts[1:]:
        task.cancel()
    await asyncio.wait(parts, timeout=10)
    return 0 if ended == {asked} else 1


def _options(door: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        door, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=_GRACE_S, lifespan="off"
    )


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: this process has more than a door to close."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


@contextlib.asynccontextmanager
async def _door_file(directory: settings.Directory, port: int, token: str) -> AsyncIterator[None]:
    url = f"http://{_HOST}:{port}"
    door = {"url": url, "token": token, "pid": os.getpid(), "metrics": f"{url}/metrics"}
    settings.write_secret(directory.door, json.dumps(door).encode())
    logs.get().info("station.open", url=url)
    yield


def _on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Not loop.add_signal_handler: Windows has none.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopping.set))


def _serial(station_id: ids.StationId) -> str:
    return station_id.hex[-8:]
