"""A folder into which another program (EOS Utility, Capture One, Imaging Edge) puts the camera's files.

A file counts when size and time have stood still and it ends as a JPEG ends; the same bytes under another name, or in
another folder below, count once. What is safe is moved to `taken/` beside it, with its RAW: the crew's own copy.
File names are never told to anybody: some programs put the sitter's name there.
"""

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path

import watchfiles

from kit.errors import Unavailable
from station import devices
from station.cameras.tethered import bodies
from station.ports import hardware

#: A network drive may not tell of changes: it is looked at all the same.
_LOOK_AGAIN_S = 1.0
_STEP_S = 0.1
_PATIENCE_S = 15.0
_STILL_S = 0.3
#: A file that has stood still so long and has its end somewhere is whole: some bodies write more behind the end mark.
#: One without any end by then was cut off.
_SETTLED_S = 5.0
_START, _END = b"\xff\xd8", b"\xff\xd9"
_SUFFIXES = (".jpg", ".jpeg")
#: From the shutter until its file appears: the camera writes, the program fetches RAW and JPEG.
_LAG_NS = 3_000_000_000
_TAKEN = "taken"


@dataclass(slots=True)
class _Seen:
    """A file as it was found: when first, since when it has been as it is, and its hash once it was read."""

    size: int
    modified_ns: int
    since: float
    first_ns: int
    digest: str | None = None


