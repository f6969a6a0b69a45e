"""The ways in which a broker can be away, among them a cancellation that nobody asked for."""

import asyncio

import pytest
from aio_pika.exceptions import ChannelInvalidStateError

from kit import broker


@pytest.mark.parametrize("error", [OSError(), TimeoutError(), ChannelInvalidStateError(), asyncio.CancelledError()])
async def test_every_way_of_losing_the_broker_is_one_error(error: BaseException) -> None:
    """Whatever aio-pika raises for a lost connection, its own CancelledError too, is BrokerAway."""
    with pytest.raises(broker.BrokerAway), broker.away():
        raise error


async def test_our_own_cancellation_goes_through() -> None:
    """A task that is asked to stop stops."""

    async def wait() -> None:
        with broker.away():
            await asyncio.sleep(60)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_other_errors_are_left_alone() -> None:
    """A bug is no lost connection."""
    with pytest.raises(KeyError), broker.away():
        raise KeyError("a bug")
