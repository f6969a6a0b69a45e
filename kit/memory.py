"""In-memory twins of outbox, inbox and bus; the suites in tests/adapters hold them to what the real ones do."""

from collections.abc import Iterable
from uuid import UUID

from gradphoto_contracts.envelope import Event


class MemoryEvents:
    """The outbox of a handler's unit test: `said` is what was said, in order."""

    def __init__(self) -> None:
        self.said: list[Event] = []

    async def add(self, event: Event) -> None:
        self.said.append(event)

    async def add_all(self, events: Iterable[Event]) -> None:
        self.said.extend(events)


class MemoryInbox:
    """The inbox of a handler's unit test."""

    def __init__(self) -> None:
        self.known: set[UUID] = set()

    async def seen(self, event_id: UUID) -> bool:
        repeat = event_id in self.known
        self.known.add(event_id)
        return repeat
