"""A folder into which another program (EOS Utility, Capture One, Imaging Edge) puts the camera's files.

A file counts when size and time have stood still and it ends as a JPEG ends; the same bytes under another name, or in
another folder below, count once. What is safe is moved to `taken/` beside it, with its RAW: the crew's own copy. What
lay there before the desk first came is none of ours, and stays. File names are never told to anybody: some programs
put the sitter's name there.
"""

import asyncio
import hashlib
import threading
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path

import watchfiles

from kit import logs
from kit.errors import Unavailable
from station import devices, settings
from station.cameras import aside, ledger, stock
from station.ports import hardware

#: A network drive may not tell of changes: it is looked at all the same.
_LOOK_AGAIN_S = 1.0
_STEP_S = 0.1
_PATIENCE_S = 15.0
#: From the shutter until its file appears: the camera writes, the program fetches RAW and JPEG.
_LAG_NS = 3_000_000_000
#: So long a RAW may lie there without its JPEG.
_RAW_ALONE_S = 6.0
#: So many pictures are in memory while nobody takes them in; the others wait in the folder.
_AT_HAND = 4


@dataclass(frozen=True, slots=True)
class _Survey:
    """The hashes of whole pictures; how many files grow or are cut off; RAW files alone, and how many newly told."""

    whole: set[str]
    growing: int
    cut: int
    raws_alone: bool
    raws_told: int


class HotFolderCamera(devices.Supervised):
    """Numbers the files in the order in which they came; the numbers and hashes outlive a restart."""

    def __init__(self, folder: Path, memory: Path, serial: str, noticed: devices.Noticed = devices.unnoticed) -> None:
        if not folder.is_dir():
            raise Unavailable("camera-folder-missing")
        self._folder, self._serial = folder, serial
        self._ledger = ledger.Ledger(memory, folder)
        self._stock = stock.Stock(folder, self._ledger)
        #: Surveying, reading and putting aside are threads of their own.
        self._looking = threading.Lock()
        self._aside = aside.Aside(folder, self._ledger.count_of)
        self._acknowledged: set[str] = set()
        self._offered: set[str] = set()
        self._more = False
        #: RAW files without a JPEG: those of which was told, and how many of them since the last picture.
        self._raws_told: set[Path] = set()
        self._raw_only = 0
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
        if behind := await asyncio.to_thread(self._behind):
            raise Unavailable("camera-frames-waiting", count=behind)
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            if arrived := await self.waiting():
                return arrived[0]
            await asyncio.sleep(_STEP_S)
        if self._watch.trouble:
            raise self._watch.problem("camera-folder-missing")
        raise Unavailable("camera-no-frame", seconds=int(_PATIENCE_S))

    async def waiting(self) -> list[hardware.Exposure]:
        """The first whole files that are not acknowledged, in their order; more once these are."""
        return await asyncio.to_thread(self._exposures)

    async def acknowledge(self, exposure: hardware.Exposure) -> None:
        """Move the file aside."""
        digest = hashlib.sha256(exposure.jpeg).hexdigest()
        self._acknowledged.add(digest)
        await asyncio.to_thread(self._put_aside, digest, with_raw=exposure.raw)
        if self._more:
            self._arrival.set()

    async def raw_pairs(self) -> list[hardware.FrameKey]:
        """Pictures that were moved aside before their RAW came."""
        return [(self._serial, count) for count in self._aside.late()]

    async def raw_noted(self, key: hardware.FrameKey) -> None:
        """Move the RAW to its picture."""
        await asyncio.to_thread(self._aside.noted, key[1])

    async def frames_taken(self) -> int:
        """How many different pictures have come."""
        return len(self._ledger)

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
            except OSError as error:
                if error.errno in settings.FULL:  # the desk's own notes
                    self._watch.troubled("disk_full", "station-disk-full")
                else:
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
            survey = await asyncio.to_thread(self._survey)
            if survey.whole - self._offered:
                self._offered |= survey.whole
                self._raw_only = 0
                self._arrival.set()
            self._raw_only = (self._raw_only + survey.raws_told) if survey.raws_alone else 0
            self._tell(survey.cut)
            if not survey.growing:
                return
            await asyncio.sleep(_STEP_S)

    def _tell(self, cut: int) -> None:
        self._watch.knows(frames=len(self._ledger))
        if self._stock.older and "older" not in self._watch.health().details:
            logs.get().info("camera.folder-met", older=self._stock.older)
            self._watch.knows(older=self._stock.older)
        if cut:
            self._watch.troubled("empty", "camera-files-unfinished", count=cut)
        elif self._raw_only:
            self._watch.troubled("raw_only", "camera-folder-raw-only", count=self._raw_only)
        else:
            self._watch.well()

    def _survey(self) -> _Survey:
        with self._looking:
            found = [seen for _, seen in self._stock.look()]
            alone = self._stock.raws_alone()
            unpaired = self._aside.look(alone)
        late = {path for path in unpaired if time.monotonic() - alone[path] >= _RAW_ALONE_S} - self._raws_told
        self._raws_told |= late
        whole = {seen.digest for seen in found if seen.digest}
        growing = sum(not seen.digest and not seen.cut for seen in found)
        return _Survey(whole, growing, sum(seen.cut for seen in found), bool(unpaired), len(late))

    # -- reading

    def _behind(self) -> int:
        with self._looking:
            return len(self._unacknowledged())

    def _unacknowledged(self) -> dict[int, tuple[Path, stock.Seen]]:
        """The whole pictures by their counts, each once; those that were acknowledged and came again are moved."""
        found: dict[int, tuple[Path, stock.Seen]] = {}
        for path, seen in self._stock.look():
            if seen.digest in self._acknowledged:
                self._move(path, with_raw=False)
            elif seen.digest:
                found[self._ledger.number(seen.digest)] = path, seen
        return found

    def _exposures(self) -> list[hardware.Exposure]:
        with self._looking:
            found = self._unacknowledged()
            exposures: list[hardware.Exposure] = []
            for counter, (path, seen) in sorted(found.items()):
                if len(exposures) == _AT_HAND:
                    break
                with suppress(OSError):
                    content = path.read_bytes()
                    if hashlib.sha256(content).hexdigest() == seen.digest:
                        raw = any(map(aside.is_raw, aside.beside(path)))
                        exposures.append(hardware.Exposure(content, self._serial, counter, seen.first_ns, _LAG_NS, raw))
            self._more = len(found) > len(exposures)
            return exposures

    # -- putting aside

    def _put_aside(self, digest: str, *, with_raw: bool) -> None:
        with self._looking:
            for path, seen in self._stock.look():
                if seen.digest == digest:
                    self._move(path, with_raw=with_raw)

    def _move(self, path: Path, *, with_raw: bool) -> None:
        """A file that its program still holds stays; it counts no more."""
        self._aside.put(path, with_raw=with_raw)
        self._stock.forget(path)