class HotFolderCamera(devices.Supervised):
    """Numbers the files in the order in which they came; the numbers and hashes outlive a restart."""

    def __init__(self, folder: Path, memory: Path, serial: str, noticed: devices.Noticed = devices.unnoticed) -> None:
        if not folder.is_dir():
            raise Unavailable("camera-folder-missing")
        self._folder, self._memory, self._serial = folder, memory, serial
        self._numbers: dict[str, int] = _remembered(memory)
        self._acknowledged: set[str] = set()
        self._files: dict[Path, _Seen] = {}
        self._offered: set[str] = set()
        self._watch = devices.Watch("camera", noticed)
        self._arrival = asyncio.Event()

    @property
    def photographer_fires(self) -> bool:
        """Pictures come when the photographer takes them."""
        return True

    @property
    def serial(self) -> str:
        """Stands for the folder: files do not name the camera reliably."""
        return self._serial

    def health(self) -> hardware.Health:
        """With the count of frames, and of files that are cut off."""
        return self._watch.health()

    async def shutter(self) -> hardware.Exposure:
        """The next file: the photographer presses the shutter. Raises Unavailable when none comes."""
        if behind := await self.waiting():
            raise Unavailable("camera-frames-waiting", count=len(behind))
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            if arrived := await self.waiting():
                return arrived[0]
            await asyncio.sleep(_STEP_S)
        if self._watch.trouble:
            raise self._watch.problem("camera-folder-missing")
        raise Unavailable("camera-no-frame", seconds=int(_PATIENCE_S))

    async def waiting(self) -> list[hardware.Exposure]:
        """Whole files that are not acknowledged, in their order."""
        return await asyncio.to_thread(self._exposures)

    async def acknowledge(self, exposure: hardware.Exposure) -> None:
        """Move the file aside."""
        digest = hashlib.sha256(exposure.jpeg).hexdigest()
        self._acknowledged.add(digest)
        await asyncio.to_thread(self._put_aside, digest)

    async def frames_taken(self) -> int:
        """How many different pictures have come."""
        return len(self._numbers)

    async def arrived(self, timeout_s: float) -> None:
        """Wait until a picture has come, at most `timeout_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._arrival.wait()
            self._arrival.clear()

    @property
    def live_view(self) -> bool:
        """The program that fills the folder has the camera, and shows it."""
        return False

    async def preview(self) -> bytes:
        """Raises Unavailable."""
        raise Unavailable("camera-no-live-view")

    # -- watching

    async def _supervise(self) -> None:
        pauses = devices.pauses(0.5, 5.0)
        while True:
            try:
                await self._follow()
            except OSError:
                self._watch.troubled("folder_missing", "camera-folder-missing")
                await asyncio.sleep(next(pauses))
            else:
                pauses = devices.pauses(0.5, 5.0)

    async def _follow(self) -> None:
        """Look whenever something changes, until the folder is gone."""
        changes = watchfiles.awatch(
            self._folder, debounce=200, step=50, rust_timeout=int(_LOOK_AGAIN_S * 1000), yield_on_timeout=True
        )
        async with aclosing(changes):
            await self._look()
            async for _ in changes:
                await self._look()

    async def _look(self) -> None:
        """Until every file is either whole or given up."""
        while True:
            if not self._folder.is_dir():
                raise FileNotFoundError
            whole, growing, cut = await asyncio.to_thread(self._survey)
            if whole - self._offered:
                self._offered |= whole
                self._arrival.set()
            self._watch.knows(frames=len(self._numbers))
            if cut:
                self._watch.troubled("empty", "camera-files-unfinished", count=cut)
            else:
                self._watch.well()
            if not growing:
                return
            await asyncio.sleep(_STEP_S)

    def _survey(self) -> tuple[set[str], int, int]:
        whole, growing, cut = set(), 0, 0
        for path, seen in self._stock():
            if digest := self._digest(path, seen):
                whole.add(digest)
            elif time.monotonic() - seen.since < _SETTLED_S:
                growing += 1
            else:
                cut += 1
        return whole, growing, cut

    # -- reading

    def _exposures(self) -> list[hardware.Exposure]:
        exposures: dict[int, hardware.Exposure] = {}
        for path, seen in self._stock():
            digest = self._digest(path, seen)
            if digest is None:
                continue
            if digest in self._acknowledged:
                self._move(path)
                continue
            with suppress(OSError):
                counter, content = self._number(digest), path.read_bytes()
                if hashlib.sha256(content).hexdigest() == digest:
                    raw = any(_is_raw(beside) for beside in _beside(path))
                    exposures[counter] = hardware.Exposure(content, self._serial, counter, seen.first_ns, _LAG_NS, raw)
        return [exposures[counter] for counter in sorted(exposures)]

    def _stock(self) -> list[tuple[Path, _Seen]]:
        """The files in the order of their times, and since when each is as it is."""
        found: dict[Path, _Seen] = {}
        for path in self._candidates():
            with suppress(OSError):  # renamed or held by its writer just now
                stat = path.stat()
                known = self._files.get(path)
                if known is None or (known.size, known.modified_ns) != (stat.st_size, stat.st_mtime_ns):
                    first_ns = known.first_ns if known else time.monotonic_ns()
                    known = _Seen(stat.st_size, stat.st_mtime_ns, time.monotonic(), first_ns)
                found[path] = known
        self._files = found
        return sorted(found.items(), key=lambda one: (one[1].modified_ns, one[0]))

    def _candidates(self) -> Iterator[Path]:
        for folder, below, names in os.walk(self._folder):
            below[:] = sorted(name for name in below if name != _TAKEN and not name.startswith("."))
            yield from (
                Path(folder, name) for name in names if name.lower().endswith(_SUFFIXES) and name[0] not in ".~"
            )

    def _digest(self, path: Path, seen: _Seen) -> str | None:
        """The file's hash, None while it is not whole."""
        still_s = time.monotonic() - seen.since
        if seen.digest is None and still_s >= _STILL_S:
            with suppress(OSError):
                content = path.read_bytes()
                if len(content) == seen.size and _whole(content, settled=still_s >= _SETTLED_S):
                    seen.digest = hashlib.sha256(content).hexdigest()
        return seen.digest

    def _number(self, digest: str) -> int:
        if digest not in self._numbers:
            with self._memory.open("ab") as file:
                file.write(json.dumps({"sha256": digest}).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self._numbers[digest] = len(self._numbers) + 1
        return self._numbers[digest]

    # -- putting aside

    def _put_aside(self, digest: str) -> None:
        for path, seen in self._stock():
            if self._digest(path, seen) == digest:
                self._move(path)

    def _move(self, path: Path) -> None:
        """Into `taken/`, with what else has its name. A file that its program still holds stays; it counts no more."""
        aside = self._folder / _TAKEN
        aside.mkdir(exist_ok=True)
        for beside in [path, *_beside(path)]:
            if beside == path or beside.suffix.lower() not in _SUFFIXES:
                with suppress(OSError):
                    beside.replace(_free(aside / beside.name))
        self._files.pop(path, None)


def _beside(path: Path) -> list[Path]:
    """What else has the picture's name."""
    return [other for other in path.parent.glob(f"{_literal(path.stem)}.*") if other != path]


def _is_raw(path: Path) -> bool:
    return path.suffix.lower() in bodies.RAW_SUFFIXES


def _literal(stem: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in stem)


def _free(target: Path) -> Path:
    return target.with_name(f"{target.stem}-{time.time_ns()}{target.suffix}") if target.exists() else target


def _whole(content: bytes, *, settled: bool) -> bool:
    if not content.startswith(_START):
        return False
    return content.rstrip(b"\0").endswith(_END) or (settled and _END in content)


def _remembered(memory: Path) -> dict[str, int]:
    """The hashes in their order; a line that a crash cut off is taken off."""
    if not memory.exists():
        return {}
    content = memory.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        with memory.open("r+b") as file:
            file.truncate(len(whole))
    digests = dict.fromkeys(json.loads(line)["sha256"] for line in whole.splitlines())
    return {digest: place for place, digest in enumerate(digests, 1)}
