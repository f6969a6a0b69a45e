"""The hot folder against everything that tethering programs do to files."""

import asyncio
import errno
import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.errors import Unavailable
from station.cameras import hotfolder, notes, stock
from tests.unit.station import patience
from tests.unit.station.hotfolders import OTHER, THIRD, WHOLE, come, healthy, opened

#: One that was cut off behind its thumbnail, which is a picture within a segment.
CUT = b"\xff\xd8\xff\xe1" + (2 + len(WHOLE)).to_bytes(2, "big") + WHOLE + b"\xff\xda\x00\x02 pict"


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


async def told_of_raw(camera: hotfolder.HotFolderCamera) -> None:
    """Wait until the camera has found a RAW that came late."""
    await patience.until(lambda: camera._aside.late())


async def test_a_file_wakes_whoever_waits(camera: hotfolder.HotFolderCamera, folder: Path) -> None:
    """A picture is announced, given once until it is acknowledged, and moved aside then."""
    began_ns = time.monotonic_ns()
    (folder / "IMG_1.JPG").write_bytes(WHOLE)
    (exposure,) = await come(camera)
    assert (exposure.jpeg, exposure.frame_counter, exposure.camera_serial) == (WHOLE, 1, "h-1")
    assert began_ns <= exposure.monotonic_ns <= time.monotonic_ns(), "the time at which the file was seen first"
    await camera.acknowledge(exposure)
    assert await camera.waiting() == []
    assert [path.name for path in (folder / "taken").iterdir()] == ["IMG_1.JPG"]


async def test_a_file_that_is_being_written_waits(camera: hotfolder.HotFolderCamera, folder: Path) -> None:
    """Half a file is no picture, whatever its name; the rest makes it one."""
    with (folder / "IMG_1.JPG").open("wb", buffering=0) as file:
        file.write(WHOLE[:6])
        await asyncio.sleep(0.3)
        assert await camera.waiting() == []
        file.write(WHOLE[6:])
    assert [exposure.jpeg for exposure in await come(camera)] == [WHOLE]


async def test_a_temporary_name_is_no_picture_until_it_is_renamed(
    camera: hotfolder.HotFolderCamera, folder: Path
) -> None:
    """Programs write beside and rename; a rename afterwards makes no second picture."""
    for name in ("~IMG_1.JPG", ".IMG_1.JPG", "IMG_1.JPG.tmp"):
        (folder / name).write_bytes(WHOLE)
    await asyncio.sleep(0.2)
    assert await camera.waiting() == []
    (folder / "IMG_1.JPG.tmp").replace(folder / "IMG_1.JPG")
    (exposure,) = await come(camera)
    (folder / "IMG_1.JPG").replace(folder / "DSC_9.JPG")
    (again,) = await come(camera)
    assert (again.frame_counter, again.jpeg) == (exposure.frame_counter, exposure.jpeg)
    await camera.acknowledge(exposure)
    assert await camera.waiting() == []
    assert await camera.frames_taken() == 1


async def test_the_same_bytes_count_once(camera: hotfolder.HotFolderCamera, folder: Path) -> None:
    """A copy under another name or in a folder below is the same frame, before and after it is acknowledged."""
    (folder / "2024_03_20").mkdir()
    for name in ("IMG_1.JPG", "IMG_1 (1).JPG", "2024_03_20/IMG_1.jpeg"):
        (folder / name).write_bytes(WHOLE)
    (exposure,) = await come(camera)
    await camera.acknowledge(exposure)
    (folder / "IMG_1 late.JPG").write_bytes(WHOLE)
    (folder / "IMG_2.JPG").write_bytes(OTHER)
    (second,) = await come(camera)
    assert (second.jpeg, second.frame_counter) == (OTHER, 2)
    assert await camera.frames_taken() == 2


async def test_a_file_overwritten_under_its_name_is_another_picture(
    camera: hotfolder.HotFolderCamera, folder: Path
) -> None:
    """Numbering begun anew in the program loses no frame."""
    (folder / "IMG_1.JPG").write_bytes(WHOLE)
    (first,) = await come(camera)
    await camera.acknowledge(first)
    (folder / "IMG_1.JPG").write_bytes(OTHER)
    (second,) = await come(camera)
    assert (second.jpeg, second.frame_counter) == (OTHER, 2)
    await camera.acknowledge(second)
    assert len(list((folder / "taken").iterdir())) == 2


