"""The gear of check-in: what is laid on the reader is checked in, and every number that is issued gets its slip."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from kit import logs
from kit.errors import Problem
from station import devices
from station.domain.desk import Desk
from station.handlers import queue
from station.ports import hardware, workplace
from station.printers import choice as printers
from station.printers import kept
from station.readers import choice as readers


@dataclass(frozen=True, slots=True)
class Arrival:
    """How the last swipe ended. `expired`: the card is past its last day, the person is the same one."""

    stamp: int
    answer: queue.CheckIn | None
    problem: Problem | None
    expired: bool


class Gear:
    """Reader and printer of one desk, each if there is one."""

    def __init__(self, reader: hardware.Reader | None, printer: hardware.Printer | None) -> None:
        self.reader, self.printer = reader, printer
        self.arrival: Arrival | None = None
        self._work: workplace.Work | None = None

    def serve(self, work: workplace.Work) -> None:
        """Take what is read to this desk's check-in."""
        self._work = work

    async def start(self) -> None:
        """Begin to look after both; waits for neither."""
        for device in self._devices():
            await device.start()

    async def close(self) -> None:
        """Let go of both."""
        for device in self._devices():
            await device.close()

    def background(self) -> list[Callable[[], Awaitable[None]]]:
        """The work beside the door."""
        acts: list[Callable[[], Awaitable[None]]] = [device.run for device in self._devices()]
        return [*acts, self._read] if self.reader else acts

    def health(self) -> dict[hardware.DeviceKind, hardware.Health]:
        """How each is that this desk has."""
        found = [device.health() for device in self._devices()]
        return {health.device: health for health in found}

    def _devices(self) -> list[hardware.Device]:
        return [device for device in (self.reader, self.printer) if device is not None]

    async def _read(self) -> None:
        assert self.reader is not None  # noqa: S101 -- else nothing is read
        while True:
            await self._admit(await self.reader.next())

    async def _admit(self, scan: hardware.Scan) -> None:
        """Through the same handler as a typed code; the console tells how it ended."""
        work = self._work
        if work is None:
            return
        expired = scan.expires is not None and scan.expires < work.clock.now().astimezone(queue.CHINA).date()
        try:
            answer, problem = await queue.check_in(work, scan.payload, scan.source), None
        except Problem as trouble:
            logs.get().warning("checkin.not-answered", code=trouble.code)
            answer, problem = None, trouble
        self.arrival = Arrival(time.monotonic_ns(), answer, problem, expired)


def open_gear(reader: str, printer: str, slips: Path, desk: Desk, noticed: devices.Noticed) -> Gear:
    """The gear of these names; `slips` is where those that wait are kept."""
    found = printers.open_printer(printer, noticed)
    if found is None:
        return Gear(readers.open_reader(reader, noticed), None)
    return Gear(readers.open_reader(reader, noticed), kept.KeptSlips(found, slips, lambda number: _waits(desk, number)))


def _waits(desk: Desk, number: str) -> bool:
    ticket = desk.tickets.get(number)
    return ticket is not None and ticket.state in ("waiting", "seated")
