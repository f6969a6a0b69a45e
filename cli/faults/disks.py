"""The row of the full disk. As root on Linux the station lies on a small tmpfs of its own, so that ENOSPC is real.

Elsewhere the agent may write no file longer than a frame's beginning (RLIMIT_FSIZE): that is EFBIG at the same place.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.faults import agents, integrity, patience, pictures
from cli.faults.cameras import told
from cli.faults.hall import Hall
from cli.faults.matrix import Fault, Seen

_CODE = "station-disk-full"
#: What is counted where no disk can be filled: a write that failed.
_REFUSALS = "gradphoto_spool_refusals_total"
_SIZE_MB, _RESERVE_MB = 24, 8
#: Less than a frame, more than the line in the journal that says that the shutter was pressed.
_LEFT_BYTES = 48 * 1024


@dataclass
class Disk:
    """The station's disk, and a ballast that fills it."""

    folder: Path

    def leave(self, left_bytes: int) -> None:
        """Fill it up to so many free bytes."""
        self.clear()
        with (self.folder / "ballast").open("wb") as file:
            while (size := shutil.disk_usage(self.folder).free - left_bytes) > 0:
                # Others write here too: what was free a moment ago may be taken.
                with contextlib.suppress(OSError):
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
                    return

    def clear(self) -> None:
        """Somebody made room."""
        (self.folder / "ballast").unlink(missing_ok=True)


@contextlib.contextmanager
def small(folder: Path) -> Iterator[Disk | None]:
    """A tmpfs of a few megabytes, gone with the block; None where this user may not mount one."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE_MB}m", "tmpfs", str(folder)]
    allowed = sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount") is not None
    if not allowed or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.asynccontextmanager
async def _desk(hall: Hall, disk: Disk, name: str, *without: str) -> AsyncIterator[agents.Desk]:
    """A desk on that disk. Its camera's card is no part of it."""
    folder = disk.folder / name
    folder.mkdir()
    card = hall.folder / f"card-{name}"
    card.mkdir()
    (folder / "camera").symlink_to(card, target_is_directory=True)
    reserve = {"STATION_RESERVE_MB": str(_RESERVE_MB)}
    async with hall.desk(folder=folder, environment=reserve, without=without) as desk:
        desk.sit_down(pictures.portrait(0))
        yield desk


async def disk_full(hall: Hall) -> Seen:
    """Below its reserve the desk begins nothing; a write that fails all the same loses nothing."""
    with small(hall.folder / "small-disk") as disk:
        if disk is None:
            return await _limited(hall)
        seen = Seen(note="tmpfs，真实 real ENOSPC")
        async with _desk(hall, disk, "desk") as desk:
            await _refused_before_it_begins(hall, disk, desk, seen)
        async with _desk(hall, disk, "unguarded", "reserve") as desk:
            await _fails_in_mid_write(hall, disk, desk, seen)
        return seen


async def _refused_before_it_begins(hall: Hall, disk: Disk, desk: agents.Desk, seen: Seen) -> None:
    first, place = hall.next_student(), hall.next_student()
    kept = {await desk.photograph(first): first}
    seen.demand(_CODE not in await desk.messages(), "有空间时也提示 told with room left")
    before = await desk.metric("gradphoto_station_disk_full")
    seen.demand(not before, "有空间时指标为 1 metric is 1 with room left")
    await desk.seat(place)
    disk.leave(_RESERVE_MB * 2**20 // 2)
    refused, _ = await _refusal(desk)
    seen.demand(refused == _CODE, f"快门未被拒绝 the shutter was not refused: {refused}")
    seen.zh = await patience.until(f"message {_CODE}", lambda: told(desk, _CODE))
    seen.demand(_count(desk) == 1, "仍然拍了 the camera was fired")
    seen.moved = (before, await patience.risen("metric", before, lambda: desk.metric("gradphoto_station_disk_full")))
    disk.leave(0)
    await desk.kill()
    await desk.start()
    await patience.until(f"message {_CODE} after a start on the full disk", lambda: told(desk, _CODE))
    seen.demand((await _refusal(desk))[0] == _CODE, "重启后快门未被拒绝 the shutter was not refused after the restart")
    disk.clear()
    kept[await desk.keep(await desk.post("/v1/shutter"))] = place
    await desk.settle()
    seen.took(await integrity.compare(hall, desk, kept))


async def _fails_in_mid_write(hall: Hall, disk: Disk, desk: agents.Desk, seen: Seen) -> None:
    """The control first: without the reserve the shutter is released, and the write finds the disk full."""
    place = hall.next_student()
    await desk.seat(place)
    disk.leave(_LEFT_BYTES)
    refused, _ = await _refusal(desk)
    seen.demand(refused == _CODE, f"写满未告知 a failed write was not told: {refused}")
    seen.demand(await desk.metric(_REFUSALS), "写满未计数 a failed write was not counted")
    if _count(desk):
        seen.control = "快门已放，照片留在相机 shutter released, frame stays in the camera"
    seen.demand(not list((desk.folder / "spool").iterdir()), "留下半个文件 half a file is left")
    disk.leave(0)
    later = hall.next_student()
    with contextlib.suppress(agents.Refused):
        await desk.post("/v1/checkins", {"scan": f"code-{later}"})
    await desk.kill()
    await desk.start()  # the disk is full still, and the camera's card holds a frame
    disk.clear()
    kept = {await desk.keep(await desk.post("/v1/shutter")): place}
    seen.demand(_count(desk) == 1, "又拍了一次 taken twice")
    kept[await desk.photograph(later)] = later
    await desk.settle()
    seen.took(await integrity.compare(hall, desk, kept))


async def _limited(hall: Hall) -> Seen:
    seen = Seen(note="RLIMIT_FSIZE（无权挂载 may not mount）")
    async with hall.desk() as desk:
        desk.sit_down(pictures.portrait(0))
        first, place = hall.next_student(), hall.next_student()
        kept = {await desk.photograph(first): first}
        seen.control = "" if await desk.metric(_REFUSALS) else "不限时写入 written without limit"
        await desk.seat(place)
        await desk.kill()
        desk.limit_bytes = _LEFT_BYTES
        await desk.start()
        before = await desk.metric(_REFUSALS)
        refused, zh = await _refusal(desk)
        seen.demand(refused == _CODE, f"写满未告知 a failed write was not told: {refused}")
        seen.zh = zh if refused == _CODE else ""
        seen.moved = (before, await patience.risen("metric", before, lambda: desk.metric(_REFUSALS)))
        await desk.kill()
        desk.limit_bytes = 0
        await desk.start()
        kept[await desk.keep(await desk.post("/v1/shutter"))] = place
        await desk.settle()
        seen.took(await integrity.compare(hall, desk, kept))
    return seen


async def _refusal(desk: agents.Desk) -> tuple[str, str]:
    """The code and the Chinese words with which the desk refuses the shutter; empty if it does not."""
    try:
        await desk.post("/v1/shutter")
    except agents.Refused as refused:
        return refused.code, refused.zh
    return "", ""


def _count(desk: agents.Desk) -> int:
    counter = desk.folder / "camera" / "counter"
    return int(counter.read_text()) if counter.exists() else 0


ROWS = (
    Fault(
        name="disk-full",
        zh="磁盘写满",
        en="disk full",
        simulator="填满一个小 tmpfs a small tmpfs, filled",
        code=_CODE,
        metric="gradphoto_station_disk_full",
        alert="DeskDiskFull",
        control="不留余量 without the reserve",
        trial=disk_full,
    ),
)
