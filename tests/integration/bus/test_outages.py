"""A broker that freezes, dies and returns: nothing is lost, nothing hangs, order holds. It has a broker to itself."""

import asyncio
import os
import signal
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.stack import stack as stacks
from gradphoto_contracts.envelope import Envelope
from kit import broker, bus, db, ids, outbox, stream, topology
from tests.integration.bus import things


@pytest.fixture(scope="module")
def own_stack() -> Iterator[stacks.Stack]:
    """Parts that these tests may freeze and kill; a killed one is started again by its supervisor."""
    with tempfile.TemporaryDirectory(prefix="gradphoto-bus-", ignore_cleanup_errors=True) as folder:
        stack = stacks.start(Path(folder), services=(), fast=True, bound=True)
        yield stack
        stack.down()


@pytest.fixture
def own_amqp_url(own_stack: stacks.Stack) -> Iterator[str]:
    """The broker of these tests, thawed when a test failed before it could."""
    yield own_stack.urls()["AMQP_URL"]
    pid = broker_pid(own_stack)
    if pid:
        os.kill(pid, signal.SIGCONT)


def broker_pid(stack: stacks.Stack) -> int:
    """The broker's process."""
    return int(stack.state()["parts"]["rabbitmq"]["pid"])


class Traffic:
    """A producer with an outbox, a relay, a consumer that writes down what it hears."""

    def __init__(self, database: db.Database, amqp_url: str, service: str) -> None:
        self.database = database
        self.publisher = bus.Publisher(amqp_url, timeout_s=2.0)
        self.relay = outbox.Relay(database, things.OUTBOX, self.publisher, things.SCHEMA)
        self.consumer = things.consumer(amqp_url, service, self._hear)
        self.names = [things.name() for _ in range(10)]
        self.said = 0
        self.silent = False
        self.heard: dict[str, list[int]] = defaultdict(list)

    async def _hear(self, envelope: Envelope) -> None:
        versions = self.heard[envelope.subject]
        version = int(envelope.data["version"])
        if version not in versions:
            versions.append(version)

    async def say(self) -> None:
        """One more version of each name."""
        self.said += 1
        async with self.database.transaction() as tx:
            events = outbox.Outbox(tx, things.OUTBOX, "things", datetime.now(UTC), ids.new)
            await events.add_all(things.ThingHappenedV1(thing=name, version=self.said) for name in self.names)

    async def keep_saying(self) -> None:
        # Told to stop rather than cancelled: a cancelled transaction may have been committed or not.
        while not self.silent:
            await self.say()
            await asyncio.sleep(0.02)

    def complete(self) -> bool:
        """Whether all that was said is heard."""
        return all(len(self.heard[name]) == self.said for name in self.names)

    def assert_in_order(self) -> None:
        for name in self.names:
            assert self.heard[name] == list(range(1, self.said + 1))


@pytest.fixture
async def traffic(database: db.Database, own_amqp_url: str) -> Traffic:
    """Traffic over the broker of these tests."""
    service = things.name()
    await topology.declare(own_amqp_url, {service: [things.TYPE]})
    return Traffic(database, own_amqp_url, service)


async def run_through(traffic: Traffic, outage: Awaitable[None]) -> None:
    """Say events before, during and after the outage; all must arrive, in order for each subject."""
    async with things.beside(traffic.relay.run(), traffic.consumer.run()):
        saying = asyncio.create_task(traffic.keep_saying())
        await things.until(lambda: traffic.said > 20 and bool(traffic.heard))
        await outage
        before = traffic.said
        await things.until(lambda: traffic.said > before + 20)
        traffic.silent = True
        await saying
        await things.until(traffic.complete, 120)
    await traffic.publisher.close()
    traffic.assert_in_order()


