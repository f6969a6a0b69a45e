"""A receipt printer: takes slips, prints them in order, and prints again what a paper-out cut off."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from kit import logs
from station import devices
from station.ports import hardware
from station.printers import escpos, lines

T = TypeVar("T")
CODES: dict[escpos.Fault, str] = {
    "unplugged": "printer-unplugged",
    "silent": "printer-silent",
    "paper_out": "printer-paper-out",
    "cover_open": "printer-cover-open",
    "failed": "printer-failed",
    "paused": "printer-paused",
    "aborted": "printer-job-aborted",
}
#: Slips beyond this were told aloud long ago: the oldest go.
MOST_WAITING = 200
#: While a slip is being printed the printer is asked so often how it is.
_ASK_AGAIN_S = 0.2


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds."""

    answer_s: float = 1.0
    #: A slip is out in one; a slow printer with a QR code takes three.
    slip_s: float = 10.0
    look_every_s: float = 5.0
    first_pause_s: float = 0.25
    longest_pause_s: float = 3.0


class Stopped(Exception):
    """The printer cannot print now."""

    def __init__(self, fault: escpos.Fault) -> None:
        super().__init__(fault)
        self.fault: escpos.Fault = fault


def take_in(waiting: deque[hardware.Slip], slip: hardware.Slip) -> None:
    """Put a slip at the end of those that wait; of more than `MOST_WAITING` the oldest goes."""
    if len(waiting) >= MOST_WAITING:
        waiting.popleft()
        logs.get().warning("printer.slip-given-up", waiting=MOST_WAITING)
    waiting.append(slip)


class ReceiptPrinter(devices.Supervised):
    """A slip leaves the queue when the printer says that it is out; so one may come twice, none never."""

    def __init__(self, where: str, limits: Limits | None = None, noticed: devices.Noticed = devices.unnoticed) -> None:
        self._where, self._limits = where, limits or Limits()
        self._watch = devices.Watch("printer", noticed)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="printer")
        self._line: lines.Line | None = None
        self._slips: deque[hardware.Slip] = deque()
        self._wake = asyncio.Event()
        self._printed = 0
        self._closing = False

    def health(self) -> hardware.Health:
        """With the number of waiting slips, and whether the roll is near its end."""
        self._watch.knows(waiting=len(self._slips))
        return self._watch.health()

    @property
    def waiting(self) -> int:
        """Slips taken and not yet printed."""
        return len(self._slips)

    async def print(self, slip: hardware.Slip) -> None:
        """Take a slip; it is printed when the printer can."""
        take_in(self._slips, slip)
        self._wake.set()

    async def close(self) -> None:
        """End the loop, the line and the thread."""
        await super().close()
        self._closing = True
        # By the thread, after what it is at: a handle that is closed under a call may by then be another file's.
        with suppress(RuntimeError):  # closed before
            await asyncio.get_running_loop().run_in_executor(self._thread, self._hang_up)
        self._thread.shutdown(wait=False)

    async def _supervise(self) -> None:
        pauses = devices.pauses(self._limits.first_pause_s, self._limits.longest_pause_s)
        while True:
            try:
                await self._blocking(self._demand_well)
                self._watch.well()
                await self._print_waiting()
                pauses = devices.pauses(self._limits.first_pause_s, self._limits.longest_pause_s)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._limits.look_every_s):
                        await self._wake.wait()
                self._wake.clear()
            except Stopped as stopped:
                self._watch.troubled(stopped.fault, CODES[stopped.fault], waiting=len(self._slips))
                await asyncio.sleep(next(pauses))

    async def _print_waiting(self) -> None:
        while self._slips:
            slip = self._slips[0]
            await self._blocking(partial(self._print_one, slip))
            self._printed += 1
            if self._slips and self._slips[0] is slip:
                self._slips.popleft()

    async def _blocking(self, act: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, act)
        except TimeoutError:
            self._hang_up()
            raise Stopped("silent") from None
        except devices.LINE_GONE:
            self._hang_up()
            raise Stopped("unplugged") from None

    # -- on the thread

    def _demand_well(self) -> None:
        if self._closing:
            raise Stopped("unplugged")
        if self._line is None:
            self._line = lines.opened(self._where)
        condition = self._condition(self._line)
        out = condition.fault == "paper_out"
        self._watch.knows(paper="out" if out else "near end" if condition.paper_near_end else "enough")
        if condition.fault:
            raise Stopped(condition.fault)

    def _print_one(self, slip: hardware.Slip) -> None:
        line = self._line
        if line is None:
            raise Stopped("unplugged")
        line.write(escpos.slip(slip, self._printed + 1))
        deadline = time.monotonic() + self._limits.slip_s
        while time.monotonic() < deadline:
            # The answer to "done" has bit 4 clear; anything else is an old answer about the condition.
            if any(not byte & 0b0001_0000 for byte in line.read(_ASK_AGAIN_S)):
                self._demand_well()  # a sheet that ran out at the last line answers "done" all the same
                return
            self._demand_well()
        raise Stopped("silent")

    def _condition(self, line: lines.Line) -> escpos.Condition:
        answers = []
        for question in (escpos.ASK_OFFLINE, escpos.ASK_ERROR, escpos.ASK_PAPER):
            line.write(question)
            answers.append(self._answer(line))
        return escpos.Condition(*answers)

    def _answer(self, line: lines.Line) -> int:
        deadline = time.monotonic() + self._limits.answer_s
        while time.monotonic() < deadline:
            for byte in line.read(self._limits.answer_s):
                if escpos.is_condition(byte):
                    return byte
        raise Stopped("silent")

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with suppress(*devices.LINE_GONE):
                line.close()