async def test_a_raw_goes_with_its_jpeg(camera: hotfolder.HotFolderCamera, folder: Path) -> None:
    """The pair is one frame and stays together."""
    (folder / "IMG_1.CR3").write_bytes(b"raw")
    (folder / "IMG_1.JPG").write_bytes(WHOLE)
    (exposure,) = await come(camera)
    await camera.acknowledge(exposure)
    assert {path.name for path in (folder / "taken").iterdir()} == {"IMG_1.JPG", "IMG_1.CR3"}
    (folder / "IMG_2.JPG").write_bytes(OTHER)
    (alone,) = await come(camera)
    assert (exposure.raw, alone.raw) == (True, False)
    assert await camera.frames_taken() == 2


async def test_a_raw_that_comes_later_follows_its_jpeg(camera: hotfolder.HotFolderCamera, folder: Path) -> None:
    """It is told of until that is noted, over a restart as well, and then lies beside its picture."""
    (folder / "IMG_1.JPG").write_bytes(WHOLE)
    (exposure,) = await come(camera)
    await camera.acknowledge(exposure)
    (folder / "IMG_1.CR3").write_bytes(b"raw")
    await told_of_raw(camera)
    again = opened(folder)
    await again.start()
    await told_of_raw(again)
    assert await again.raw_pairs() == [exposure.key]
    assert {path.name for path in (folder / "taken").iterdir()} == {"IMG_1.JPG"}
    await again.raw_noted(exposure.key)
    await again.close()
    assert {path.name for path in (folder / "taken").iterdir()} == {"IMG_1.JPG", "IMG_1.CR3"}
    assert await again.raw_pairs() == []


async def test_a_raw_that_comes_before_its_picture_is_taken_in_is_not_lost(
    camera: hotfolder.HotFolderCamera, folder: Path
) -> None:
    """The desk was given the picture without it: it follows as a late one."""
    (folder / "IMG_1.JPG").write_bytes(WHOLE)
    (exposure,) = await come(camera)
    (folder / "IMG_1.CR3").write_bytes(b"raw")
    await camera.acknowledge(exposure)
    await told_of_raw(camera)
    assert await camera.raw_pairs() == [exposure.key]


async def test_a_raw_of_a_name_that_is_used_again_belongs_to_the_picture_that_comes(
    camera: hotfolder.HotFolderCamera, folder: Path
) -> None:
    """Numbering begun anew: the picture of that name that was put aside is an older one."""
    (folder / "IMG_1.JPG").write_bytes(WHOLE)
    os.utime(folder / "IMG_1.JPG", (1_700_000_000, 1_700_000_000))
    (older,) = await come(camera)
    await camera.acknowledge(older)
    (folder / "IMG_1.CR3").write_bytes(b"raw")
    (folder / "IMG_2.JPG").write_bytes(OTHER)
    (other,) = await come(camera)
    await camera.acknowledge(other)
    assert await camera.raw_pairs() == []
    (folder / "IMG_1.JPG").write_bytes(THIRD)
    (third,) = await come(camera)
    assert third.raw


