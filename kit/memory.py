"""In-memory twins of outbox, inbox and bus; the suites in tests/adapters hold them to what the real ones do."""

import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from gradphoto_contracts.envelope import Envelope, Event
from kit import outcomes

Dispatch = Callable[[Envelope], Awaitable[None]]


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

    async def unseen(self, event_ids: Sequence[UUID]) -> set[UUID]:
        fresh = set(event_ids) - self.known
        self.known |= fresh
        return fresh


@dataclass(frozen=True)
class Dead:
    """A dead letter of the in-memory bus."""

    envelope: Envelope
    reason: str
    tries: int


class MemoryBus:
    """Routes by topic, delivers when told to, and ends each delivery in the same outcomes as the real bus.

    Args:
        bindings: service → routing keys; `*` is one word, `#` any number.
        duplicates: how likely a message is delivered twice, 0 … 1.
        reorder: deliver in any order, as retries and several lanes may.
        seed: of both.
    """

    def __init__(
        self, bindings: Mapping[str, Iterable[str]], *, duplicates: float = 0.0, reorder: bool = False, seed: int = 0
    ) -> None:
        self._bindings = {service: [key.split(".") for key in keys] for service, keys in bindings.items()}
        self._hearers: dict[str, Dispatch] = {}
        self._duplicates = duplicates
        self._reorder = reorder
        self._random = random.Random(seed)
        self._waiting: list[tuple[str, Envelope, int]] = []
        self.stream: list[Envelope] = []
        self.dead: dict[str, list[Dead]] = defaultdict(list)

    def hear(self, service: str, dispatch: Dispatch) -> None:
        """What `service` does with what it hears."""
        self._hearers[service] = dispatch

    async def publish_window(self, envelopes: Sequence[Envelope]) -> list[bool | Exception]:
        """As `kit.bus.Publisher.publish_window`, and always confirmed."""
        for envelope in envelopes:
            self.stream.append(envelope)
            words = envelope.type.split(".")
            for service, keys in self._bindings.items():
                if any(matches(key, words) for key in keys):
                    copies = 2 if self._random.random() < self._duplicates else 1
                    self._waiting += [(service, envelope, 1)] * copies
        return [True for _ in envelopes]

    async def deliver(self) -> None:
        """Deliver until nothing waits, also what handlers publish meanwhile. The waits of retries take no time."""
        while self._waiting:
            index = self._random.randrange(len(self._waiting)) if self._reorder else 0
            service, envelope, tries = self._waiting.pop(index)
            match outcomes.judge(await self._try(service, envelope), tries):
                case outcomes.Retry():
                    self._waiting.append((service, envelope, tries + 1))
                case outcomes.Reject(reason):
                    self.dead[service].append(Dead(envelope, reason, tries))

    async def _try(self, service: str, envelope: Envelope) -> Exception | None:
        try:
            await self._hearers[service](envelope)
        except Exception as error:  # noqa: BLE001 - as the real consumer: outcomes.judge decides
            return error
        return None


def matches(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Whether a routing key fits a topic binding, both split at the dots."""
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(matches(pattern[1:], words[skipped:]) for skipped in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and matches(pattern[1:], words[1:])
