"""A folder into which another program (EOS Utility, Capture One, Imaging Edge) puts the camera's files.

A file counts when its size has stood still and it ends as a JPEG ends; the same bytes under another name count once.
What is safe is moved to `taken/` beside it: the crew's own copy.
"""

import asyncio
import hashlib
import json
import time
from pathlib import Path
from typing import Any

from kit.errors import Unavailable
from station import ports, settings

_LOOK_AGAIN_S = 0.2
_PATIENCE_S = 15.0
_STILL_S = 0.3
_START, _END = b"\xff\xd8", b"\xff\xd9"
_SUFFIXES = (".jpg", ".jpeg")


class HotFolderCamera:
    """Numbers the files in the order in which they came; the numbers and hashes outlive a restart."""

    def __init__(self, folder: Path, memory: Path, serial: str) -> None:
        if not folder.is_dir():
            raise Unavailable("camera-folder-missing")
        self._folder, self._memory, self._serial = folder, memory, serial
        self._seen: dict[str, int] = _remembered(memory)
        self._acknowledged: set[str] = set()
        self._still: dict[Path, tuple[int, float]] = {}

    @property
    def serial(self) -> str:
        """Stands for the folder: files do not name the camera reliably."""
        return self._serial

    @property
    def photographer_fires(self) -> bool:
        """Pictures come when the photographer takes them."""
        return True

    async def shutter(self) -> ports.Exposure:
        """The next file: the photographer presses the shutter. Raises Unavailable when none comes."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            if arrived := await self.waiting():
                return arrived[0]
            await asyncio.sleep(_LOOK_AGAIN_S)
        raise Unavailable("camera-no-frame", seconds=int(_PATIENCE_S))

    async def waiting(self) -> list[ports.Exposure]:
        """Whole files that are not acknowledged, in their order."""
        return await asyncio.to_thread(self._arrived)

    async def acknowledge(self, exposure: ports.Exposure) -> None:
        """Move the file aside."""
        await asyncio.to_thread(self._put_aside, hashlib.sha256(exposure.jpeg).hexdigest())

    async def frames_taken(self) -> int:
        """How many different pictures have come."""
        return len(self._seen)

    def _arrived(self) -> list[ports.Exposure]:
        whole = [(path, content) for path in self._candidates() if (content := self._whole(path)) is not None]
        exposures: dict[int, ports.Exposure] = {}
        for path, content in whole:
            digest = hashlib.sha256(content).hexdigest()
            if digest in self._acknowledged:
                self._move(path)
                continue
            counter = self._number(digest)
            exposures[counter] = ports.Exposure(content, self._serial, counter, time.monotonic_ns())
        return [exposures[counter] for counter in sorted(exposures)]

    def _candidates(self) -> list[Path]:
        files = [path for path in self._folder.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file()]
        return sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def _whole(self, path: Path) -> bytes | None:
        size, now = path.stat().st_size, time.monotonic()
        known = self._still.get(path)
        if known is None or known[0] != size:
            self._still[path] = (size, now)
            return None
        if now - known[1] < _STILL_S:
            return None
        content = path.read_bytes()
        return content if content.startswith(_START) and content.rstrip(b"\0").endswith(_END) else None

    def _number(self, digest: str) -> int:
        if digest not in self._seen:
            self._seen[digest] = len(self._seen) + 1
            settings.write_whole(self._memory, json.dumps(self._seen).encode())
        return self._seen[digest]

    def _put_aside(self, digest: str) -> None:
        self._acknowledged.add(digest)
        for path in self._candidates():
            if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
                self._move(path)

    def _move(self, path: Path) -> None:
        aside = self._folder / "taken"
        aside.mkdir(exist_ok=True)
        target = aside / path.name
        if target.exists():
            target = aside / f"{path.stem}-{time.time_ns()}{path.suffix}"
        path.replace(target)
        self._still.pop(path, None)


def _remembered(memory: Path) -> dict[str, int]:
    try:
        known: dict[str, Any] = json.loads(memory.read_bytes())
    except FileNotFoundError:
        return {}
    return {str(digest): int(counter) for digest, counter in known.items()}
