"""A folder into which another program (EOS Utility, Capture One, Imaging Edge) puts the camera's files.

A file counts when size and time have stood still and it ends as a JPEG ends; the same bytes under another name, or in
another folder below, count once. What is safe is moved to `taken/` beside it, with its RAW: the crew's own copy.
File names are never told to anybody: some programs put the sitter's name there.
"""

import asyncio
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path

import watchfiles

from kit.errors import Unavailable
from station import devices
from station.cameras import aside, jpeg, notes
from station.ports import hardware

#: A network drive may not tell of changes: it is looked at all the same.
_LOOK_AGAIN_S = 1.0
_STEP_S = 0.1
_PATIENCE_S = 15.0
_STILL_S = 0.3
#: A file that has stood still so long and has its end somewhere is whole: some bodies write more behind the end mark.
#: One without any end by then was cut off.
_SETTLED_S = 5.0
#: From the shutter until its file appears: the camera writes, the program fetches RAW and JPEG.
_LAG_NS = 3_000_000_000


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
        self._aside = aside.Aside(folder, self._numbers.get)
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
        await asyncio.to_thread(self._put_aside, digest, with_raw=exposure.raw)

    async def raw_pairs(self) -> list[hardware.FrameKey]:
        """Pictures that were moved aside before their RAW came."""
        return [(self._serial, count) for count in self._aside.late()]

    async def raw_noted(self, key: hardware.FrameKey) -> None:
        """Move the RAW to its picture."""
        await asyncio.to_thread(self._aside.noted, key[1])

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
        """Pictures that are whole, and how many files grow or are cut off."""
        whole, growing, cut = set(), 0, 0
        for path, seen in self._stock():
            if digest := self._digest(path, seen):
                whole.add(digest)
            elif time.monotonic() - seen.since < _SETTLED_S:
                growing += 1
            else:
                cut += 1
        self._aside.look(self._raws_alone())
        return whole, growing, cut

    # -- reading

    def _exposures(self) -> list[hardware.Exposure]:
        exposures: dict[int, hardware.Exposure] = {}
        for path, seen in self._stock():
            digest = self._digest(path, seen)
            if digest is None:
                continue
            if digest in self._acknowledged:
                self._move(path, with_raw=False)
                continue
            with suppress(OSError):
                counter, content = self._number(digest), path.read_bytes()
                if hashlib.sha256(content).hexdigest() == digest:
                    raw = any(map(aside.is_raw, aside.beside(path)))
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
        return (path for path in self._below() if path.suffix.lower() in aside.JPEG_SUFFIXES)

    def _raws_alone(self) -> list[Path]:
        """RAW files beside which no picture lies. Another thread may put one aside meanwhile."""
        raws = [path for path in self._below() if aside.is_raw(path)]
        pictures = {path.with_suffix("") for path in list(self._files)}
        return [path for path in raws if path.with_suffix("") not in pictures]

    def _below(self) -> Iterator[Path]:
        for folder, below, names in os.walk(self._folder):
            below[:] = sorted(name for name in below if name != aside.NAME and not name.startswith("."))
            yield from (Path(folder, name) for name in names if name[0] not in ".~")

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
            notes.add(self._memory, [{"sha256": digest}])
            self._numbers[digest] = len(self._numbers) + 1
        return self._numbers[digest]

    # -- putting aside

    def _put_aside(self, digest: str, *, with_raw: bool) -> None:
        for path, seen in self._stock():
            if self._digest(path, seen) == digest:
                self._move(path, with_raw=with_raw)

    def _move(self, path: Path, *, with_raw: bool) -> None:
        """A file that its program still holds stays; it counts no more."""
        self._aside.put(path, with_raw=with_raw)
        self._files.pop(path, None)


def _whole(content: bytes, *, settled: bool) -> bool:
    return jpeg.ends_there(content) or (settled and jpeg.has_end(content))


def _remembered(memory: Path) -> dict[str, int]:
    """The hashes in their order."""
    digests = dict.fromkeys(line["sha256"] for line in notes.read(memory))
    return {digest: place for place, digest in enumerate(digests, 1)}
