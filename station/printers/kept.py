"""Slips that wait outlive the agent: whoever was promised one gets it after a restart too."""

import asyncio
import dataclasses
import errno
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter

from kit import logs
from kit.errors import Problem
from station import settings
from station.ports import hardware

_SLIPS: TypeAdapter[list[hardware.Slip]] = TypeAdapter(list[hardware.Slip])
_LOOK_S = 0.5
#: How long the operator reads that the last life's file could not be read.
_UNREADABLE_TOLD_S = 600.0


class KeptSlips:
    """A printer with a memory on the disk. A slip may come twice when the agent dies as it is printed; none is lost.

    A disk that takes nothing keeps none: that is told, slips are printed all the same, and kept once it takes them.
    """

    def __init__(self, printer: hardware.Printer, path: Path, wanted: Callable[[str], bool]) -> None:
        """`wanted`: whether the holder of a ticket still needs a slip; asked of what a former life left."""
        self._printer, self._path, self._wanted = printer, path, wanted
        self._taken: list[hardware.Slip] = []
        self._looking: asyncio.Task[None] | None = None
        self._unkept_since_ns: int | None = None
        self._unreadable_since_ns: int | None = None

    def health(self) -> hardware.Health:
        """The printer's; where that is well, what is wrong with the memory."""
        health = self._printer.health()
        return health if health.trouble else dataclasses.replace(health, trouble=self._trouble())

    @property
    def waiting(self) -> int:
        """Slips taken and not yet printed."""
        return self._printer.waiting

    async def print(self, slip: hardware.Slip) -> None:
        """On the disk before it is the printer's, if the disk takes it."""
        self._taken.append(slip)
        self._save()
        await self._printer.print(slip)

    async def start(self) -> None:
        """Begin with what a former life left."""
        await self._printer.start()
        # All at once: the file is what is left until the last of them is the printer's.
        self._taken = [slip for slip in self._left() if slip.lines or self._wanted(slip.ticket)]
        if self._path.exists():
            self._save()
        for slip in list(self._taken):
            await self._printer.print(slip)
        self._looking = asyncio.create_task(self._look(), name="kept-slips")

    async def run(self) -> None:
        """Wait as long as the printer is looked after."""
        await self._printer.run()

    async def close(self) -> None:
        """What still waits stays on the disk."""
        if self._looking:
            self._looking.cancel()
            await asyncio.wait({self._looking})
            self._forget_printed()
        await self._printer.close()

    async def _look(self) -> None:
        while True:
            self._forget_printed()
            await asyncio.sleep(_LOOK_S)

    def _forget_printed(self) -> None:
        # The printer prints in order: what waits are the last ones.
        printed = len(self._taken) - self._printer.waiting
        if printed > 0:
            del self._taken[:printed]
        if printed > 0 or self._unkept_since_ns is not None:
            self._save()

    def _left(self) -> list[hardware.Slip]:
        try:
            return _SLIPS.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            self._put_aside(error)
            return []

    def _put_aside(self, error: OSError | ValueError) -> None:
        self._unreadable_since_ns = time.monotonic_ns()
        logs.get().error("printer.slips-unreadable", error=type(error).__name__)
        try:
            self._path.replace(self._path.with_name(f"{self._path.name}.unreadable"))
        except OSError as refused:
            logs.get().error("printer.slips-not-put-aside", error=_name_of(refused))

    def _save(self) -> None:
        try:
            settings.write_whole(self._path, _SLIPS.dump_json(self._taken))
        except (Problem, OSError) as error:
            if self._unkept_since_ns is None:
                self._unkept_since_ns = time.monotonic_ns()
                logs.get().error("printer.slips-not-kept", error=_name_of(error))
        else:
            self._unkept_since_ns = None

    def _trouble(self) -> hardware.Trouble | None:
        if self._unkept_since_ns is not None:
            told = {"waiting": self.waiting}
            return hardware.Trouble("not_kept", "printer-slips-not-kept", told, self._unkept_since_ns, 0)
        since_ns = self._unreadable_since_ns
        if since_ns is not None and time.monotonic_ns() - since_ns < _UNREADABLE_TOLD_S * 1e9:
            return hardware.Trouble("unreadable", "printer-slips-unreadable", {}, since_ns, 0)
        return None


def _name_of(error: Problem | OSError) -> str:
    return error.code if isinstance(error, Problem) else errno.errorcode.get(error.errno or 0, "OSError")
