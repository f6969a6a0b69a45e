"""The replay stream: everything that was ever said, for new subscribers and for whoever wants to hear it all again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from aio_pika.abc import AbstractIncomingMessage

from gradphoto_contracts.envelope import Envelope
from kit import broker, bus, errors, logs

Offset = int | Literal["first", "next"]
PREFETCH = 200
#: A subscription made while a broker still recovers its streams may stay silent for ever: after this it is made anew.
IDLE_S = 15.0
_log = logs.get("stream")


class _Failed(Exception):
    """The subscriber failed, not the broker: keeps the two apart, since both may raise an OSError."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class Subscriber:
    """Reads the stream from an offset, one event after the other, and keeps its own place over lost connections.

    `heard` gets the offset with the event. `Unavailable` from it means "again"; what else it raises ends `run`, since
    nothing is skipped. Keep `place` with what you derive from the events, and begin there next time; with "next", what
    is said before the first event arrives may be missed.
    """

    def __init__(
        self,
        url: str,
        heard: Callable[[int, Envelope], Awaitable[None]],
        offset: Offset = "first",
        name: str = "stream",
    ) -> None:
        self._url = url
        self._heard = heard
        self._name = name
        #: Where reading goes on.
        self.place: Offset = offset

    async def run(self) -> None:
        """Read until cancelled. A broker that is away is waited for."""
        while True:
            try:
                await self._session()
            except errors.Unavailable as away:
                _log.warning("stream.reconnects", subscriber=self._name, cause=str(away))
            except _Failed as failed:
                raise failed.error from None
            await asyncio.sleep(broker.RECONNECT_S)

    async def _session(self) -> None:
        waiting: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
        async with broker.connection(self._url, self._name) as connection:
            channel = await connection.channel(publisher_confirms=False)
            ended = await broker.ended(connection, channel)
            await channel.set_qos(PREFETCH)
            queue = await channel.get_queue(broker.STREAM)
            await queue.consume(waiting.put, arguments={"x-stream-offset": self.place})
            watch = asyncio.create_task(_tell_end(ended, waiting))
            try:
                while (incoming := await self._next(waiting)) is not None:
                    await self._hear(incoming)
            finally:
                watch.cancel()

    async def _next(self, waiting: "asyncio.Queue[AbstractIncomingMessage | None]") -> AbstractIncomingMessage | None:
        try:
            # Without a place to come back to, a new subscription would miss what is said meanwhile.
            async with asyncio.timeout(None if self.place == "next" else IDLE_S):
                return await waiting.get()
        except TimeoutError:
            return None

    async def _hear(self, incoming: AbstractIncomingMessage) -> None:
        offset = int(str(incoming.headers["x-stream-offset"]))
        # The broker hands over whole chunks: the first may begin before the offset that was asked for.
        if not isinstance(self.place, int) or offset >= self.place:
            try:
                await self._heard(offset, bus.opened(incoming))
            except errors.Unavailable:
                raise
            except Exception as error:
                raise _Failed(error) from error
            self.place = offset + 1
        await incoming.ack()


async def _tell_end(ended: asyncio.Event, waiting: "asyncio.Queue[AbstractIncomingMessage | None]") -> None:
    await ended.wait()
    waiting.put_nowait(None)


async def subscribe(
    url: str, heard: Callable[[int, Envelope], Awaitable[None]], offset: Offset = "first", name: str = "stream"
) -> None:
    """`Subscriber(…).run()` for those who need no place to be kept."""
    await Subscriber(url, heard, offset, name).run()
