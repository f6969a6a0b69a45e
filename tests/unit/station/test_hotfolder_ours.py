"""Which files of a hot folder are ours, how many are held at once, and what is told where none of them is a picture."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.errors import Unavailable
from station.cameras import hotfolder, ledger, stock
from tests.unit.station import patience
from tests.unit.station.hotfolders import OTHER, THIRD, WHOLE, come, healthy, opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "eos").mkdir()
    return tmp_path / "eos"


@pytest.fixture
async def camera(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[hotfolder.HotFolderCamera]:
    """Started, with short times for a file to stand still."""
    monkeypatch.setattr(stock, "_STILL_S", 0.02)
    monkeypatch.setattr(hotfolder, "_STEP_S", 0.01)
    monkeypatch.setattr(hotfolder, "_LOOK_AGAIN_S", 0.1)
    camera = opened(folder)
    await camera.start()
    await healthy(camera, ready=True)
    yield camera
    await camera.close()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_what_lay_there_before_the_desk_came_is_none_of_ours(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays there, whatever it is called later, and is told; a restart meets nothing anew."""
    monkeypatch.setattr(stock, "_STILL_S", 0.0)
    (folder / "2025 wedding").mkdir()
    (folder / "2025 wedding" / "IMG_1.JPG").write_bytes(WHOLE)
    (folder / "IMG_1.CR3").write_bytes(b"raw")
    camera = opened(folder)
    await camera.start()
    await healthy(camera, ready=True)
    (folder / "2025 wedding" / "IMG_1.JPG").rename(folder / "张三.JPG")
    (folder / "IMG_2.JPG").write_bytes(OTHER)
    (exposure,) = await come(camera)
    assert (exposure.jpeg, exposure.frame_counter, await camera.frames_taken()) == (OTHER, 1, 1)
    assert camera.health().details["older"] == 2
    await camera.acknowledge(exposure)
    await camera.close()
    (folder / "IMG_3.JPG").write_bytes(THIRD)
    again = opened(folder)
    assert [(one.jpeg, one.frame_counter) for one in await again.waiting()] == [(THIRD, 2)], (
        "it came while we were away"
    )
    assert names(folder) == {"2025 wedding", "IMG_1.CR3", "IMG_3.JPG", "张三.JPG", "taken"}
    assert "张三" not in (folder.parent / "memory.jsonl").read_text()


async def test_another_folder_is_met_when_it_is_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the count goes on; the first one is still known."""
    monkeypatch.setattr(stock, "_STILL_S", 0.0)
    assert await opened(folder).waiting() == []
    (folder / "IMG_1.JPG").write_bytes(WHOLE)
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "IMG_1.JPG").write_bytes(OTHER)
    memory = folder.parent / "memory.jsonl"
    other = hotfolder.HotFolderCamera(folder.parent / "other", memory, "h-1")
    assert await other.waiting() == []
    assert len(await opened(folder).waiting()) == 1
    again = hotfolder.HotFolderCamera(folder.parent / "other", memory, "h-1")
    (folder.parent / "other" / "IMG_2.JPG").write_bytes(THIRD)
    assert [one.frame_counter for one in await again.waiting()] == [2]


async def test_many_pictures_are_handed_over_a_few_at_a_time(camera: hotfolder.HotFolderCamera, folder: Path) -> None:
    """In their order, all of them counted at once; whoever waits is woken for the rest."""
    for number in range(10):
        (folder / f"IMG_{number}.JPG").write_bytes(WHOLE[:-2] + b"%d\xff\xd9" % number)
        os.utime(folder / f"IMG_{number}.JPG", (1_700_000_000 + number, 1_700_000_000 + number))
    await patience.until(lambda: camera.health().details["frames"] == 10 or camera._behind() == 10)
    assert len(await camera.waiting()) == 4
    with pytest.raises(Unavailable, match="camera-frames-waiting count=10"):
        await camera.shutter()
    counts: list[int] = []
    async with asyncio.timeout(patience.SECONDS):
        while len(counts) < 10:
            for exposure in await camera.waiting():
                counts.append(exposure.frame_counter)
                await camera.acknowledge(exposure)
            if len(counts) < 10:
                await camera.arrived(patience.SECONDS)
    assert counts == list(range(1, 11))


async def test_a_file_is_read_when_it_may_be_whole_and_not_at_every_look(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was cut off is not read through at each look; one that is whole is read for its hash once."""
    reads: list[str] = []
    read = Path.read_bytes

    def count(path: Path) -> bytes:
        reads.append(path.name)
        return read(path)

    found = stock.Stock(folder, ledger.Ledger(folder.parent / "memory.jsonl", folder))
    found.look()
    monkeypatch.setattr(Path, "read_bytes", count)
    monkeypatch.setattr(stock, "_STILL_S", 0.0)
    (folder / "IMG_1.JPG").write_bytes(WHOLE[:-2])
    (folder / "IMG_2.JPG").write_bytes(WHOLE)
    for _ in range(20):
        found.look()
    assert reads == ["IMG_2.JPG"]
    monkeypatch.setattr(stock, "_SETTLED_S", 0.0)
    await patience.until(lambda: [seen.cut for path, seen in found.look() if path.name == "IMG_1.JPG"] == [True])
    for _ in range(200):
        found.look()
    assert 1 <= reads.count("IMG_1.JPG") < 60


@pytest.mark.parametrize("suffix", ["CR3", "HIF"])
async def test_a_raw_without_a_jpeg_is_told_once(
    camera: hotfolder.HotFolderCamera, folder: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """The camera writes none: the operator reads what to set, without a name; it is over with the next picture."""
    monkeypatch.setattr(hotfolder, "_RAW_ALONE_S", 0.05)
    (folder / f"张三.{suffix}").write_bytes(b"raw")
    await patience.until(lambda: camera.health().trouble)
    health = camera.health()
    assert health.trouble is not None
    assert (health.trouble.code, health.trouble.params) == ("camera-folder-raw-only", {"count": 1})
    (folder / "IMG_2.JPG").write_bytes(WHOLE)
    assert len(await come(camera)) == 1
    await healthy(camera, ready=True)
    survey = camera._survey()
    assert (survey.raws_alone, survey.raws_told) == (True, 0)


def test_surveying_and_putting_aside_take_turns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are threads of their own, and go through the same files."""
    camera = opened(folder)
    inside, together = threading.Lock(), []
    look = camera._stock.look

    def alone() -> list[tuple[Path, stock.Seen]]:
        together.append(not inside.acquire(blocking=False))
        try:
            time.sleep(0.01)
            return look()
        finally:
            inside.release()

    monkeypatch.setattr(camera._stock, "look", alone)
    acts = [camera._survey, camera._exposures, camera._behind, lambda: camera._put_aside("ab", with_raw=False)]
    threads = [threading.Thread(target=act) for act in acts * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [False] * 12
