"""A camera that draws portraits. It stands in for a real one in demos, rehearsals and tests, with a card and a counter.

Who sits before the lens is written to `subject.json` in its folder: {"seed": int, "flaw": str | null}. A `picture.jpg`
there is taken instead of a drawing.
"""

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path

from kit.errors import Unavailable
from station import devices, settings
from station.cameras import portraits
from station.ports import hardware

_GLANCE_PX = (320, 480)
_SIZES_PX = {"virtual": (1600, 2400), "virtual-24mp": (4000, 6000)}


class VirtualCamera(devices.AlwaysReady):
    """Keeps each picture on its card until it is acknowledged, and counts for ever."""

    def __init__(self, model: str, folder: Path, serial: str) -> None:
        self._size = _SIZES_PX[model]
        self._folder, self._card, self._serial = folder, folder / "card", serial
        self._card.mkdir(parents=True, exist_ok=True)
        self._glanced = (b"", b"")

    @property
    def serial(self) -> str:
        """The serial number on the housing."""
        return self._serial

    @property
    def photographer_fires(self) -> bool:
        """It takes a picture when told to, and never else."""
        return False

    @property
    def live_view(self) -> bool:
        """It draws small ones."""
        return True

    async def preview(self) -> bytes:
        """Whoever sits there, small; drawn again when that is somebody else."""
        return await asyncio.to_thread(self._glance)

    async def shutter(self) -> hardware.Exposure:
        """Take a picture of whoever sits there."""
        return await asyncio.to_thread(self._expose)

    async def waiting(self) -> list[hardware.Exposure]:
        """What is on the card."""
        return await asyncio.to_thread(self._on_card)

    async def acknowledge(self, exposure: hardware.Exposure) -> None:
        """Take a picture off the card."""
        self._picture(exposure.frame_counter).unlink(missing_ok=True)

    async def frames_taken(self) -> int:
        """The counter."""
        return self._count()

    def _expose(self) -> hardware.Exposure:
        drawn = self._draw()
        counter = self._count() + 1
        jpeg = _marked(drawn, f"{self._serial} {counter}")
        # Card before counter: whoever dies in between takes the same picture again, under the same number.
        settings.write_whole(self._picture(counter), jpeg)
        settings.write_whole(self._counter, str(counter).encode())
        return hardware.Exposure(jpeg, self._serial, counter, time.monotonic_ns())

    def _glance(self) -> bytes:
        try:
            subject = (self._folder / "subject.json").read_bytes()
        except FileNotFoundError:
            subject = b'{"seed": 0, "flaw": "no_face"}'
        if self._glanced[0] != subject:
            told = json.loads(subject)
            flaw = portraits.Flaw(told["flaw"]) if told.get("flaw") else None
            width_px, height_px = _GLANCE_PX
            drawn = portraits.draw(int(told["seed"]), width_px=width_px, height_px=height_px, flaw=flaw)
            self._glanced = subject, drawn
        return self._glanced[1]

    def _draw(self) -> bytes:
        with suppress(FileNotFoundError):
            return (self._folder / "picture.jpg").read_bytes()
        try:
            subject = json.loads((self._folder / "subject.json").read_bytes())
        except FileNotFoundError:
            raise Unavailable("camera-nobody-there") from None
        width_px, height_px = self._size
        flaw = portraits.Flaw(subject["flaw"]) if subject.get("flaw") else None
        return portraits.draw(int(subject["seed"]), width_px=width_px, height_px=height_px, flaw=flaw)

    def _on_card(self) -> list[hardware.Exposure]:
        taken = sorted(int(path.stem) for path in self._card.glob("*.jpg"))
        last = self._count()
        return [
            hardware.Exposure(self._picture(counter).read_bytes(), self._serial, counter, time.monotonic_ns())
            for counter in taken
            if counter <= last
        ]

    def _count(self) -> int:
        try:
            return int(self._counter.read_text("ascii"))
        except FileNotFoundError:
            return 0

    @property
    def _counter(self) -> Path:
        return self._folder / "counter"

    def _picture(self, counter: int) -> Path:
        return self._card / f"{counter:08d}.jpg"


def _marked(jpeg: bytes, comment: str) -> bytes:
    """The picture with a comment segment, so that no two frames are the same bytes: with a real camera none are."""
    text = comment.encode("ascii", "replace")
    return jpeg[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + jpeg[2:]
