"""One connection to a camera, as long as it lasts: a driving process and the pipes to it."""

import asyncio
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kit import logs
from station.cameras.tethered import bodies, wire

_MODULE = "station.cameras.tethered.worker"
_PROJECT = Path(__file__).parents[3]
_FAREWELL_S = 1.0
#: A process that was killed is gone at once, unless the system itself waits for a device on its behalf.
_DEATH_S = 10.0
#: The first bytes of a listing are read as a line; its head is short, the rest is payload.
_LINE_LIMIT = 1 << 16


@dataclass(frozen=True, slots=True)
class Driver:
    """How to start a driving process: `kind` as in `worker.main`, `folder` where a script of faults may lie."""

    kind: str
    folder: Path
    port: str | None = None

    def line(self) -> list[str]:
        """The command line."""
        port = ["--port", self.port] if self.port else []
        return [sys.executable, "-m", _MODULE, self.kind, str(self.folder), *port]


class Lost(Exception):
    """The connection is over: what ended it."""

    def __init__(self, fault: bodies.Fault, holder: str = "") -> None:
        super().__init__(fault)
        self.fault: bodies.Fault = fault
        self.holder = holder


class Link:
    """A driving process. A call that never returns ends with it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, driver: Driver) -> "Link":
        """Start a driving process; it begins by opening the camera."""
        process = await asyncio.create_subprocess_exec(
            *driver.line(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_LIMIT,
            env=_environment(),
        )
        return cls(process)

    async def send(self, message: wire.Message) -> None:
        """Ask for something. Raises Lost when nobody listens any more."""
        assert self._process.stdin is not None  # noqa: S101 -- it was asked for
        try:
            self._process.stdin.write(message.encoded())
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise Lost("io") from None

    async def receive(self, patience_s: float) -> wire.Message:
        """The next message. Raises Lost: `frozen` after so long a silence, `io` when the process died."""
        try:
            # Not wait_for: before Python 3.12 it may swallow the cancellation that ends our day.
            async with asyncio.timeout(patience_s):
                return await self._read()
        except TimeoutError:
            raise Lost("frozen") from None
        except asyncio.IncompleteReadError:
            raise Lost("io") from None

    async def end(self) -> None:
        """Ask the process to let the camera go; end it if it does not."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await self._ended(_FAREWELL_S)
        finally:  # also when we are to end ourselves meanwhile
            if self._process.returncode is None:
                await self._kill()

    async def _kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        if not await self._ended(_DEATH_S):  # it waits for a device that does not answer: the next one will say busy
            logs.get().warning("camera.driver-not-ended", pid=self._process.pid)

    async def _ended(self, patience_s: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._process.wait()
        return self._process.returncode is not None

    async def _read(self) -> wire.Message:
        assert self._process.stdout is not None  # noqa: S101 -- it was asked for
        says, fields, size = wire.head(await self._process.stdout.readuntil(b"\n"))
        payload = await self._process.stdout.readexactly(size)
        return wire.Message(says, fields, payload)


def _environment() -> dict[str, str]:
    # The library's words are compared with English ones; the driver must find our modules wherever we were started.
    path = os.pathsep.join(filter(None, [str(_PROJECT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "LC_ALL": "C", "LANGUAGE": "C", "PYTHONPATH": path}
