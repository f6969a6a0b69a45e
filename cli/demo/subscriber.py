"""An independent subscriber of the event stream, as another university system would be."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gradphoto_contracts import catalogue
from gradphoto_contracts.envelope import Envelope
from kit import stream


@dataclass
class Subscriber:
    """Keeps what it saw: how often each event came, in which order per key, and what could not be read."""

    url: str
    seen: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    disorders: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _versions: dict[tuple[str, str], int] = field(default_factory=dict)

    async def run(self) -> None:
        """Follow the stream from its beginning until cancelled."""
        await stream.Subscriber(self.url, self.hear, "first", "demo subscriber").run()

    async def hear(self, _offset: int, envelope: Envelope) -> None:
        """Take one event; a repeat is told by its id and changes nothing."""
        self.seen[str(envelope.id)] += 1
        if self.seen[str(envelope.id)] > 1:
            self.repeats += 1
            return
        self.types[envelope.type] += 1
        self.events.setdefault(envelope.type, []).append(envelope.data)
        self._check_order(envelope)

    def _check_order(self, envelope: Envelope) -> None:
        try:
            event = catalogue.read(envelope.type, envelope.data)
        except (catalogue.UnknownEvent, ValueError) as error:
            self.unreadable.append(f"{envelope.type}: {type(error).__name__}")
            return
        aggregate = (envelope.type.rsplit(".", 2)[0], event.key)
        if event.version <= self._versions.get(aggregate, 0):
            self.disorders.append(f"{envelope.type} v{event.version}")
        self._versions[aggregate] = event.version

    async def settled(self, quiet_s: float = 2.0) -> None:
        """Return once nothing has come for a while."""
        count = -1
        while count != sum(self.seen.values()):
            count = sum(self.seen.values())
            await asyncio.sleep(quiet_s)
