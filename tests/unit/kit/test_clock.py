"""The clocks: real, simulated, and where the simulated one is refused."""

import asyncio
import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kit import clock


@dataclass
class Chooses:
    """Settings that choose a clock."""

    deployment: str
    clock_file: Path | None = None


def steer(path: Path, simulated: float, speed: float, real: float | None = None) -> None:
    """Write the clock file as the embedded stack does: a new file in place of the old one."""
    text = json.dumps(
        {"real_epoch": time.time() if real is None else real, "simulated_epoch": simulated, "speed": speed}
    )
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A clock file that reads 2024-03-01 08:00 UTC and stands still."""
    path = tmp_path / "clock.json"
    steer(path, datetime(2024, 3, 1, 8, tzinfo=UTC).timestamp(), 0)
    return path


def test_system_clock_tells_aware_utc() -> None:
    """The system's time is aware, in UTC, and now."""
    now = clock.SystemClock().now()
    assert now.utcoffset() == timedelta(0)
    assert abs(now.timestamp() - time.time()) < 1


def test_simulated_clock_reads_the_file(file: Path) -> None:
    """A clock at speed 0 stands at the moment that its file names."""
    assert clock.SimulatedClock(file).now() == datetime(2024, 3, 1, 8, tzinfo=UTC)


def test_simulated_clock_runs_at_its_speed(file: Path) -> None:
    """Ten real seconds at speed 60 are ten minutes."""
    steer(file, 1000.0, 60, real=time.time() - 10)
    assert clock.SimulatedClock(file).now().timestamp() == pytest.approx(1600, abs=30)


def test_simulated_clock_follows_a_replaced_file(file: Path) -> None:
    """A jump is seen at the next look, without a restart."""
    simulated = clock.SimulatedClock(file)
    simulated.now()
    steer(file, datetime(2024, 6, 1, tzinfo=UTC).timestamp(), 0)
    assert simulated.now() == datetime(2024, 6, 1, tzinfo=UTC)


async def test_sleep_ends_soon_after_a_jump(file: Path) -> None:
    """Who sleeps for a week on a clock that stands wakes within a second when it jumps beyond."""
    simulated = clock.SimulatedClock(file)
    sleeper = asyncio.create_task(simulated.sleep(7 * 86400))
    await asyncio.sleep(0.05)
    assert not sleeper.done()
    steer(file, datetime(2024, 4, 1, tzinfo=UTC).timestamp(), 0)
    await asyncio.wait_for(sleeper, 1)


async def test_sleep_counts_simulated_seconds(file: Path) -> None:
    """At speed 1000 a minute passes in a blink."""
    steer(file, 0.0, 1000)
    await asyncio.wait_for(clock.SimulatedClock(file).sleep(60), 1)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"real_epoch": 1, "simulated_epoch": 2, "speed": "fast"}'])
def test_a_file_that_is_none_is_named(file: Path, text: str) -> None:
    """A clock file that cannot be read is an error that names the file."""
    file.write_text(text)
    os.utime(file, (1, 1))
    with pytest.raises(clock.BadClockFile, match=r"clock\.json"):
        clock.SimulatedClock(file)


def test_time_does_not_run_backwards(file: Path) -> None:
    """A negative speed is refused."""
    steer(file, 0, -1)
    with pytest.raises(clock.BadClockFile, match="negative"):
        clock.SimulatedClock(file)


def test_clock_for_chooses(file: Path) -> None:
    """No file: the system's clock. A file in the embedded stack: the simulated one."""
    assert isinstance(clock.clock_for(Chooses("cluster")), clock.SystemClock)
    assert isinstance(clock.clock_for(Chooses("embedded", file)), clock.SimulatedClock)


@pytest.mark.parametrize("deployment", ["compose", "cluster"])
def test_simulated_time_is_refused_where_it_is_real(file: Path, deployment: str) -> None:
    """A real campaign cannot be put on simulated time."""
    with pytest.raises(clock.SimulatedClockRefused, match="GRADPHOTO_CLOCK_FILE"):
        clock.clock_for(Chooses(deployment, file))
