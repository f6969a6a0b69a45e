"""Everything that a broker may do to messages: each event comes again, late, and out of order."""

import asyncio
import random

from gradphoto_contracts.envelope import Envelope
from kit import bus, stream


class Mischief:
    """Hears all events and says each once more, some at a time, shuffled."""

    def __init__(self, url: str, seed: int) -> None:
        self._url = url
        self._dice = random.Random(seed)
        self._heard: set[str] = set()
        self._held: list[Envelope] = []
        self.repeated = 0

    async def run(self) -> None:
        """Go on until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(stream.subscribe(self._url, self._hear, "first", "mischief"))
            group.create_task(self._repeat())

    async def _hear(self, _offset: int, envelope: Envelope) -> None:
        if str(envelope.id) not in self._heard:
            self._heard.add(str(envelope.id))
            self._held.append(envelope)

    async def _repeat(self) -> None:
        publisher = bus.Publisher(self._url, "mischief")
        while True:
            await asyncio.sleep(1)
            some, self._held = self._held, []
            self._dice.shuffle(some)
            results = await publisher.publish_window(some)
            self._held += [one for one, result in zip(some, results, strict=True) if result is not True]
            self.repeated += results.count(True)