async def test_a_killed_broker_loses_nothing(own_stack: stacks.Stack, traffic: Traffic) -> None:
    """kill -9 of the broker amid publishing and consuming: after its return every event is heard, in order."""

    async def kill() -> None:
        killed = broker_pid(own_stack)
        os.kill(killed, signal.SIGKILL)
        await things.until(lambda: broker_pid(own_stack) not in (0, killed), 120)

    await run_through(traffic, kill())


async def test_a_frozen_broker_loses_nothing(own_stack: stacks.Stack, traffic: Traffic) -> None:
    """A broker that stops answering for longer than a publish may take: all goes on when it answers again."""

    async def freeze() -> None:
        pid = broker_pid(own_stack)
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(6)
        os.kill(pid, signal.SIGCONT)

    await run_through(traffic, freeze())


async def test_a_frozen_broker_is_told_within_the_timeout(own_stack: stacks.Stack, own_amqp_url: str) -> None:
    """No publish hangs: it answers `BrokerAway` in time, on an open connection and on a new one, then recovers."""
    await topology.declare(own_amqp_url, {})
    publisher = bus.Publisher(own_amqp_url, timeout_s=1.0)
    await publisher.connect()
    pid = broker_pid(own_stack)
    os.kill(pid, signal.SIGSTOP)
    async with asyncio.timeout(1.0 + broker.CLOSE_TIMEOUT_S + 5):
        on_open_connection = await publisher.publish_window([things.said("one")])
    async with asyncio.timeout(broker.CONNECT_TIMEOUT_S + broker.CLOSE_TIMEOUT_S + 5):
        on_new_connection = await publisher.publish_window([things.said("one")])
    os.kill(pid, signal.SIGCONT)
    assert isinstance(on_open_connection[0], broker.BrokerAway)
    assert isinstance(on_new_connection[0], broker.BrokerAway)
    async with asyncio.timeout(60):
        while await publisher.publish_window([things.said("two")]) != [True]:  # noqa: ASYNC110 - it works
            await asyncio.sleep(0.2)
    await publisher.close()


async def test_cancelling_a_publisher_of_a_frozen_broker_cancels_it(own_stack: stacks.Stack, own_amqp_url: str) -> None:
    """Our own cancellation is not mistaken for a lost connection: the task ends, and at once."""
    await topology.declare(own_amqp_url, {})
    publisher = bus.Publisher(own_amqp_url, timeout_s=60.0)
    await publisher.connect()
    pid = broker_pid(own_stack)
    os.kill(pid, signal.SIGSTOP)
    publishing = asyncio.create_task(publisher.publish_window([things.said("one")]))
    await asyncio.sleep(0.5)
    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await publishing
    os.kill(pid, signal.SIGCONT)
    await publisher.close()


async def test_the_stream_is_read_on_from_its_place_after_a_restart(own_stack: stacks.Stack, own_amqp_url: str) -> None:
    """A subscriber to the stream hears each event once, although the broker dies between them."""
    await topology.declare(own_amqp_url, {})
    mine = things.name()
    heard: list[Envelope] = []

    async def hear(_: int, envelope: Envelope) -> None:
        if envelope.subject == mine:
            heard.append(envelope)

    publisher = bus.Publisher(own_amqp_url)
    before = [things.said(mine, version) for version in range(1, 101)]
    assert await publisher.publish_window(before) == [True] * 100
    async with things.beside(stream.Subscriber(own_amqp_url, hear).run()):
        await things.until(lambda: len(heard) == 100)
        killed = broker_pid(own_stack)
        os.kill(killed, signal.SIGKILL)
        await things.until(lambda: broker_pid(own_stack) not in (0, killed), 120)
        async with asyncio.timeout(120):
            while await publisher.publish_window([things.said(mine, 101)]) != [True]:  # noqa: ASYNC110 - it works
                await asyncio.sleep(0.5)
        await things.until(lambda: 101 in things.versions(heard, mine))
    await publisher.close()
    versions = things.versions(heard, mine)
    assert versions[:100] == list(range(1, 101))
    assert set(versions[100:]) == {101}
