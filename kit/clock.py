"""Time comes from here and goes into domains as an argument.

The simulated clock is for the embedded stack alone: demo and tests move whole weeks in a second by writing one file.
"""

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

#: A simulated sleeper looks at the clock again at least this often, in real seconds: a jump wakes it within that time.
_LOOK_AGAIN_S = 0.5


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """The time now, aware, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait until `seconds` have passed on this clock."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Simulation(NamedTuple):
    """At `real_epoch` the simulated clock read `simulated_epoch`; since then it runs `speed` times as fast."""

    real_epoch: float
    simulated_epoch: float
    speed: float


class BadClockFile(ValueError):
    """The clock file is not JSON of `real_epoch`, `simulated_epoch` and `speed`."""


class SimulatedClock:
    """A clock steered by a file, which may be replaced at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._simulation = self._current()

    def now(self) -> datetime:
        at = self._current()
        return datetime.fromtimestamp(at.simulated_epoch + (time.time() - at.real_epoch) * at.speed, UTC)

    async def sleep(self, seconds: float) -> None:
        until = self.now().timestamp() + seconds
        while (left := until - self.now().timestamp()) > 0:
            speed = self._simulation.speed
            await asyncio.sleep(min(left / speed, _LOOK_AGAIN_S) if speed > 0 else _LOOK_AGAIN_S)

    def _current(self) -> Simulation:
        status = self._path.stat()
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._simulation, self._stamp = _read(self._path), stamp
        return self._simulation


def _read(path: Path) -> Simulation:
    try:
        simulation = Simulation(**{name: float(value) for name, value in json.loads(path.read_bytes()).items()})
    except (ValueError, TypeError, AttributeError) as error:
        raise BadClockFile(f"{path}: {error}") from error
    if simulation.speed < 0:
        raise BadClockFile(f"{path}: speed {simulation.speed} is negative")
    return simulation


class ClockSettings(Protocol):
    """The part of the settings that chooses a clock."""

    @property
    def deployment(self) -> str: ...
    @property
    def clock_file(self) -> Path | None: ...


class SimulatedClockRefused(ValueError):
    """A clock file is set outside the embedded stack; a real campaign runs on real time."""


def clock_for(settings: ClockSettings) -> Clock:
    """The clock that `settings` ask for.

    Raises:
        SimulatedClockRefused: a clock file is named, and this is not the embedded stack.
    """
    if settings.clock_file is None:
        return SystemClock()
    if settings.deployment != "embedded":
        raise SimulatedClockRefused(f"GRADPHOTO_CLOCK_FILE is set in deployment {settings.deployment!r}")
    return SimulatedClock(settings.clock_file)