async def test_pictures_come_in_the_order_of_their_times(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that are found together are numbered by their times, not by their names."""
    monkeypatch.setattr(stock, "_STILL_S", 0.0)
    camera = opened(folder)
    assert await camera.waiting() == []
    for name, content, at in (("B.JPG", WHOLE, 1_700_000_000), ("A.JPG", OTHER, 1_700_000_100)):
        (folder / name).write_bytes(content)
        os.utime(folder / name, (at, at))
    found = await camera.waiting()
    assert [(exposure.frame_counter, exposure.jpeg) for exposure in found] == [(1, WHOLE), (2, OTHER)]


async def test_a_file_that_stays_cut_off_is_told_without_its_name(
    camera: hotfolder.HotFolderCamera, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator hears of it, others are taken in, and it is over when the file is whole."""
    monkeypatch.setattr(stock, "_SETTLED_S", 0.1)
    (folder / "张三.JPG").write_bytes(WHOLE[:-2])
    await patience.until(lambda: camera.health().trouble)
    health = camera.health()
    assert health.trouble is not None
    assert (health.trouble.code, health.trouble.params) == ("camera-files-unfinished", {"count": 1})
    (folder / "IMG_2.JPG").write_bytes(OTHER)
    assert [exposure.jpeg for exposure in await come(camera)] == [OTHER]
    (folder / "张三.JPG").write_bytes(WHOLE)
    assert len(await come(camera, 2)) == 2
    assert (await healthy(camera, ready=True)).trouble is None


async def test_bytes_behind_the_end_mark_are_allowed_to_a_file_that_settled(
    camera: hotfolder.HotFolderCamera, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some bodies write a preview there."""
    monkeypatch.setattr(stock, "_SETTLED_S", 0.1)
    (folder / "IMG_1.JPG").write_bytes(WHOLE + b"trailer")
    assert [exposure.jpeg for exposure in await come(camera)] == [WHOLE + b"trailer"]


async def test_the_end_of_a_thumbnail_is_not_the_pictures(
    camera: hotfolder.HotFolderCamera, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that broke off stays out, however long it stands still, also where its room was kept with zeros."""
    monkeypatch.setattr(stock, "_SETTLED_S", 0.1)
    (folder / "IMG_1.JPG").write_bytes(CUT)
    thumbnail = CUT[: CUT.index(b"\xff\xd9") + 2]
    (folder / "IMG_2.JPG").write_bytes(thumbnail + bytes(64))
    (folder / "IMG_3.JPG").write_bytes(thumbnail)
    await patience.until(lambda: (trouble := camera.health().trouble) and trouble.params == {"count": 3})
    (folder / "IMG_1.JPG").write_bytes(CUT + b"ure \xff\xd9")
    assert [exposure.jpeg for exposure in await come(camera)] == [CUT + b"ure \xff\xd9"]


async def test_a_folder_that_is_gone_and_comes_back(camera: hotfolder.HotFolderCamera, folder: Path) -> None:
    """A network drive that drops out is a trouble, not an end."""
    await healthy(camera, ready=True)
    shutil.move(folder, folder.with_name("away"))
    await patience.until(lambda: (trouble := camera.health().trouble) and trouble.code == "camera-folder-missing")
    shutil.move(folder.with_name("away"), folder)
    (folder / "IMG_1.JPG").write_bytes(WHOLE)
    assert len(await come(camera)) == 1


async def test_a_press_does_not_take_an_older_picture(camera: hotfolder.HotFolderCamera, folder: Path) -> None:
    """What lay there before the press is said, not given as its answer; the next file is."""
    (folder / "IMG_1.JPG").write_bytes(WHOLE)
    (old,) = await come(camera)
    with pytest.raises(Unavailable, match="camera-frames-waiting"):
        await camera.shutter()
    await camera.acknowledge(old)
    pressed = asyncio.create_task(camera.shutter())
    await asyncio.sleep(0.05)
    (folder / "IMG_2.JPG").write_bytes(OTHER)
    assert (await pressed).jpeg == OTHER


async def test_numbers_outlive_a_crash(camera: hotfolder.HotFolderCamera, folder: Path) -> None:
    """The same bytes keep their number; a line that a crash cut off counts for nothing."""
    (folder / "IMG_1.JPG").write_bytes(WHOLE)
    await come(camera)
    await camera.close()
    with (folder.parent / "memory.jsonl").open("ab") as file:
        file.write(b'{"sha256": "ab')
    again = opened(folder)
    await again.start()
    (exposure,) = await come(again)
    (folder / "IMG_2.JPG").write_bytes(OTHER)
    assert [one.frame_counter for one in await come(again, 2)] == [1, 2]
    assert exposure.frame_counter == 1
    await again.close()


async def test_a_share_that_cannot_be_written_goes_on(camera: hotfolder.HotFolderCamera, folder: Path) -> None:
    """Where nothing can be put aside, an acknowledged picture stays, counts no more, and the next one comes."""
    (folder / "taken").write_bytes(b"no folder")
    (folder / "IMG_1.JPG").write_bytes(WHOLE)
    (first,) = await come(camera)
    await camera.acknowledge(first)
    assert await camera.waiting() == []
    (folder / "IMG_2.JPG").write_bytes(OTHER)
    assert [exposure.jpeg for exposure in await come(camera)] == [OTHER]
    assert (folder / "IMG_1.JPG").exists()


async def test_a_full_disk_is_not_told_as_a_missing_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the desk's own notes find no room, the camera says so, and is well when there is room again."""
    with monkeypatch.context() as patch:
        patch.setattr(notes, "add", _no_room)
        camera = opened(folder)
        await camera.start()
        await patience.until(lambda: camera.health().trouble)
        told = camera.health().trouble
    await healthy(camera, ready=True)
    await camera.close()
    assert told is not None
    assert told.code == "station-disk-full"


def _no_room(_path: Path, _lines: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
