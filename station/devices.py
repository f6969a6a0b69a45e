"""What all devices have in common: how they are, and what is done until they are well again."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator

from kit import logs
from kit.errors import Unavailable
from station.ports import hardware

Noticed = Callable[[hardware.Notice], None]

#: What a call on a line raises that is gone: a serial one's flags and buffers are termios's, whose error is no OSError.
LINE_GONE: tuple[type[Exception], ...] = (OSError,)
if sys.platform != "win32":
    import termios

    LINE_GONE += (termios.error,)


def unnoticed(_notice: hardware.Notice) -> None:
    """Nobody counts."""


class Watch:
    """Keeps how one device is; tells of each new trouble and of its end once, in the log and to whoever counts."""

    def __init__(self, device: hardware.DeviceKind, noticed: Noticed) -> None:
        self._device: hardware.DeviceKind = device
        self._noticed = noticed
        self._ready = False
        self._trouble: hardware.Trouble | None = None
        self._details: dict[str, str | int] = {}

    @property
    def trouble(self) -> hardware.Trouble | None:
        """What is wrong now."""
        return self._trouble

    def health(self) -> hardware.Health:
        """How the device is."""
        return hardware.Health(self._device, self._ready, self._trouble, dict(self._details))

    def knows(self, **details: str | int) -> None:
        """Remember something that is worth showing."""
        self._details.update(details)

    def troubled(self, fault: str, code: str, **params: str | int) -> None:
        """The device does not work. The same fault again counts as another attempt at the same trouble."""
        self._ready = False
        if self._trouble and self._trouble.fault == fault:
            again = self._trouble
            self._trouble = hardware.Trouble(fault, code, params, again.since_ns, again.attempts + 1)
            return
        self._trouble = hardware.Trouble(fault, code, params, time.monotonic_ns(), 0)
        logs.get().warning("device.troubled", device=self._device, fault=fault, code=code)
        self._noticed(hardware.Notice(self._device, fault, recovered=False))

    def well(self) -> None:
        """The device works."""
        self._ready = True
        if self._trouble:
            logs.get().info("device.recovered", device=self._device, fault=self._trouble.fault)
            self._noticed(hardware.Notice(self._device, self._trouble.fault, recovered=True))
        self._trouble = None

    def opening(self) -> None:
        """The device is being opened; a trouble stays until it is over."""
        self._ready = False

    def problem(self, otherwise: str) -> Unavailable:
        """The trouble as an error; `otherwise` is the code while there is none."""
        if self._trouble is None:
            return Unavailable(otherwise)
        return Unavailable(self._trouble.code, **self._trouble.params)


def pauses(first_s: float, longest_s: float) -> Iterator[float]:
    """How long to wait before each further try: doubled each time, never more than `longest_s`, without end."""
    pause_s = first_s
    while True:
        yield min(pause_s, longest_s)
        pause_s = min(pause_s * 2, longest_s)


async def try_out(device: hardware.Device, patience_s: float, otherwise: str) -> None:
    """See whether a device answers: raise Unavailable with what is wrong, or `otherwise`. It is closed again."""
    await device.start()
    try:
        async with asyncio.timeout(patience_s):
            while not device.health().ready:
                if trouble := device.health().trouble:
                    raise Unavailable(trouble.code, **trouble.params)
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise Unavailable(otherwise) from None
    finally:
        await device.close()


class AlwaysReady:
    """The part of a device that needs no looking after."""

    device: hardware.DeviceKind = "camera"

    def health(self) -> hardware.Health:
        """Ready."""
        return hardware.Health(self.device, True, None, {})

    async def start(self) -> None:
        """Nothing to begin."""

    async def run(self) -> None:
        """Never ends."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nothing to let go of."""

    async def arrived(self, timeout_s: float) -> None:
        """Nothing comes by itself."""
        await asyncio.sleep(timeout_s)

    async def raw_pairs(self) -> list[hardware.FrameKey]:
        """It writes no RAW."""
        return []

    async def raw_noted(self, key: hardware.FrameKey) -> None:
        """There is none."""

    @property
    def live_view(self) -> bool:
        """It has none, unless it says so."""
        return False

    async def preview(self) -> bytes:
        """Raises Unavailable."""
        raise Unavailable("camera-no-live-view")


class Supervised:
    """Runs `_supervise` as a task between `start` and `close`; what ends it early comes out of `run`."""

    _task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look after the device; does not wait for it."""
        if self._task is None:
            self._task = asyncio.create_task(self._supervise(), name=type(self).__name__)

    async def run(self) -> None:
        """Wait as long as the device is looked after; raises what ended that."""
        await self.start()
        assert self._task is not None  # noqa: S101 -- `start` made it
        await asyncio.shield(self._task)

    async def close(self) -> None:
        """End the task and wait for its end. What ended it before is logged: others are to be closed after this one."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()):
            logs.get().error("device.ended", part=type(self).__name__, exc_info=error)

    async def _supervise(self) -> None:
        raise NotImplementedError
