"""The rounds of a desk in its hall: exchange with all others, take over when it is time, and settle the queue."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable

import uvicorn
from fastapi import FastAPI

from gradphoto_contracts import ids
from kit import logs
from kit.errors import Problem
from station import settings
from station.hall import figures, peers, wire
from station.hall.member import Member
from station.handlers import hall as acts
from station.ports import workplace

_REFRESH_S, _BIND_AGAIN_S = 15.0, 5.0
#: Connections of other desks, or of whoever knocks; more are answered 503 and closed. A desk holds one or two.
_AT_ONCE = 100
#: However much happens, rounds do not follow each other closer than this.
_BREATH_S = 0.02
#: How often it is looked at what of the logs may go.
TRIM_BEATS = 60

#: The list of the hall as the server sends it, with its signature.
Fetch = Callable[[], Awaitable[tuple[bytes, str]]]


class Rounds:
    """What goes on beside the operator's work, for as long as the station runs."""

    def __init__(
        self, member: Member, work: workplace.Work, config: settings.HallSettings, fetch: Fetch, shown: figures.Figures
    ) -> None:
        self.member, self._work, self._config, self._fetch, self._figures = member, work, config, fetch, shown
        self._standing = member.standing
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._at: dict[str, ids.StationId] = {}
        self._trim_at = 0.0
        self._standing.pack_as_of = lambda: work.packs.as_of
        #: Why the door for the other desks does not open, if so.
        self.door_trouble: str | None = None

    async def run(self) -> None:
        """Go round once a beat, and at once when something happened."""
        try:
            while True:
                self._standing.hurried.clear()
                try:
                    await self._round()
                except Problem as problem:
                    logs.get().warning("hall.round-failed", code=problem.code)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._standing.hurried.wait(), self._standing.beat_s)
                await asyncio.sleep(_BREATH_S)
        finally:
            for task in self._asking.values():
                task.cancel()
            await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def refresh(self) -> None:
        """Keep the server's list fresh; without network the last one stays in use."""
        while True:
            try:
                self._standing.listed.take(*await self._fetch())
            except Problem as problem:
                logs.get().info("hall.list-not-refreshed", code=problem.code)
            await asyncio.sleep(_REFRESH_S if self._standing.others else self._standing.beat_s)

    async def serve(self, application: FastAPI) -> None:
        """Listen for the other desks; when the address is gone (a cable, a sleeping laptop), try it again."""
        while True:
            try:
                listening = _bind(self._config.listen)
            except OSError as error:
                self.door_trouble = self._config.listen
                logs.get().warning("hall.door-closed", listen=self._config.listen, errno=error.errno or 0)
                await asyncio.sleep(_BIND_AGAIN_S)
                continue
            self.door_trouble = None
            self._standing.own_address = self._config.address or _reachable(listening)
            logs.get().info("hall.door-open", address=self._standing.own_address)
            options = uvicorn.Config(
                application, log_config=None, access_log=False, server_header=False, lifespan="off",
                timeout_graceful_shutdown=1, limit_concurrency=_AT_ONCE,
            )  # fmt: skip
            server = _Server(options)
            try:
                await server.serve(sockets=[listening])
            finally:
                server.should_exit = True
                listening.close()

    async def _round(self) -> None:
        started = [self._ask(address) for address in self._addresses() if address not in self._asking]
        if started:
            await asyncio.wait(started, timeout=self._standing.beat_s)
        if await self._standing.begin():
            self._figures.took_over()
        part = self._standing.part
        self._work.hall = None if part == "off" else self.member
        if part != "off":
            unsettled = self._standing.unsettled()
            await acts.settle(self._work, self.member, list(unsettled))
            self._standing.settled(unsettled)
            await self._trim()
        self._show()

    async def _trim(self) -> None:
        """Now and then; between settling and trimming nothing is awaited that could change the desk's queue."""
        if time.monotonic() < self._trim_at:
            return
        self._trim_at = time.monotonic() + TRIM_BEATS * self._standing.beat_s
        await acts.tell_releases(self._work, self.member)
        if gone := await self._standing.trim():
            self._figures.trimmed(gone)
            logs.get().info("hall.trimmed", entries=gone)

    def _addresses(self) -> set[str]:
        known = {self._standing.address(peer) for peer in self._standing.others}
        return {address for address in (*known, *self._config.peers) if address} - {self._standing.own_address}

    def _ask(self, address: str) -> asyncio.Task[None]:
        task = asyncio.create_task(self._exchange(address))
        self._asking[address] = task
        task.add_done_callback(lambda _: self._asking.pop(address, None))
        return task

    async def _exchange(self, address: str) -> None:
        client, standing = self.member.client, self._standing
        try:
            full = True
            while full:
                told = standing.told(self._at.get(address))
                who, answer = await client.ask(address, "/v1/hall/exchanges", told, wire.Told)
                self._at[address] = who
                await standing.hear(who, answer)
                full = len(answer.entries) == wire.BATCH or len(told.entries) == wire.BATCH
        except peers.PeerUnreachable as problem:
            self._figures.exchanged("failed")
            if problem.gone and address in self._at:
                standing.lose(self._at[address])
        except Problem as problem:
            self._figures.exchanged("failed")
            logs.get().warning("hall.not-exchanged", code=problem.code)
        else:
            self._figures.exchanged("done")

    def _show(self) -> None:
        standing, term = self._standing, self._standing.hall.term
        self._figures.stands(
            hub=standing.part == "hub",
            split=standing.part in ("alone", "waiting") and standing.others != [],
            term=term.number if term else 0,
            heard=len(standing.heard),
            listed=len(standing.others),
            doubles=standing.doubles,
            entries=sum(map(len, standing.hall.logs.values())),
        )


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


def _bind(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host.strip("[]"), int(port)))
        listening.listen(64)
    except BaseException:
        listening.close()
        raise
    return listening


def _reachable(listening: socket.socket) -> str | None:
    """Where others find us: the address bound to, else that of the interface that leads out."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("10.255.255.255", 1))  # sends nothing; picks the interface
            except OSError:
                return None
            host = probe.getsockname()[0]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
