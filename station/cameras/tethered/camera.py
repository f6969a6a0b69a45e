"""The desk's tethered camera: asks the driving process for pictures, and starts another one whenever it is lost.

A press of the shutter is kept through any loss: on the next connection the card tells whether the picture was taken.
If it was, that is the answer; if not, the shutter is released again. Only after `patience_s` is the press given back,
with what is wrong; it then stands in the journal, and a picture that still comes is its own.
"""

import asyncio
from pathlib import Path

from kit.errors import Unavailable
from station import devices
from station.cameras.tethered import recovery
from station.cameras.tethered.connection import Connection
from station.cameras.tethered.limits import Limits
from station.cameras.tethered.link import Driver, Link
from station.cameras.tethered.memory import Memory
from station.cameras.tethered.tray import Press, Tray
from station.cameras.tethered.troubles import Troubles
from station.ports import hardware


class TetheredCamera(devices.Supervised):
    """Looked after from `start` to `close`; whatever happens to the camera, it is tried again for ever."""

    def __init__(
        self,
        driver: Driver,
        memory: Path,
        limits: Limits | None = None,
        noticed: devices.Noticed = devices.unnoticed,
    ) -> None:
        self._driver, self._limits = driver, limits or Limits()
        self._memory = Memory(memory)
        self._troubles = Troubles(devices.Watch("camera", noticed))
        self._tray = Tray()
        self._connection: Connection | None = None

    @property
    def photographer_fires(self) -> bool:
        """Pictures come when the photographer takes them."""
        return True

    @property
    def serial(self) -> str:
        """Of the body that is connected, or was last."""
        identity = self._connection.identity if self._connection else None
        return identity.serial if identity else self._memory.last_serial or "unknown"

    def health(self) -> hardware.Health:
        """With serial, model, battery, clock, free space and count as far as the camera tells them."""
        return self._troubles.watch.health()

    async def shutter(self) -> hardware.Exposure:
        """Release the shutter. Raises Unavailable with what is wrong when no picture came: the press stands."""
        if behind := len(self._tray) + (self._connection.behind() if self._connection else 0):
            raise Unavailable("camera-frames-waiting", count=behind)
        press = self._tray.press = Press(asyncio.get_running_loop().create_future())
        try:
            if self._connection:
                await self._connection.pursue()
            async with asyncio.timeout(self._limits.patience_s):
                return await press.answer
        except TimeoutError:
            raise self._no_frame() from None
        finally:
            self._tray.press = None

    async def waiting(self) -> list[hardware.Exposure]:
        """Pictures that nobody asked for, or whose asker died, in their order."""
        return self._tray.waiting()

    async def acknowledge(self, exposure: hardware.Exposure) -> None:
        """Remember that the picture is safe; on the card it stays, as the crew's own copy."""
        entry = self._tray.take(exposure.key)
        if entry is not None:
            await asyncio.to_thread(self._memory.safe, exposure.camera_serial, entry)
            if self._connection:
                await self._connection.fetch_next()

    async def raw_pairs(self) -> list[hardware.FrameKey]:
        """Frames beside which a RAW lies on the card, found since they were counted or at a connection."""
        return self._tray.pairs()

    async def raw_noted(self, key: hardware.FrameKey) -> None:
        """Tell no more of it, until the next connection."""
        self._tray.noted(key)

    async def frames_taken(self) -> int:
        """By the camera's count, so that pictures which never came are in it."""
        return self._memory.total

    async def arrived(self, timeout_s: float) -> None:
        """Wait until a picture has come that nobody asked for, at most `timeout_s`."""
        await self._tray.arrived(timeout_s)

    @property
    def live_view(self) -> bool:
        """Whether the body that is connected has it, as far as it says and has not refused it."""
        return self._connection is not None and self._connection.live_view

    async def preview(self) -> bytes:
        """One picture of the live view. Raises Unavailable when this camera has none, or is in trouble."""
        if self._connection is None or self._connection.identity is None:
            raise self._troubles.problem()
        asked_before = self._tray.wants_preview
        answer = self._tray.ask_preview()
        if not asked_before:
            await self._connection.ask("preview")
        try:
            async with asyncio.timeout(self._limits.silence_s):
                return await asyncio.shield(answer)
        except TimeoutError:
            raise self._troubles.problem() from None

    async def _supervise(self) -> None:
        await recovery.keep_connected(self._driver, self._limits, self._troubles, self._connect)

    def _connect(self, link: Link) -> Connection:
        self._connection = Connection(link, self._memory, self._tray, self._troubles, self._limits)
        return self._connection

    def _no_frame(self) -> Unavailable:
        if self._troubles.watch.trouble:
            return self._troubles.problem()
        return Unavailable("camera-no-frame", seconds=int(self._limits.patience_s))
