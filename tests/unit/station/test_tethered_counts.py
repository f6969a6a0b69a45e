"""A tethered camera's count of frames: what is one picture and what are two, whatever the card says of them."""

import errno
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from station.cameras import notes
from station.cameras.tethered import bodies, intake, memory, tray

BODY = bodies.Identity("cam-1", "D-1", numbered=True)
FOLDER = "/store_00010001/DCIM/100TEST"
PICTURE = b"\xff\xd8\xff\xda\x00\x02 a picture of nobody \xff\xd9"
#: The smallest thing that is built as a JPEG: a thumbnail in its APP1, a scan with a stuffed byte and a restart mark.
_THUMBNAIL = b"\xff\xd8\xff\xda\x00\x02 a small one \xff\xd9"
_HEAD = b"\xff\xd8\xff\xe1" + (2 + len(_THUMBNAIL)).to_bytes(2, "big") + _THUMBNAIL
_SCAN = b"\xff\xda\x00\x04\x01\x00 coded \xff\x00 data \xff\xd0 and more "
WITH_THUMBNAIL = _HEAD + _SCAN + b"\xff\xd9"


def file(name: str, size: int = len(PICTURE), modified: int = 1_700_000_000) -> bodies.Entry:
    return bodies.Entry(FOLDER, name, size, modified)


