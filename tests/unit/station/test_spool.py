"""The spool on a real disk: sealed, whole or absent, and never mistaken."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gradphoto_contracts import ids
from kit import crypto
from kit import ids as new_ids
from kit.errors import NotFound, Unavailable
from station import settings
from station.ballast import Ballast
from station.domain import facts
from station.handlers import frames
from station.spool import FileSpool
from tests.unit.station.fakes import START, Bench

JPEG = b"\xff\xd8" + b"a face" * 5000 + b"\xff\xd9"


def _spool(folder: Path, reserve_bytes: int = 0) -> FileSpool:
    return FileSpool(folder, crypto.Sealer({"k": bytes(32)}, "k"), reserve_bytes)


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def _frame() -> facts.FrameJournalled:
    student, checkin = ids.StudentId(new_ids.new()), ids.CheckinId(new_ids.new())
    return facts.FrameJournalled(
        ids.CaptureId(new_ids.new()), "0" * 64, len(JPEG), "A-0001", checkin, student, "cam", 1, 2, START
    )


@contextmanager
def _no_file_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_frame_comes_back_with_its_label(tmp_path: Path) -> None:
    """Bytes and label survive; the file itself shows neither."""
    spool, frame = _spool(tmp_path), _frame()
    await spool.put(frame, JPEG)
    assert await spool.get(frame.capture_id) == JPEG
    assert await _spool(tmp_path).label(frame.capture_id) == frame
    (file,) = _files(tmp_path)
    assert b"a face" not in file.read_bytes()
    assert b"A-0001" not in file.read_bytes()


async def test_an_altered_frame_is_refused(tmp_path: Path) -> None:
    """One flipped bit, or one frame under the name of another, does not open."""
    spool, frame, other = _spool(tmp_path), _frame(), _frame()
    await spool.put(frame, JPEG)
    file = tmp_path / f"{frame.capture_id}.frame"
    sealed = bytearray(file.read_bytes())
    (tmp_path / f"{other.capture_id}.frame").write_bytes(sealed)
    with pytest.raises(crypto.Tampered):
        await spool.get(other.capture_id)
    sealed[-100] ^= 1
    file.write_bytes(sealed)
    with pytest.raises(crypto.Tampered):
        await spool.get(frame.capture_id)


async def test_a_frame_that_cannot_be_read_is_damage_and_the_next_one_goes_on(tmp_path: Path) -> None:
    """Left between spool and journal, one file gives an error: it is told as damaged, and the other is journalled."""
    bench, spool, bad, good = Bench(), _spool(tmp_path), _frame(), _frame()
    bench.work.spool = spool
    (tmp_path / f"{bad.capture_id}.frame").mkdir()
    await spool.put(good, JPEG)
    with pytest.raises(crypto.Tampered):
        await spool.get(bad.capture_id)
    await frames.journal_spooled(bench.work)
    assert bench.work.damaged == {bad.capture_id}
    assert list(bench.desk.frames) == [good.capture_id]


async def test_a_frame_that_cannot_be_removed_stays(tmp_path: Path) -> None:
    """A refused wipe ends nobody who wipes after a receipt; the file is there for the next start."""
    spool, frame = _spool(tmp_path), _frame()
    (tmp_path / f"{frame.capture_id}.frame").mkdir()
    await spool.wipe(frame.capture_id)
    assert await spool.held() == [frame.capture_id]


async def test_a_disk_that_fills_up_leaves_no_half_frame(tmp_path: Path) -> None:
    """Out of space in mid-write: a clear problem, nothing on the disk, and the next frame goes through."""
    spool, frame = _spool(tmp_path), _frame()
    with _no_file_larger_than(10_000), pytest.raises(Unavailable, match="station-disk-full"):
        await spool.put(frame, JPEG)
    assert _files(tmp_path) == []
    await spool.put(frame, JPEG)
    assert await spool.get(frame.capture_id) == JPEG


async def test_the_reserve_is_left_free(tmp_path: Path) -> None:
    """Below the reserve the shutter is refused beforehand."""
    _spool(tmp_path).demand_room()
    with pytest.raises(Unavailable, match="station-disk-full"):
        _spool(tmp_path, reserve_bytes=1 << 62).demand_room()


async def test_a_half_written_frame_is_swept_at_the_next_start(tmp_path: Path) -> None:
    """What a kill left in mid-write was never journalled and is no frame."""
    (tmp_path / f"{new_ids.new()}.part").write_bytes(b"half")
    spool = _spool(tmp_path)
    assert await spool.held() == []
    assert _files(tmp_path) == []


async def test_a_wiped_frame_is_gone(tmp_path: Path) -> None:
    """Wiping twice is no fault; asking for it then is."""
    spool, frame = _spool(tmp_path), _frame()
    await spool.put(frame, JPEG)
    await spool.wipe(frame.capture_id)
    await spool.wipe(frame.capture_id)
    with pytest.raises(NotFound, match="spool-frame-missing"):
        await spool.get(frame.capture_id)


async def test_a_frame_that_the_disk_did_not_take_is_counted(tmp_path: Path) -> None:
    """Whoever keeps the desk's figures hears of it, and of nothing else."""
    heard: list[str] = []
    spool = FileSpool(tmp_path, crypto.Sealer({"k": bytes(32)}, "k"), 0, lambda: heard.append("refused"))
    with _no_file_larger_than(10_000), pytest.raises(Unavailable):
        await spool.put(_frame(), JPEG)
    await spool.put(_frame(), JPEG)
    assert heard == ["refused"]
    assert not spool.full
    assert spool.free_bytes() > 0


def test_room_is_kept_for_the_start_on_a_full_disk(tmp_path: Path) -> None:
    """It is taken beside the reserve and not out of it, given back at once, and half of it is never left."""
    file = tmp_path / "ballast"
    kept = Ballast(file, 4 << 20)
    with _no_file_larger_than(1000):
        kept.keep()
    assert not file.exists()
    kept.keep()
    assert file.stat().st_size == 1 << 20
    kept.release()
    kept.release()
    Ballast(file, 1 << 62).keep()
    assert _files(tmp_path) == []


def test_a_small_file_on_a_full_disk_is_told_and_the_old_one_stays(tmp_path: Path) -> None:
    """Desk pack, measured clock, camera's counter: a disk that is full is a problem with words, not a crash."""
    file = tmp_path / "pack"
    settings.write_whole(file, b"old")
    for write in (settings.write_whole, settings.write_secret):
        with _no_file_larger_than(1000), pytest.raises(Unavailable, match="station-disk-full"):
            write(file, bytes(5000))
        assert (file.read_bytes(), _files(tmp_path)) == (b"old", [file])


def test_a_door_is_told_without_a_free_byte(tmp_path: Path) -> None:
    """Over the file of the life before, if need be: without it nobody finds the desk."""
    file = tmp_path / "door.json"
    settings.write_secret_somehow(file, bytes(200))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "write_secret", _refuse)
        settings.write_secret_somehow(file, b"new")
        with pytest.raises(Unavailable, match="station-disk-full"):
            settings.write_secret_somehow(tmp_path / "none", b"new")
    assert (file.read_bytes(), _files(tmp_path)) == (b"new", [file])


def _refuse(_path: Path, _content: bytes) -> None:
    raise Unavailable("station-disk-full")
