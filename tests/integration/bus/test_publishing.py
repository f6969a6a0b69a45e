"""The publisher on the real broker: nothing counts as said that the broker did not confirm."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gradphoto_contracts.envelope import Envelope
from kit import broker, bus, stream, topology
from tests.integration.bus import things


@pytest.fixture
async def publisher(amqp_url: str) -> AsyncIterator[bus.Publisher]:
    """A publisher on the common broker."""
    opened = bus.Publisher(amqp_url)
    yield opened
    await opened.close()


async def test_a_window_is_confirmed_and_arrives_in_order(
    amqp_url: str, service: str, publisher: bus.Publisher
) -> None:
    """A window of two hundred is confirmed whole and arrives in the order in which it was given."""
    window = [things.said("one", version, f"{service}.thing.happened.v1") for version in range(1, 201)]
    assert await publisher.publish_window(window) == [True] * 200
    async with things.arrivals(amqp_url, broker.inbox(service)) as queue, asyncio.timeout(30):
        arrived = [bus.opened(await queue.get()) for _ in window]
    assert arrived == window


async def test_what_no_queue_takes_is_no_success(amqp_url: str, publisher: bus.Publisher) -> None:
    """An exchange that leads nowhere returns the message, and the publisher says so instead of calling it sent."""
    nowhere = f"nowhere.{things.name()}"
    async with broker.connection(amqp_url, "test") as connection:
        channel = await connection.channel()
        await channel.declare_exchange(nowhere, "topic", auto_delete=False)
        confirming = await broker.confirming(connection)
        exchange = await confirming.get_exchange(nowhere, ensure=False)
        with pytest.raises(bus.Unroutable):
            await bus.publish(exchange, bus.message(things.said("one")), "nobody.hears.this.v1")
        await channel.exchange_delete(nowhere)


async def test_a_full_queue_is_no_success(amqp_url: str) -> None:
    """A queue that refuses more makes the broker say no, and the publisher passes that on."""
    async with broker.connection(amqp_url, "test") as connection:
        channel = await connection.channel()
        limits: dict[str, Any] = {"x-queue-type": "classic", "x-max-length": 1, "x-overflow": "reject-publish"}
        queue = await channel.declare_queue(things.name(), durable=True, arguments=limits)
        out = (await broker.confirming(connection)).default_exchange
        await bus.publish(out, bus.message(things.said("one")), queue.name)
        with pytest.raises(bus.NotTaken):
            await bus.publish(out, bus.message(things.said("two")), queue.name)
        await queue.delete(if_unused=False, if_empty=False)


async def test_an_event_that_no_service_hears_is_kept_in_the_stream(amqp_url: str, publisher: bus.Publisher) -> None:
    """Having no subscriber yet is no failure: the stream takes every event, and a subscriber to come reads it there."""
    await topology.declare(amqp_url, {})
    heard: list[Envelope] = []
    only = things.said(things.name())

    async def hear(_: int, envelope: Envelope) -> None:
        heard.append(envelope)

    assert await publisher.publish_window([only]) == [True]
    async with things.beside(stream.Subscriber(amqp_url, hear).run()):
        await things.until(lambda: only in heard)


async def test_a_channel_closed_by_a_bad_publish_harms_only_that_window(
    amqp_url: str, service: str, publisher: bus.Publisher
) -> None:
    """After the broker closes the channel (as for a message beyond its limit) the next window goes out on a new one."""
    key = f"{service}.thing.happened.v1"
    await publisher.connect()
    assert publisher._channel is not None
    with pytest.raises(Exception, match="NOT_FOUND"):
        await publisher._channel.queue_declare("no.such.queue", passive=True)
    first = await publisher.publish_window([things.said("one", 1, key)])
    again = await publisher.publish_window([things.said("one", 1, key)])
    assert (first == [True] or isinstance(first[0], broker.BrokerAway), again) == (True, [True])


async def test_topology_can_be_declared_again(amqp_url: str, service: str) -> None:
    """Every process declares all of it at every start: the same declaration is no conflict."""
    for _ in range(2):
        await topology.declare(amqp_url, {things.name(): ["a.b.c.v1"], service: []}, retry_ttl_ms=(50, 100, 150))
