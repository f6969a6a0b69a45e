"""Slips that wait outlive the agent: whoever was promised one gets it after a restart too."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter

from station import settings
from station.ports import hardware

_SLIPS: TypeAdapter[list[hardware.Slip]] = TypeAdapter(list[hardware.Slip])
_LOOK_S = 0.5


class KeptSlips:
    """A printer with a memory on the disk. A slip may come twice when the agent dies as it is printed; none is lost."""

    def __init__(self, printer: hardware.Printer, path: Path, wanted: Callable[[str], bool]) -> None:
        """`wanted`: whether the holder of a ticket still needs a slip; asked of what a former life left."""
        self._printer, self._path, self._wanted = printer, path, wanted
        self._taken: list[hardware.Slip] = []
        self._looking: asyncio.Task[None] | None = None

    def health(self) -> hardware.Health:
        """The printer's."""
        return self._printer.health()

    @property
    def waiting(self) -> int:
        """Slips taken and not yet printed."""
        return self._printer.waiting

    async def print(self, slip: hardware.Slip) -> None:
        """On the disk before it is the printer's."""
        self._taken.append(slip)
        self._save()
        await self._printer.print(slip)

    async def start(self) -> None:
        """Begin with what a former life left."""
        await self._printer.start()
        for slip in self._left():
            if slip.lines or self._wanted(slip.ticket):
                await self.print(slip)
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
            self._save()

    def _left(self) -> list[hardware.Slip]:
        return _SLIPS.validate_json(self._path.read_bytes()) if self._path.exists() else []

    def _save(self) -> None:
        settings.write_whole(self._path, _SLIPS.dump_json(self._taken))
