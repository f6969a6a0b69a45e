"""Wiring: a directory becomes an agent, an agent and its door become a running station."""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import uvicorn
from fastapi import APIRouter, FastAPI

from gradphoto_contracts import ids
from kit import auth, documents, logs, metrics, web
from kit import clock as clocks
from kit import ids as new_ids
from kit.errors import Unavailable
from station import (
    ballast,
    bandwidth,
    enrolment,
    faces,
    gear,
    inspection,
    journal,
    measures,
    packs,
    previews,
    receipts,
    server,
    settings,
    spool,
    timekeeping,
    uplink,
)
from station.agent import Agent
from station.api import door as operator_door
from station.cameras import choice
from station.console import admission, door, helper_mode, joining, live, pages, setup
from station.domain import facts
from station.domain.desk import Desk
from station.hall import joined
from station.ports import workplace

_HOST = "127.0.0.1"
#: How long requests under way may take to end.
_GRACE_S = 5


async def build(directory: settings.Directory, config: settings.Settings) -> Agent:
    """Open the directory and wire an agent over it. The caller closes it."""
    enrolled = directory.enrolled()
    clock = timekeeping.StationClock(clocks.clock_for(config), directory.skew)
    book = journal.SqliteJournal(directory.journal, directory.sealer("journal"))
    await book.open()
    desk = Desk(enrolled.desk_code, await book.history())
    figures = measures.Measures(desk, enrolled.campus_code)
    agents: list[Agent] = []

    def happened(fact: facts.Fact) -> None:
        figures.happened(fact)
        if hall:
            hall.wake()

    def upload_limit() -> float | None:
        policy = pack.current().upload_kbit_s if pack.size else None
        return bandwidth.tighter(config.station_upload_kbit_s, policy)

    bucket = bandwidth.Bucket(upload_limit, passed=figures.went_up)
    embedded = config.deployment == "embedded"
    client = server.Server(
        enrolled.server, enrolled.station_id, directory.private_pem(), clock, bucket, plain_http=embedded
    )
    hall = joined.join(directory, config, enrolled, clock, client.hall)
    held = spool.FileSpool(directory.spool, directory.sealer(), config.reserve_bytes, figures.disk_refused)
    ours = packs.Ours(enrolled.pack_key, enrolled.campaign_id, enrolled.desk_id)
    pack = packs.SealedPacks(directory.pack, directory.sealer("pack"), client, clock, ours, figures.pack_refused)

    async def received(fact: facts.Fact) -> None:
        await agents[0].received(fact)

    genuine = receipts.Receipts(enrolled.pack_key, enrolled.station_id)
    sender = uplink.Uplink(client, book, held, clock.now, received, genuine, figures.uplink_failed)
    inspector = inspection.PhotospecInspector()
    devices = gear.open_gear(enrolled.reader, enrolled.printer, directory.slips, desk, figures.noticed)
    work = workplace.Work(
        desk=desk,
        journal=book,
        spool=held,
        camera=choice.open_camera(enrolled.camera, directory.camera, _serial(enrolled.station_id), figures.noticed),
        inspector=inspector,
        packs=pack,
        clock=clock,
        new_id=new_ids.new,
        happened=happened,
        wake_uplink=sender.wake,
        sign_seal=_signer(directory, enrolled.station_id, documents.SEAL, "session_id"),
        sign_consent=_signer(directory, enrolled.station_id, documents.CONSENT, "consent_id"),
        faces=faces.SFaceFaces(),
        compared_in=figures.compared_in,
        drill=embedded,
        printer=devices.printer,
    )
    devices.serve(work)
    if hall:
        hall.serves(work)
    agents.append(
        Agent(
            *(directory, enrolled, work, book, held, pack, client, sender, clock, figures, inspector, devices),
            ballast=ballast.Ballast(directory.ballast, config.reserve_bytes),
            embedded=embedded,
            upload_limit=upload_limit,
            after_kill=_left_by_another(directory),
            hall=hall,
        )
    )
    return agents[0]


def _signer(
    directory: settings.Directory, station_id: ids.StationId, signed_as: str, key_name: str
) -> Callable[[UUID, Mapping[str, Any]], str]:
    """What signs a document: with the station's own key, over the document's id and the station too."""
    stamp = auth.Stamp(directory.private_pem(), signed_as)

    def sign(key: UUID, document: Mapping[str, Any]) -> str:
        named = {**document, key_name: str(key), "station_id": str(station_id)}
        return stamp.sign(documents.canonical(named))

    return sign


