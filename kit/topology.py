"""What lies on the broker: one exchange, one stream of it all, and a service's inbox, waits and dead letters.

The same on RabbitMQ 3.10 and 4.3: types, limits and dead-letter strategies are always said, since defaults differ.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue

from kit import broker, logs, outcomes

DECLARE_TIMEOUT_S = 30.0
#: Deliveries of one message to consumers that die with it, before it goes to the dead letters.
DELIVERY_LIMIT = 10
#: Dead letters are looked at without being taken; each look counts as a delivery on some brokers.
LOOKS = 1_000_000
#: Longer than a campaign, so that a new subscriber can hear it all from the beginning.
STREAM_ARGUMENTS: dict[str, Any] = {
    "x-queue-type": "stream",
    "x-max-age": "400D",
    "x-max-length-bytes": 50_000_000_000,
    "x-stream-max-segment-size-bytes": 100_000_000,
}
_log = logs.get("bus")


async def declare(
    url: str,
    bindings: Mapping[Any, Iterable[str]],
    *,
    retry_ttl_ms: Sequence[int] = outcomes.RETRY_TTL_MS,
    patience_s: float = 60.0,
) -> None:
    """Declare exchange, stream and the queues of each service in `bindings` (service → routing keys). Idempotent.

    Every process declares all of it before it publishes, so that no event is said before its hearers have queues.
    """
    deadline = asyncio.get_running_loop().time() + patience_s
    while True:
        try:
            async with broker.connection(url, "topology") as connection, asyncio.timeout(DECLARE_TIMEOUT_S):
                await declare_on(connection, bindings, retry_ttl_ms)
                return
        except broker.BrokerAway as away:
            if asyncio.get_running_loop().time() > deadline:
                raise
            _log.warning("bus.topology-waits", cause=str(away))
            await asyncio.sleep(broker.RECONNECT_S)


async def declare_on(
    connection: AbstractConnection,
    bindings: Mapping[Any, Iterable[str]],
    retry_ttl_ms: Sequence[int] = outcomes.RETRY_TTL_MS,
) -> None:
    """As `declare`, once, on a connection that is open."""
    channel = await connection.channel()
    exchange = await channel.declare_exchange(broker.EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
    stream = await channel.declare_queue(broker.STREAM, durable=True, arguments=STREAM_ARGUMENTS)
    await stream.bind(exchange, "#")
    for service, keys in bindings.items():
        await _quorum(channel, broker.dead(service), {"x-delivery-limit": LOOKS})
        # One active consumer: of two (a second process, the ghost of a lost connection) one would overtake the other.
        inbox = await _quorum(
            channel,
            broker.inbox(service),
            {
                "x-delivery-limit": DELIVERY_LIMIT,
                "x-single-active-consumer": True,
                **_dead_letters_to(broker.dead(service)),
            },
        )
        for tier, ttl_ms in enumerate(retry_ttl_ms, 1):
            back = _dead_letters_to(broker.inbox(service))
            await _quorum(channel, broker.retry(service, tier), {"x-message-ttl": ttl_ms, **back})
        for key in keys:
            await inbox.bind(exchange, key)


async def stream_is_there(connection: AbstractConnection) -> None:
    """Return if the stream takes messages now; ChannelNotFoundEntity otherwise."""
    async with connection.channel() as probe:
        await probe.declare_queue(broker.STREAM, passive=True)


async def unbind(url: str, service: Any, key: str) -> None:
    """Take the binding of `key` from the service's inbox; no change where there is none.

    Never done by itself: an older process that still runs, or comes back, may hear what a newer one does not know.
    """
    async with broker.connection(url, "topology") as connection:
        channel = await connection.channel()
        await (await channel.get_queue(broker.inbox(service))).unbind(broker.EXCHANGE, key)


def _dead_letters_to(queue: str) -> dict[str, Any]:
    """At least once, which the broker grants only together with reject-publish; its default may lose a message."""
    return {
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


async def _quorum(channel: AbstractChannel, name: str, arguments: dict[str, Any]) -> AbstractQueue:
    return await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum", **arguments})
