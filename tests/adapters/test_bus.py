"""One behavioural suite over the in-memory bus and the real one: what a unit test believes is what production does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import pytest

from gradphoto_contracts.envelope import Envelope
from kit import bus, dead_letters, errors, memory, topology
from tests.integration.bus import things

TTL_MS = (50, 100, 150)


class Bus(Protocol):
    """What the suite needs of a bus with one hearer."""

    async def publish(self, envelopes: Sequence[Envelope]) -> list[bool | Exception]: ...

    async def deliver(self, dispatch: memory.Dispatch, handled: int) -> None:
        """Deliver until `handled` tries have been made and what they lead to has settled."""
        ...

    async def dead(self) -> list[tuple[str, str, int]]:
        """Subject, reason and number of tries of each dead letter."""
        ...


class InMemory:
    """The twin."""

    def __init__(self, service: str, bindings: list[str]) -> None:
        self._service = service
        self._bus = memory.MemoryBus({service: bindings})

    async def publish(self, envelopes: Sequence[Envelope]) -> list[bool | Exception]:
        return await self._bus.publish_window(envelopes)

    async def deliver(self, dispatch: memory.Dispatch, handled: int) -> None:
        self._bus.hear(self._service, dispatch)
        await self._bus.deliver()

    async def dead(self) -> list[tuple[str, str, int]]:
        return [(one.envelope.subject, one.reason, one.tries) for one in self._bus.dead[self._service]]


class Real:
    """RabbitMQ."""

    def __init__(self, url: str, service: str) -> None:
        self._url = url
        self._service = service
        self.publisher = bus.Publisher(url)

    async def publish(self, envelopes: Sequence[Envelope]) -> list[bool | Exception]:
        return await self.publisher.publish_window(envelopes)

    async def deliver(self, dispatch: memory.Dispatch, handled: int) -> None:
        tries = 0

        async def counting(envelope: Envelope) -> None:
            nonlocal tries
            try:
                await dispatch(envelope)
            finally:
                tries += 1

        async with things.beside(things.consumer(self._url, self._service, counting, retry_ttl_ms=TTL_MS).run()):
            await things.until(lambda: tries >= handled)
            await asyncio.sleep(0.5)

    async def dead(self) -> list[tuple[str, str, int]]:
        found = await dead_letters.list_dead(self._url, self._service)
        return [(one.subject, one.reason, one.tries) for one in found]


@pytest.fixture(params=["memory", "rabbitmq"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the two."""
    return str(request.param)


@pytest.fixture
def prefix() -> str:
    """Routing keys and queues of this test alone begin with it."""
    return things.name()


@pytest.fixture
async def adapter(kind: str, prefix: str, request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    """A bus with one hearer, bound to `<prefix>.photo.*.v1` and `<prefix>.all.#`."""
    bindings = [f"{prefix}.photo.*.v1", f"{prefix}.all.#"]
    if kind == "memory":
        yield InMemory(prefix, bindings)
        return
    url = request.getfixturevalue("amqp_url")
    await topology.declare(url, {prefix: bindings}, retry_ttl_ms=TTL_MS)
    real = Real(url, prefix)
    yield real
    await real.publisher.close()


async def test_only_what_fits_a_binding_is_heard(adapter: Bus, prefix: str) -> None:
    """`*` is one word and `#` any number; all else is confirmed and not heard here."""
    heard: list[str] = []

    async def dispatch(envelope: Envelope) -> None:
        heard.append(envelope.type.removeprefix(prefix))

    keys = [
        ".photo.accepted.v1",
        ".photo.v1",
        ".photo.a.b.v1",
        ".photo.accepted.v2",
        ".all",
        ".all.of.it.v1",
        ".else.v1",
    ]
    assert await adapter.publish([things.said("one", 1, prefix + key) for key in keys]) == [True] * len(keys)
    await adapter.deliver(dispatch, 3)
    assert heard == [".photo.accepted.v1", ".all", ".all.of.it.v1"]
    assert await adapter.dead() == []


async def test_an_envelope_arrives_as_it_was_sent(adapter: Bus, prefix: str) -> None:
    """Nothing of an envelope changes on the way."""
    heard: list[Envelope] = []

    async def dispatch(envelope: Envelope) -> None:
        heard.append(envelope)

    sent = things.said("图像", 3, f"{prefix}.all.v1").model_copy(update={"traceparent": "00-1-2-01"})
    await adapter.publish([sent])
    await adapter.deliver(dispatch, 1)
    assert heard == [sent]


async def test_a_subject_is_heard_in_order(adapter: Bus, prefix: str) -> None:
    """Versions of one subject come in the order in which they were said."""
    heard: list[Envelope] = []

    async def dispatch(envelope: Envelope) -> None:
        heard.append(envelope)

    await adapter.publish([things.said(f"thing{n % 3}", n, f"{prefix}.all.v1") for n in range(1, 31)])
    await adapter.deliver(dispatch, 30)
    for n in range(3):
        assert things.versions(heard, f"thing{n}") == sorted(things.versions(heard, f"thing{n}"))
    assert len(heard) == 30


@pytest.mark.parametrize(
    ("error", "tries", "reason"),
    [(errors.Conflict("slot-taken"), 1, "slot-taken"), (KeyError("a bug"), 4, "unexpected-failure")],
    ids=["problem", "bug"],
)
async def test_what_fails_for_good_is_laid_aside(
    adapter: Bus, prefix: str, error: Exception, tries: int, reason: str
) -> None:
    """A problem is tried once and a bug four times; both end among the dead letters, and others pass."""
    heard: list[str] = []

    async def dispatch(envelope: Envelope) -> None:
        heard.append(envelope.subject)
        if envelope.subject == "bad":
            raise error

    await adapter.publish([things.said(name, 1, f"{prefix}.all.v1") for name in ("bad", "good")])
    await adapter.deliver(dispatch, tries + 1)
    assert await adapter.dead() == [("bad", reason, tries)]
    assert (heard.count("bad"), heard.count("good")) == (tries, 1)


async def test_unavailable_is_tried_until_it_is_there(adapter: Bus, prefix: str) -> None:
    """What is away is waited for past the tries that a bug would get."""
    tries = 0

    async def dispatch(_: Envelope) -> None:
        nonlocal tries
        tries += 1
        if tries < 6:
            raise errors.Unavailable("class-not-known-yet")

    await adapter.publish([things.said("one", 1, f"{prefix}.all.v1")])
    await adapter.deliver(dispatch, 6)
    assert (tries, await adapter.dead()) == (6, [])