class Bench:
    """A memory on the disk, and the card of one connection after another."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.memory = memory.Memory(path)
        self.tray = tray.Tray()
        self.card = self._intake()

    async def connect(self, *entries: bodies.Entry) -> None:
        self.card = self._intake()
        await self.card.open(list(entries))

    async def restart(self, *entries: bodies.Entry) -> None:
        """The agent dies."""
        self.memory, self.tray = memory.Memory(self.path), tray.Tray()
        await self.connect(*entries)

    async def added(self, *entries: bodies.Entry) -> None:
        for entry in entries:
            now_ns = time.monotonic_ns()
            await self.card.added(entry, now_ns, now_ns, 6.0)

    async def fetch(self, content: bytes = PICTURE, now: bodies.Entry | None = None) -> intake.Came:
        """The next file that is asked for comes as this."""
        self.card._fetch_again_at = 0.0
        asked = self.card.fetch_next()
        assert asked is not None
        return await self.card.came(asked, now or asked, content)

    def safe(self) -> list[int]:
        """What lies on the tray is acknowledged; its counts."""
        found = self.tray.waiting()
        for exposure in found:
            entry = self.tray.take(exposure.key)
            assert entry is not None
            self.memory.safe(BODY.serial, entry)
        return [exposure.frame_counter for exposure in found]

    def _intake(self) -> intake.Intake:
        return intake.Intake(self.memory, self.tray, BODY, pause_s=0.0)


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path / "memory.jsonl")
    await bench.connect()
    return bench


async def test_a_picture_that_comes_late_has_the_count_that_was_left_for_it(bench: Bench) -> None:
    """Given up as empty, while the next one came: at the next connection it is counted where it was taken."""
    await bench.added(file("DSC_0001.JPG"), file("DSC_0002.JPG"))
    assert [await bench.fetch(b"") for _ in range(4)] == ["again", "again", "again", "given_up"]
    assert await bench.fetch() == "whole"
    assert bench.safe() == [2]
    await bench.restart(file("DSC_0001.JPG"), file("DSC_0002.JPG"))
    assert await bench.fetch() == "whole"
    assert (bench.safe(), bench.memory.total) == ([1], 2)


@pytest.mark.parametrize("again", ["over one connection", "at the next connection", "after a restart"])
async def test_a_file_that_was_empty_when_it_was_told_of_keeps_its_count(bench: Bench, again: str) -> None:
    """However the camera tells of its bytes afterwards, and whatever time the file then bears."""
    empty, whole = file("DSC_0001.JPG", 0), file("DSC_0001.JPG", modified=1_700_000_009)
    await bench.added(empty, file("DSC_0002.JPG"))
    assert await bench.fetch(b"") == "again"
    if again == "over one connection":
        await bench.added(whole)
    elif again == "at the next connection":
        await bench.connect(whole, file("DSC_0002.JPG"))
    else:
        await bench.restart(whole, file("DSC_0002.JPG"))
    assert [await bench.fetch(), await bench.fetch()] == ["whole", "whole"]
    assert bench.safe() == [1, 2]
    await bench.restart(whole, file("DSC_0002.JPG"))
    assert (bench.card.fetch_next(), bench.memory.total) == (None, 2)


async def test_a_file_that_grew_while_it_was_fetched_is_taken_in_as_it_is_now(bench: Bench) -> None:
    """Whether the camera tells of the new size, or goes on telling the old one."""
    await bench.added(file("DSC_0001.JPG", 0), file("DSC_0002.JPG", 0))
    assert await bench.fetch(now=file("DSC_0001.JPG", modified=1_700_000_004)) == "whole"
    assert await bench.fetch() == "whole"
    assert bench.safe() == [1, 2]
    await bench.restart(file("DSC_0001.JPG", modified=1_700_000_004), file("DSC_0002.JPG"))
    assert bench.card.fetch_next() is None


async def test_a_file_that_grew_after_it_was_given_up_is_asked_for_again(bench: Bench) -> None:
    """Over the same connection: the camera tells of it anew."""
    await bench.added(file("DSC_0001.JPG", 0))
    assert [await bench.fetch(b"") for _ in range(4)][-1] == "given_up"
    await bench.added(file("DSC_0001.JPG"))
    assert await bench.fetch() == "whole"
    assert bench.safe() == [1]


@pytest.mark.parametrize("cut", [_HEAD, _HEAD + _SCAN, _HEAD + _SCAN[:3], _HEAD + bytes(9)])
@pytest.mark.parametrize("told", ["as an event", "when it is looked at", "never"])
async def test_a_cut_file_is_not_whole_by_the_end_of_its_thumbnail(bench: Bench, cut: bytes, told: str) -> None:
    """The camera tells half a size and hands just that over: one press stays one frame, and that the whole one."""
    half, whole = file("DSC_0001.JPG", len(cut)), file("DSC_0001.JPG", len(WITH_THUMBNAIL))
    await bench.added(half)
    assert await bench.fetch(cut) == "again"
    assert await bench.fetch(cut) == "again"
    if told == "as an event":
        await bench.added(whole)
    now = {"as an event": whole, "when it is looked at": whole, "never": half}[told]
    assert await bench.fetch(WITH_THUMBNAIL, now) == "whole"
    assert [exposure.jpeg for exposure in bench.tray.waiting()] == [WITH_THUMBNAIL]
    assert (bench.safe(), bench.memory.total) == ([1], 1)
    await bench.restart(whole)
    assert (bench.card.fetch_next(), bench.memory.total) == (None, 1)


@pytest.mark.parametrize("told", ["whole at once", "grown in between"])
async def test_a_file_with_more_behind_its_end_is_whole_at_the_second_look(bench: Bench, told: str) -> None:
    """Some cameras put a preview there; while the file still grows it is not taken in."""
    trailing = WITH_THUMBNAIL + b"\xff\xd8 a preview without an end"
    whole = file("DSC_0001.JPG", len(trailing))
    if told == "whole at once":
        await bench.added(whole)
    else:
        await bench.added(file("DSC_0001.JPG", len(trailing) - 5))
        assert await bench.fetch(trailing[:-5]) == "again"
        await bench.added(whole)
    assert [await bench.fetch(trailing), await bench.fetch(trailing)] == ["again", "whole"]
    assert [exposure.jpeg for exposure in bench.tray.waiting()] == [trailing]
    assert (bench.safe(), bench.memory.total) == ([1], 1)


@pytest.mark.parametrize("journalled", [True, False])
async def test_the_name_of_a_deleted_picture_does_not_hide_the_next_one(bench: Bench, *, journalled: bool) -> None:
    """Some cameras give it again: the count goes on, and the deleted picture, if it never came, is missed."""
    deleted, other = file("DSC_0002.JPG"), file("DSC_0002.JPG", len(PICTURE) + 5, 1_700_000_300)
    await bench.added(file("DSC_0001.JPG"))
    await bench.fetch()
    await bench.added(deleted)
    if journalled:
        await bench.fetch()
        assert bench.safe() == [1, 2]
    await bench.connect(file("DSC_0001.JPG"), other)
    await bench.fetch(PICTURE[:-2] + b"12345\xff\xd9")
    assert bench.safe()[-1] == 3
    assert bench.memory.total == 3


async def test_a_raw_is_told_of_whether_it_comes_before_or_after_its_jpeg(bench: Bench) -> None:
    """Before: with the picture. After: as a pair, also of one that was journalled, and at each connection anew."""
    await bench.added(file("DSC_0001.NEF"), file("DSC_0001.JPG"), file("DSC_0002.JPG"))
    assert [await bench.fetch(), await bench.fetch()] == ["whole", "whole"]
    assert [exposure.raw for exposure in bench.tray.waiting()] == [True, False]
    bench.safe()
    await bench.added(file("DSC_0002.NEF"))
    assert bench.tray.pairs() == [("cam-1", 2)]
    assert bench.card.raws_left_alone() == []
    await bench.restart(file("DSC_0002.JPG"), file("DSC_0002.NEF"))
    assert bench.tray.pairs() == [("cam-1", 2)]
    bench.tray.noted(("cam-1", 2))
    assert bench.tray.pairs() == []


async def test_a_padded_file_is_whole_at_once(bench: Bench) -> None:
    """Zeros behind the end mark are no reason to wait."""
    padded = WITH_THUMBNAIL + bytes(64)
    await bench.added(file("DSC_0001.JPG", len(padded)))
    assert await bench.fetch(padded) == "whole"


async def test_a_picture_that_waits_learns_of_its_raw(bench: Bench) -> None:
    """It need not be noted afterwards what can be journalled with the frame."""
    await bench.added(file("DSC_0001.JPG"))
    await bench.fetch()
    await bench.added(file("DSC_0001.NEF"))
    assert [exposure.raw for exposure in bench.tray.waiting()] == [True]


async def test_a_raw_of_a_name_used_long_ago_waits_for_its_own_jpeg(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbering begun anew: the JPEG of that name is another picture's."""
    await bench.added(file("DSC_0001.JPG"))
    await bench.fetch()
    later_s = 120.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + later_s, monotonic_ns=time.monotonic_ns)
    monkeypatch.setattr(intake, "time", clock)
    await bench.added(file("DSC_0001.NEF", modified=1_700_000_120))
    assert bench.tray.pairs() == []
    later_s = 130.0
    assert bench.card.raws_left_alone() == ["DSC_0001"]


