"""The system's print queue (CUPS: Linux, macOS): slips go raw to a queue of a receipt printer.

CUPS stops a queue at a paper-out and leaves it stopped when the paper is back; that is resumed here. A job that it
aborts is given to it again.
"""

import asyncio
import re
import shutil
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kit import logs
from kit.errors import Invalid
from station import devices
from station.ports import hardware
from station.printers import escpos, ipp
from station.printers.receipts import CODES, Stopped, take_in

_PATIENCE_S = 10.0
#: What `lp` says of a job that it took, in the C locale.
_JOB = re.compile(r"request id is \S+-(\d+)")
#: How a job is doing that is no more in the queue; None: nobody knows.
Ended = Callable[[int], ipp.JobState | None]


@dataclass(frozen=True, slots=True)
class _Given:
    """A slip that the queue has, and as which job."""

    slip: hardware.Slip
    job: int | None


class QueuePrinter(devices.Supervised):
    """Hands slips to `lp`, one at a time: the next one when the queue is empty again."""

    def __init__(
        self,
        queue: str,
        noticed: devices.Noticed = devices.unnoticed,
        programs: Path | None = None,
        look_every_s: float = 1.0,
        ended: Ended = ipp.job_state,
    ) -> None:
        self._queue, self._programs, self._look_every_s = queue, programs, look_every_s
        if programs is None and not shutil.which("lp"):
            raise Invalid("printer-unknown", printer=f"queue:{queue}", choices="tcp, serial, device")
        self._watch = devices.Watch("printer", noticed)
        self._ended = ended
        self._slips: deque[hardware.Slip] = deque()
        self._given: _Given | None = None
        #: The last job that ended was aborted: the queue is not well until one is printed.
        self._aborting = False
        self._printed = 0
        self._wake = asyncio.Event()

    def health(self) -> hardware.Health:
        """With the number of waiting slips."""
        self._watch.knows(waiting=self.waiting)
        return self._watch.health()

    @property
    def waiting(self) -> int:
        """Slips taken and not yet out of the queue."""
        return len(self._slips) + (self._given is not None)

    async def print(self, slip: hardware.Slip) -> None:
        """Take a slip."""
        take_in(self._slips, slip)
        self._wake.set()

    async def _supervise(self) -> None:
        pauses = devices.pauses(self._look_every_s, 5 * self._look_every_s)
        while True:
            try:
                await self._turn()
                if not self._aborting:
                    self._watch.well()
                    pauses = devices.pauses(self._look_every_s, 5 * self._look_every_s)
                await self._rest()
            except Stopped as stopped:
                self._watch.troubled(stopped.fault, CODES[stopped.fault], waiting=self.waiting, queue=self._queue)
                await asyncio.sleep(next(pauses))

    async def _turn(self) -> None:
        state = await self._run("lpstat", "-l", "-p", self._queue)
        if "media-empty" in state or "media-needed" in state:
            await self._resume(state)
            raise Stopped("paper_out")
        if "cover-open" in state or "door-open" in state:
            await self._resume(state)
            raise Stopped("cover_open")
        if "disabled" in state:
            await self._resume(state)
            raise Stopped("paused")
        if self._given and (await self._run("lpstat", "-W", "not-completed", "-o", self._queue)).strip():
            return  # it is being printed
        if self._given:
            await self._take_back(self._given)
        if self._slips and not self._given:
            self._printed += 1
            slip = self._slips[0]
            content = escpos.slip(slip, self._printed).removesuffix(escpos.ASK_DONE)
            taken = _JOB.search(await self._run("lp", "-d", self._queue, "-o", "raw", "-", given=content))
            self._given = _Given(slip, int(taken[1]) if taken else None)
            if self._slips and self._slips[0] is slip:
                self._slips.popleft()

    async def _take_back(self, given: _Given) -> None:
        """See how a job ended that is no more in the queue; what was aborted comes first again."""
        state = None if given.job is None else await asyncio.to_thread(self._ended, given.job)
        if state is not None and state < ipp.JobState.CANCELED:
            return  # not yet
        self._given, self._aborting = None, state == ipp.JobState.ABORTED
        if self._aborting:
            self._slips.appendleft(given.slip)
            raise Stopped("aborted")
        if state == ipp.JobState.CANCELED:
            logs.get().warning("printer.slip-canceled")

    async def _resume(self, state: str) -> None:
        if "disabled" in state:
            await self._run("cupsenable", self._queue)

    async def _rest(self) -> None:
        if not self.waiting:
            self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._look_every_s):
                await self._wake.wait()
            await asyncio.sleep(self._look_every_s)

    async def _run(self, program: str, *arguments: str, given: bytes = b"") -> str:
        path = str(self._programs / program) if self._programs else program
        try:
            process = await asyncio.create_subprocess_exec(
                path,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={"LC_ALL": "C", "PATH": "/usr/bin:/usr/sbin:/bin:/sbin"},
            )
        except OSError:
            raise Stopped("unplugged") from None
        try:
            async with asyncio.timeout(_PATIENCE_S):
                out, _ = await process.communicate(given)
        except TimeoutError:
            raise Stopped("silent") from None
        finally:
            if process.returncode is None:  # it took too long, or the desk is being closed
                with suppress(ProcessLookupError):
                    process.kill()
                await process.communicate()
        if process.returncode and program != "cupsenable":  # not permitted: the operator's message says what to do
            raise Stopped("unplugged")
        return out.decode("utf-8", errors="replace")
