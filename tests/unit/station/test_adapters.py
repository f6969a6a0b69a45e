"""Clock correction, and the two cameras."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from kit.errors import Invalid, Unavailable
from station.cameras import choice, virtual
from station.timekeeping import StationClock
from tests.unit.station import fakes


class _Clock(fakes.Clock):
    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)


def test_a_clock_that_is_wrong_is_corrected_for_good(tmp_path: Path) -> None:
    """The measured difference is applied, kept over a restart, and a request's length is not taken for one."""
    machine = _Clock()
    clock = StationClock(machine, tmp_path / "skew.json")
    server = machine.now() + timedelta(minutes=10)
    clock.learn(server, clock.now(), clock.now())
    assert clock.now() == server
    assert StationClock(machine, tmp_path / "skew.json").now() == server
    clock.learn(server + timedelta(seconds=20), clock.now(), clock.now() + timedelta(seconds=30))
    assert clock.skew == timedelta(minutes=10)


async def test_the_virtual_camera_counts_and_keeps_its_card(tmp_path: Path) -> None:
    """Each picture has the next number and bytes of its own, and stays on the card until it is safe."""
    camera = virtual.VirtualCamera("virtual", tmp_path, "v-1")
    with pytest.raises(Unavailable, match="camera-nobody-there"):
        await camera.shutter()
    (tmp_path / "subject.json").write_text(json.dumps({"seed": 3, "flaw": None}))
    first, second = await camera.shutter(), await camera.shutter()
    assert (first.frame_counter, second.frame_counter) == (1, 2)
    assert first.jpeg != second.jpeg
    again = virtual.VirtualCamera("virtual", tmp_path, "v-1")
    assert [exposure.jpeg for exposure in await again.waiting()] == [first.jpeg, second.jpeg]
    await again.acknowledge(first)
    assert [exposure.frame_counter for exposure in await again.waiting()] == [2]
    assert await again.frames_taken() == 2


def test_an_unknown_camera_is_named(tmp_path: Path) -> None:
    """The refusal lists what there is; a hot folder must exist."""
    with pytest.raises(Invalid, match="camera-unknown"):
        choice.open_camera("polaroid", tmp_path, "1")
    with pytest.raises(Unavailable, match="camera-folder-missing"):
        choice.open_camera(f"hotfolder:{tmp_path / 'none'}", tmp_path, "1")