def test_half_a_line_is_taken_off_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written whole leaves the lines before it as they were."""
    path = tmp_path / "lines.jsonl"
    notes.add(path, [{"first": 1}])

    def full(_number: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="full"):
            notes.add(path, [{"second": 2}])
    notes.add(path, [{"third": 3}])
    assert notes.read(path) == [{"first": 1}, {"third": 3}]


async def test_a_line_that_fails_takes_no_other_with_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread makes a frame safe and the disk is full; what the other one counts meanwhile stays counted."""
    first, second = file("DSC_0001.JPG"), file("DSC_0002.JPG")
    await bench.added(first)
    failing, counted, fsync = threading.Event(), threading.Event(), os.fsync

    def full(number: int) -> None:
        if failing.is_set():
            return fsync(number)
        failing.set()
        counted.wait(0.5)  # whoever does not wait for us has added its line by then
        raise OSError(errno.ENOSPC, "full")

    def count() -> None:
        failing.wait()
        bench.memory.number(BODY.serial, [second], numbered=True)
        counted.set()

    monkeypatch.setattr(os, "fsync", full)
    other = threading.Thread(target=count)
    other.start()
    with pytest.raises(OSError, match="full"):
        bench.memory.safe(BODY.serial, first)
    other.join()
    again = memory.Memory(bench.path)
    assert (again.count_of(BODY.serial, first), again.count_of(BODY.serial, second)) == (1, 2)


def test_a_line_that_a_crash_cut_off_is_taken_off(tmp_path: Path) -> None:
    """The next one begins a line of its own."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"first": 1}\n{"sec')
    assert notes.read(path) == [{"first": 1}]
    notes.add(path, [{"third": 3}])
    assert notes.read(path) == [{"first": 1}, {"third": 3}]
