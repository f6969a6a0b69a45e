"""A reader of identity cards on a serial line: finds, selects and reads a card, waits until it is lifted, and again."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeVar

import serial
from serial.tools import list_ports

from station import devices
from station.ports import hardware
from station.readers import documents, protocol

T = TypeVar("T")
Fault = Literal["unplugged", "silent", "garbled", "unreadable"]
CODES: dict[Fault, str] = {
    "unplugged": "reader-unplugged",
    "silent": "reader-silent",
    "garbled": "reader-garbled",
    "unreadable": "reader-card-unreadable",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds. Reading a card takes a good reader 1 s; one that takes 3 s is stuck."""

    answer_s: float = 3.0
    look_every_s: float = 0.2
    first_pause_s: float = 0.25
    longest_pause_s: float = 5.0
    #: What is wrong with a card is told so long at least: many readers say "none" once they have read one, lifted or
    #: not.
    told_s: float = 8.0
    #: A card that was answered "no" so often is not held still, or is broken.
    select_tries: int = 3


class _Wrong(Exception):
    """The line or the reader does not do what it should."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


class CardReader(devices.Supervised):
    """Gives each card once; lifted and laid down again, it is given again."""

    def __init__(self, port: str, limits: Limits | None = None, noticed: devices.Noticed = devices.unnoticed) -> None:
        self._port, self._limits = port, limits or Limits()
        self._watch = devices.Watch("card_reader", noticed)
        self._line: serial.Serial | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="card-reader")
        self._cards: asyncio.Queue[hardware.Scan] = asyncio.Queue()
        #: Whether a card that was given, or given up, still lies there.
        self._lying = False
        self._refused = 0
        self._told_until_s = 0.0

    def health(self) -> hardware.Health:
        """How the reader is, with `card`: none, read, or to be laid down again."""
        return self._watch.health()

    async def next(self) -> hardware.Scan:
        """The next card that is laid down."""
        return await self._cards.get()

    async def close(self) -> None:
        """End the loop, the line and the thread."""
        await super().close()
        self._shut()
        self._thread.shutdown(wait=False)

    async def _supervise(self) -> None:
        pauses = devices.pauses(self._limits.first_pause_s, self._limits.longest_pause_s)
        while True:
            try:
                await self._blocking(self._open)
                while True:
                    await self._look()
                    pauses = devices.pauses(self._limits.first_pause_s, self._limits.longest_pause_s)
                    await asyncio.sleep(self._limits.look_every_s)
            except _Wrong as wrong:
                self._watch.troubled(wrong.fault, CODES[wrong.fault])
                await asyncio.sleep(next(pauses))
            finally:
                self._shut()

    async def _look(self) -> None:
        found = await self._exchange(protocol.FIND)
        if found.status not in (protocol.FOUND, protocol.NO_CARD):
            raise _Wrong("garbled")
        if not self._unreadable() and not self._still_told():
            self._watch.well()
        if found.status == protocol.NO_CARD:
            # A card that was read answers no more until it is lifted: "none" is both, and needs nothing of us.
            self._lift()
            return
        selected = await self._exchange(protocol.SELECT)
        if selected.status != protocol.OK:
            self._not_selected()
            return
        await self._read()

    async def _read(self) -> None:
        reading = await self._exchange(protocol.READ)
        if reading.status != protocol.OK:
            self._not_selected()
            return
        try:
            document = documents.read(protocol.text_of(reading))
        except protocol.Garbled:
            self._tell_a_while()
            raise _Wrong("garbled") from None
        except documents.NotACard:
            self._give_up()
            return
        self._lying, self._refused, self._told_until_s = True, 0, 0.0
        self._watch.knows(card="read")
        self._watch.well()
        self._cards.put_nowait(hardware.Scan("id_card", document.number, document.name, document.expires))

    def _lift(self) -> None:
        self._lying, self._refused = False, 0
        self._watch.knows(card="none")
        if self._unreadable() and not self._still_told():
            self._watch.well()

    def _not_selected(self) -> None:
        """One that was read and not lifted is refused too: that is no trouble."""
        self._refused += 1
        if not self._lying and self._refused >= self._limits.select_tries:
            self._give_up()

    def _give_up(self) -> None:
        self._lying, self._refused = True, 0
        self._tell_a_while()
        self._watch.knows(card="again")
        self._watch.troubled("unreadable", CODES["unreadable"])

    def _tell_a_while(self) -> None:
        self._told_until_s = time.monotonic() + self._limits.told_s

    def _still_told(self) -> bool:
        return self._watch.trouble is not None and time.monotonic() < self._told_until_s

    def _unreadable(self) -> bool:
        trouble = self._watch.trouble
        return trouble is not None and trouble.fault == "unreadable"

    async def _exchange(self, command: bytes) -> protocol.Answer:
        return await self._blocking(lambda: self._ask(command))

    async def _blocking(self, act: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, act)
        except devices.LINE_GONE:
            raise _Wrong("unplugged") from None
        except protocol.Garbled:
            raise _Wrong("garbled") from None

    # -- on the thread

    def _open(self) -> None:
        self._line = serial.Serial(self._port, protocol.BAUD, timeout=0.1, write_timeout=self._limits.answer_s)

    def _ask(self, command: bytes) -> protocol.Answer:
        line = self._line
        if line is None:
            raise serial.SerialException
        line.read(line.in_waiting)
        line.write(command)
        buffer, deadline = b"", time.monotonic() + self._limits.answer_s
        while missing := protocol.expected(buffer):
            buffer += line.read(missing)
            if time.monotonic() > deadline:
                raise _Wrong("garbled" if buffer else "silent")
        return protocol.parse(buffer)

    def _shut(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with suppress(*devices.LINE_GONE):
                line.close()


def available() -> list[tuple[str, str]]:
    """The serial lines of this computer and what the system calls them: for whoever chooses a reader."""
    return [(port.device, port.description) for port in list_ports.comports()]
