"""Clock correction, the sealed pack, and the two cameras."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from gradphoto_contracts import ids
from kit import crypto
from kit import ids as new_ids
from kit.errors import Invalid, Unavailable
from station.cameras import choice, virtual
from station.packs import SealedPacks
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


class _Source:
    def __init__(self, pack: bytes) -> None:
        self.pack = pack
        self.etags: list[str | None] = []

    async def desk_pack(self, etag: str | None) -> tuple[bytes, str] | None:
        self.etags.append(etag)
        return None if etag == "v1" else (self.pack, "v1")


async def test_a_pack_is_sealed_and_used_without_network(tmp_path: Path) -> None:
    """After a restart the pack is there, still finds codes, and asks only for a newer one."""
    student = fakes.Packs([ids.StudentId(new_ids.new())])
    pack = student.current().model_dump_json().encode()
    sealer, source, clock = crypto.Sealer({"k": bytes(32)}, "k"), _Source(pack), fakes.Clock()
    first = SealedPacks(tmp_path / "pack", sealer, source, clock)
    with pytest.raises(Unavailable, match="desk-pack-missing"):
        first.current()
    await first.refresh()
    assert next(iter(student.entries)).hex not in (tmp_path / "pack").read_bytes().decode("latin-1")
    second = SealedPacks(tmp_path / "pack", sealer, source, clock)
    second.load()
    found = second.find("scan-0")
    assert found is not None
    assert found.student_id in student.entries
    clock.advance(60)
    await second.refresh()
    assert source.etags == [None, "v1"]
    assert second.as_of == clock.now()


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
