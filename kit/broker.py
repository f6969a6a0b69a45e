"""One connection to the broker, the names of what lies on it, and the ways in which it can be away.

Connections are plain ones, thrown away at the first doubt and opened anew by their owner. aio-pika's self-healing ones
keep state that is wrong after some failures: a stream is read again from its first offset, a publish is refused.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from kit import errors

EXCHANGE = "gradphoto.events"
STREAM = "gradphoto.stream"

CONNECT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 2.0
#: A broker that sends nothing for three of these is taken for dead.
HEARTBEAT_S = 10
RECONNECT_S = 1.0


class BrokerAway(errors.Unavailable):
    """The broker does not answer, or the connection broke. What was under way may have happened or not."""

    def __init__(self, cause: str) -> None:
        super().__init__("broker-unavailable", cause=cause)


def inbox(service: str) -> str:
    """The queue of what `service` hears."""
    return f"{service}.inbox"


def retry(service: str, tier: int) -> str:
    """The queue where a message waits before try `tier` + 1; tiers count from 1."""
    return f"{service}.retry.{tier}"


def dead(service: str) -> str:
    """The queue of what `service` could not handle."""
    return f"{service}.dead"


@contextlib.contextmanager
def away() -> Iterator[None]:
    """Turn the many ways in which aio-pika tells of a lost connection into `BrokerAway`.

    One of them is a CancelledError that nobody asked for; a cancellation of this very task goes through untouched.
    """
    try:
        yield
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise BrokerAway("connection-lost") from None
    except TimeoutError:
        raise BrokerAway("timeout") from None
    except CONNECTION_EXCEPTIONS as error:
        raise BrokerAway(type(error).__name__) from error


async def connect(url: str, name: str) -> AbstractConnection:
    """A new connection, shown by the broker under `name`.

    Raises:
        BrokerAway: nobody answered within CONNECT_TIMEOUT_S, or the broker refused us.
    """
    with away():
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await aio_pika.connect(
                url, heartbeat=HEARTBEAT_S, client_properties={"connection_name": f"gradphoto {name}"}
            )


async def close(connection: AbstractConnection) -> None:
    """Close politely; a broker that does not answer is left after CLOSE_TIMEOUT_S."""
    with contextlib.suppress(BrokerAway), away():
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await connection.close()


@contextlib.asynccontextmanager
async def connection(url: str, name: str) -> AsyncIterator[AbstractConnection]:
    """A connection for the length of the block; what breaks it inside is told as BrokerAway."""
    opened = await connect(url, name)
    try:
        with away():
            yield opened
    finally:
        await close(opened)


async def confirming(opened: AbstractConnection) -> AbstractChannel:
    """A channel that confirms each message, and raises for one that no queue took."""
    channel = opened.channel(publisher_confirms=True, on_return_raises=True)
    await channel.initialize(timeout=CONNECT_TIMEOUT_S)
    return channel


async def ended(opened: AbstractConnection, *channels: AbstractChannel) -> asyncio.Event:
    """An event that is set when the connection or a channel ends, or when the broker cancels a consumer on it."""
    event = asyncio.Event()
    opened.close_callbacks.add(lambda *_: event.set())
    for channel in channels:
        channel.close_callbacks.add(lambda *_: event.set())
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(lambda _: event.set())
    return event