class Door:
    """The operator's door: one address and one token for as long as the process lives, whatever is behind it."""

    def __init__(self, directory: settings.Directory, config: settings.Settings) -> None:
        directory.make()
        self.directory, self.config = directory, config
        self.token = secrets.token_urlsafe(32)
        self.guard = admission.Admission(directory.console_key(), self.station)
        self.port = 0
        self.streams = live.Live()
        #: Set when what is behind the door is to be built anew.
        self.again = asyncio.Event()

    def station(self) -> str:
        """Who stands in audit lines."""
        return str(self.directory.enrolled().station_id) if self.directory.is_enrolled else "unenrolled"

    def unenrolled(self) -> FastAPI:
        """The door of a station that serves no desk yet: the page to set it up."""
        wizard = setup.unenrolled(self.directory, self.config, self.guard, self.streams, self.again.set)
        return self._application([wizard], _never_ready)

    def of(self, agent: Agent) -> FastAPI:
        """The door of an agent."""

        async def readiness() -> dict[str, bool]:
            return {"pack": agent.packs.size > 0}

        desk = door.Desk(agent, previews.Previews(agent.spool))
        page = door.router(desk, self.guard, self.streams)
        wizard = setup.enrolled(desk, self.directory, self.guard, self.again.set)
        hall = joining.router(desk, self.directory, self.guard, self.again.set)
        helper = helper_mode.router(desk.watch, self.guard)
        operator = operator_door.router(agent, self.token)
        return self._application([operator, page, wizard, hall, helper], readiness)

    def bind(self) -> socket.socket:
        """Take the port of last time, or another one if that is gone. Nobody is let in yet."""
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name != "nt":  # there it would let two programs share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((_HOST, self.port or _last_port(self.directory)))
        except OSError:
            listening.bind((_HOST, 0))
        self.port = listening.getsockname()[1]
        if self.port != _last_port(self.directory):
            try:
                settings.write_whole(self.directory.port, str(self.port).encode())
            except Unavailable as problem:  # the next life takes another port
                logs.get().warning("station.port-not-kept", code=problem.code)
        return listening

    def _application(self, routers: list[APIRouter], readiness: web.Readiness) -> FastAPI:
        return web.application(
            self.config,
            title="gradphoto station",
            clock=clocks.clock_for(self.config),
            verifier=None,
            routers=[door.entrance(self.guard, self.token, self.station()), pages.router(), *routers],
            readiness=readiness,
            docs=False,
        )


async def _never_ready() -> dict[str, bool]:
    return {"enrolled": False}


async def run(root: Path, config: settings.Settings, devices: dict[str, str] | None = None) -> int:
    """Run the station until it is told to stop, first its set-up page if it serves no desk yet.

    `devices` names those to be used from now on. Status 1 when a part of it failed: a supervisor starts it anew.
    """
    directory = settings.Directory(root)
    ballast.Ballast(directory.ballast, config.reserve_bytes).release()
    if devices:
        enrolment.choose(directory, devices)
    entrance = Door(directory, config)
    stopping = asyncio.Event()
    _on_signals(stopping)
    try:
        with metrics.served(config.station_metrics) if config.station_metrics else contextlib.nullcontext():
            status: int | None = None
            while status is None:
                work = _work if directory.is_enrolled else _set_up
                status = await work(entrance, stopping)
            return status
    finally:
        _take_in_door_file(directory)


async def _set_up(entrance: Door, stopping: asyncio.Event) -> int | None:
    logs.get().info("station.waits-for-setup")
    return await _serve(entrance, entrance.unenrolled(), [], stopping)


async def _work(entrance: Door, stopping: asyncio.Event) -> int | None:
    agent = await build(entrance.directory, entrance.config)
    try:
        await agent.start()
        return await _serve(entrance, entrance.of(agent), agent.background(), stopping)
    finally:
        await agent.close()


async def _serve(
    entrance: Door, application: FastAPI, background: list[Callable[[], Awaitable[None]]], stopping: asyncio.Event
) -> int | None:
    """Serve until told to stop (0), until a part ends by itself (1), or until all is to be built anew (None)."""
    entrance.again.clear()
    entrance.streams.open()
    server = _Server(_options(application))
    listening = entrance.bind()
    # Before the first knock: whoever finds the port open finds the token of this life beside it, not of the last.
    _write_door_file(entrance)
    listening.listen(128)
    parts = [asyncio.create_task(server.serve(sockets=[listening]), name="door")]
    parts += [asyncio.ensure_future(act()) for act in background]
    wishes = [asyncio.create_task(wish.wait()) for wish in (stopping, entrance.again)]
    ended, _ = await asyncio.wait({*wishes, *parts}, return_when=asyncio.FIRST_COMPLETED)
    for wish in wishes:
        wish.cancel()
    for task in ended - set(wishes):
        logs.get().error("station.part-ended", part=task.get_name(), exc_info=task.exception())
    entrance.streams.close()
    server.should_exit = True
    for task in parts[1:]:
        task.cancel()
    await asyncio.wait(parts, timeout=10)
    if ended - set(wishes):
        return 1
    return 0 if stopping.is_set() else None


def _options(door: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        door, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=_GRACE_S, lifespan="off"
    )


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: this process has more than a door to close."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


def _write_door_file(entrance: Door) -> None:
    url = f"http://{_HOST}:{entrance.port}"
    told = {"url": url, "token": entrance.token, "pid": os.getpid(), "metrics": f"{url}/metrics"}
    settings.write_secret_somehow(entrance.directory.door, json.dumps(told).encode())
    logs.get().info("station.open", url=url)


def _take_in_door_file(directory: settings.Directory) -> None:
    """Whoever was refused because another agent holds the directory leaves that one's door file."""
    with contextlib.suppress(FileNotFoundError):
        if json.loads(directory.door.read_bytes())["pid"] == os.getpid():
            directory.door.unlink()


def _left_by_another(directory: settings.Directory) -> bool:
    """Whether the door file is of an agent that could not take it in."""
    try:
        return bool(json.loads(directory.door.read_bytes())["pid"] != os.getpid())
    except FileNotFoundError:
        return False


def _last_port(directory: settings.Directory) -> int:
    try:
        return int(directory.port.read_text("ascii"))
    except (FileNotFoundError, ValueError):
        return 0


def _on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Not loop.add_signal_handler: Windows has none.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopping.set))


def _serial(station_id: ids.StationId) -> str:
    return station_id.hex[-8:]
