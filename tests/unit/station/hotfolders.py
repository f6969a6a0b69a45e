"""Hot folders and the smallest files that are built as pictures."""

import asyncio
from pathlib import Path

from station.cameras import hotfolder
from station.ports import hardware
from tests.unit.station import patience

#: Start of image, start of scan, coded data, end of image.
WHOLE = b"\xff\xd8\xff\xda\x00\x02 picture \xff\xd9"
OTHER = b"\xff\xd8\xff\xda\x00\x02 another picture \xff\xd9"
THIRD = b"\xff\xd8\xff\xda\x00\x02 a third \xff\xd9"


def opened(folder: Path) -> hotfolder.HotFolderCamera:
    return hotfolder.HotFolderCamera(folder, folder.parent / "memory.jsonl", "h-1")


async def come(camera: hotfolder.HotFolderCamera, count: int = 1) -> list[hardware.Exposure]:
    """Wait for so many pictures."""
    async with asyncio.timeout(patience.SECONDS):
        while len(found := await camera.waiting()) < count:
            await camera.arrived(0.5)
    return found


async def healthy(camera: hotfolder.HotFolderCamera, *, ready: bool) -> hardware.Health:
    await patience.until(lambda: camera.health().ready == ready)
    return camera.health()
