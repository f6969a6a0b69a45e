"""The process that drives a camera: it cannot outlive the agent, and the agent outlives whatever becomes of it."""

import asyncio
import errno
import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kit.errors import Unavailable
from station.cameras.tethered import bodies, camera, faulty, limits, link
from station.ports import hardware
from tests.unit.station.patience import SECONDS, until

PICTURE = b"\xff\xd8\xff\xda\x00\x02 a picture of nobody \xff\xd9"
QUICK = limits.Limits(opening_s=60, silence_s=30, patience_s=90, first_pause_s=0.05, longest_pause_s=0.2)


class Bench:
    """One simulated camera; what is noticed of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.driver = link.Driver("drawn", folder)
        self.notices: list[hardware.Notice] = []
        (folder / "picture.jpg").write_bytes(PICTURE)

    def camera(self, patience: limits.Limits = QUICK) -> camera.TetheredCamera:
        return camera.TetheredCamera(self.driver, self.folder / "memory.jsonl", patience, self.notices.append)

    def faults(self) -> list[str]:
        return [notice.fault for notice in self.notices if not notice.recovered]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_driver_that_hangs_ends_with_its_agent(bench: Bench) -> None:
    """The agent is killed while a call does not return: nobody holds the camera when the next one starts."""
    faulty.write_script(bench.folder, {"fault": "frozen", "step": "events"})
    process = subprocess.Popen(
        bench.driver.line(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **link._environment()}
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin as stdin, process.stdout as stdout:
        try:
            assert b'"open"' in stdout.readline()
            stdin.close()
            assert process.wait(SECONDS) == 1
        finally:
            process.kill()


async def test_the_agent_lives_without_a_process_to_be_had(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file or process is left: it is told, tried again, and over."""
    start = link.Link.start
    refused: list[int] = []

    async def refuse(driver: link.Driver) -> link.Link:
        if len(refused) < 2:
            refused.append(errno.EMFILE)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return await start(driver)

    monkeypatch.setattr(link.Link, "start", refuse)
    tethered = bench.camera()
    await tethered.start()
    exposure = await tethered.shutter()
    await tethered.close()
    assert (exposure.frame_counter, bench.faults(), len(refused)) == (1, ["io"], 2)


async def test_a_process_that_cannot_die_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It hangs in the system, at a device: the loop goes on, and says what it finds."""
    monkeypatch.setattr(link, "_FAREWELL_S", 0.01)
    monkeypatch.setattr(link, "_DEATH_S", 0.01)
    killed: list[bool] = []
    stuck = SimpleNamespace(
        stdin=None, returncode=None, pid=1, kill=lambda: killed.append(True), wait=asyncio.Event().wait
    )
    async with asyncio.timeout(SECONDS):
        await link.Link(cast(asyncio.subprocess.Process, stuck)).end()
    assert killed == [True]


async def test_a_fault_at_opening_keeps_its_name(bench: Bench) -> None:
    """Told as what it is for as long as it lasts, and to whoever presses; over when the camera opens."""
    faulty.write_script(bench.folder, {"fault": "full", "step": "open", "times": 9999})
    tethered = bench.camera(limits.Limits(patience_s=0.1, first_pause_s=0.01, longest_pause_s=0.02))
    await tethered.start()
    await until(lambda: (trouble := tethered.health().trouble) and trouble.attempts)
    with pytest.raises(Unavailable, match="camera-card-full"):
        await tethered.shutter()
    await tethered.close()
    assert bench.faults() == ["full"]


async def test_a_body_that_does_not_tell_how_it_is_takes_pictures(bench: Bench) -> None:
    """No storage to be asked, no battery: nothing of that is in the way."""
    faulty.write_script(bench.folder, {"fault": "unsupported", "step": "status", "times": 9999})
    tethered = bench.camera()
    await tethered.start()
    exposure = await tethered.shutter()
    assert (exposure.frame_counter, bench.faults(), tethered.health().ready) == (1, [], True)
    await tethered.close()


def test_the_library_s_body_without_storage_tells_the_rest() -> None:
    """-6 of one question is no answer to the others."""
    gp = pytest.importorskip("gphoto2")
    from station.cameras.tethered import gphoto

    def refuse(_name: str = "") -> Any:
        raise gp.GPhoto2Error(bodies.NOT_SUPPORTED)

    def told(name: str) -> Any:
        return SimpleNamespace(get_value=lambda: "50%") if name == "batterylevel" else refuse()

    body = gphoto.GphotoBody()
    body._camera = SimpleNamespace(get_storageinfo=refuse, get_single_config=told)
    assert body.status() == bodies.Status(battery_percent=50)


@pytest.mark.thorough
async def test_a_camera_that_freezes_at_each_shutter_says_so_at_each_press(bench: Bench) -> None:
    """However often it is opened in between, the operator reads that it does not answer, and it counts as troubled."""
    faulty.write_script(bench.folder, {"fault": "frozen", "step": "trigger", "times": 9999})
    (bench.folder / "body.json").write_text(json.dumps({"raw": False}))
    tethered = bench.camera(limits.Limits(silence_s=3, patience_s=7, first_pause_s=0.05, longest_pause_s=0.2))
    await tethered.start()
    await until(lambda: tethered.health().ready)
    for _ in range(3):
        with pytest.raises(Unavailable, match="camera-frozen"):
            await tethered.shutter()
        assert tethered.health().trouble is not None
    await tethered.close()
    assert bench.faults() == ["frozen"]
