"""Between desk and camera, whatever connection there is: what was asked for, and what lies ready to be taken in."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace

from kit.errors import Unavailable
from station.cameras.tethered import bodies, troubles
from station.cameras.tethered.sightings import Sightings
from station.ports import hardware


@dataclass(slots=True)
class Press:
    """A press of the shutter. `sent_at` while the camera may have obeyed; `claimed` is the file that answers it."""

    answer: asyncio.Future[hardware.Exposure]
    sent_at: float | None = None
    claimed: bodies.Entry | None = None
    focus_tried: bool = False

    def give_back(self, problem: Unavailable) -> None:
        """Only a person can help: tell at once, instead of when the patience ends."""
        if not self.answer.done():
            self.answer.set_exception(problem)


class Tray:
    """Holds pictures until they are acknowledged, and frames whose RAW has come until that is noted."""

    def __init__(self) -> None:
        self.press: Press | None = None
        self.sightings = Sightings()
        self._preview: asyncio.Future[bytes] | None = None
        self._waiting: dict[hardware.FrameKey, tuple[hardware.Exposure, bodies.Entry]] = {}
        self._pairs: dict[hardware.FrameKey, None] = {}
        self._arrival = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, key: hardware.FrameKey) -> bool:
        return key in self._waiting

    def waiting(self) -> list[hardware.Exposure]:
        """What was not taken in yet, in the order of the count."""
        return [self._waiting[key][0] for key in sorted(self._waiting, key=lambda key: key[1])]

    def put(self, exposure: hardware.Exposure, entry: bodies.Entry) -> None:
        """A picture has come: it answers its press, or waits."""
        self._waiting[exposure.key] = (exposure, entry)
        if self.press and self.press.claimed == entry and not self.press.answer.done():
            self.press.answer.set_result(exposure)
        else:
            self._arrival.set()

    def take(self, key: hardware.FrameKey) -> bodies.Entry | None:
        """Let go of a picture that is safe; None when it was let go of before."""
        kept = self._waiting.pop(key, None)
        return kept[1] if kept else None

    async def arrived(self, timeout_s: float) -> None:
        """Wait for a picture that nobody asked for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._arrival.wait()
            self._arrival.clear()

    # -- RAW files that came after their JPEG

    def pair(self, key: hardware.FrameKey) -> None:
        """A RAW lies beside this frame."""
        self._pairs[key] = None
        if key in self._waiting:
            exposure, entry = self._waiting[key]
            self._waiting[key] = replace(exposure, raw=True), entry

    def pairs(self) -> list[hardware.FrameKey]:
        """Frames of which that was not noted yet."""
        return list(self._pairs)

    def noted(self, key: hardware.FrameKey) -> None:
        """It is."""
        self._pairs.pop(key, None)

    # -- live view

    @property
    def wants_preview(self) -> bool:
        """Whether one was asked for and has not come."""
        return self._preview is not None

    def ask_preview(self) -> asyncio.Future[bytes]:
        """What the next preview answers."""
        if self._preview is None:
            self._preview = asyncio.get_running_loop().create_future()
        return self._preview

    def show(self, jpeg: bytes) -> None:
        """A preview has come."""
        if self._preview is not None:
            self._preview.set_result(jpeg)
            self._preview = None

    def show_none(self, code: str = troubles.OPENING) -> None:
        """None will come."""
        if self._preview is not None:
            self._preview.set_exception(Unavailable(code))
            self._preview.exception()  # nobody may be waiting any more
            self._preview = None
