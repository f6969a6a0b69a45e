"""The bus: a publisher that knows what was confirmed, a consumer whose every act on a message is a named outcome."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractExchange, AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity, DeliveryError, PublishError
from aiormq.channel import Channel as UnderlayChannel

from gradphoto_contracts.envelope import CONTENT_TYPE, Envelope, MalformedEnvelope
from kit import broker, errors, logs, metrics, outcomes, topology

OUTCOMES = metrics.counter(
    "gradphoto_bus_outcomes_total", "What became of the messages that a service heard", ["service", "type", "outcome"]
)
DEAD_LETTERS = metrics.gauge("gradphoto_dead_letters", "Messages that wait for a person to decide", ["service"])
CONSUMERS = metrics.gauge("gradphoto_inbox_consumers", "1 while this process hears the service's inbox", ["service"])

PUBLISH_TIMEOUT_S = 5.0
WATCH_DEAD_S = 15.0
#: Messages in one transaction: more would save little, and a long transaction holds back every relay.
TOGETHER = 25
Waiting: TypeAlias = "asyncio.Queue[AbstractIncomingMessage]"
_log = logs.get("bus")


class Unroutable(errors.Unavailable):
    """The broker took the message and no queue wanted it: the topology is not declared."""

    def __init__(self, routing_key: str) -> None:
        super().__init__("message-unroutable", routing_key=routing_key)


class NotTaken(errors.Unavailable):
    """The broker said no (basic.nack): a queue is full or has no leader now."""

    def __init__(self, routing_key: str) -> None:
        super().__init__("message-not-taken", routing_key=routing_key)


# Publishing


def message(envelope: Envelope) -> aio_pika.Message:
    """The envelope as AMQP: `ce-` headers, JSON body, persistent."""
    return aio_pika.Message(
        json.dumps(envelope.data, ensure_ascii=False, separators=(",", ":")).encode(),
        headers=dict(envelope.headers()),
        content_type=CONTENT_TYPE,
        message_id=str(envelope.id),
        timestamp=envelope.time,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )


async def publish(
    exchange: AbstractExchange,
    outgoing: aio_pika.Message,
    routing_key: str,
    timeout_s: float | None = PUBLISH_TIMEOUT_S,
) -> None:
    """Return when the broker has confirmed; the channel must be `broker.confirming`.

    Raises:
        Unroutable, NotTaken: it was not kept.
        BrokerAway: we do not know; send it again, the hearer's inbox suppresses the second.
    """
    with _kept(routing_key):
        await exchange.publish(outgoing, routing_key, mandatory=True, timeout=timeout_s)


@contextlib.contextmanager
def _kept(routing_key: str) -> Iterator[None]:
    with broker.away():
        try:
            yield
        except PublishError:
            raise Unroutable(routing_key) from None
        except DeliveryError:
            raise NotTaken(routing_key) from None


class Publisher:
    """Publishes windows of events over one connection, which it opens when needed and drops at the first doubt."""

    def __init__(self, url: str, name: str = "publisher", *, timeout_s: float = PUBLISH_TIMEOUT_S) -> None:
        self._url = url
        self._name = name
        self._timeout_s = timeout_s
        self._connection: AbstractConnection | None = None
        self._channel: UnderlayChannel | None = None

    async def publish_window(self, envelopes: Sequence[Envelope]) -> list[bool | Exception]:
        """Publish in order, all under way at once; each gives True when confirmed, else its failure. Never raises."""
        if not envelopes:
            return []
        try:
            channel = await self._opened()
        except broker.BrokerAway as away:
            await self.close()
            return [away for _ in envelopes]
        publishing = [asyncio.create_task(self._publish(channel, envelope)) for envelope in envelopes]
        try:
            # One clock for the window: one for each message is a fifth of the work.
            _, late = await asyncio.wait(publishing, timeout=self._timeout_s)
        finally:
            for task in publishing:
                task.cancel()
        results = [broker.BrokerAway("timeout") if task in late else task.result() for task in publishing]
        if any(isinstance(result, broker.BrokerAway) for result in results):
            await self.close()
        return results

    async def _publish(self, channel: UnderlayChannel, envelope: Envelope) -> bool | Exception:
        outgoing = message(envelope)
        try:
            with _kept(envelope.type):
                # `exchange.publish` lets one message at a time wait for the socket; a window is bounded anyway.
                await channel.basic_publish(
                    outgoing.body,
                    exchange=broker.EXCHANGE,
                    routing_key=envelope.type,
                    properties=outgoing.properties,
                    mandatory=True,
                    wait=False,
                )
        except errors.Unavailable as problem:
            return problem
        return True

    async def _opened(self) -> UnderlayChannel:
        if self._channel is not None and self._channel.is_closed:
            await self.close()
        if self._channel is None:
            self._connection = await broker.connect(self._url, self._name)
            with broker.away():
                # RabbitMQ 3.10 takes messages before its stream is back: what others confirm then is missing from it.
                async with asyncio.timeout(broker.CONNECT_TIMEOUT_S):
                    await topology.stream_is_there(self._connection)
                confirming = await broker.confirming(self._connection)
                self._channel = cast(UnderlayChannel, await confirming.get_underlay_channel())
        return self._channel

    async def connect(self) -> None:
        """Open now rather than at the first window; BrokerAway when nobody answers."""
        await self._opened()

    async def close(self) -> None:
        """Drop the connection; the next window opens another."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            await broker.close(connection)


# Consuming


class Consumer:
    """Hears a service's inbox in order: each message goes to `dispatch` and ends in one outcome, one count.

    What waits goes to `dispatch` together, since a transaction costs more than most of what is done in it. When that
    fails nothing of it was done, and each message is tried alone.
    """

    def __init__(
        self,
        url: str,
        service: str,
        dispatch: Callable[[Sequence[Envelope]], Awaitable[None]],
        *,
        prefetch: int = 50,
        together: int = TOGETHER,
        bindings: Iterable[str] | None = None,
        retry_ttl_ms: Sequence[int] = outcomes.RETRY_TTL_MS,
    ) -> None:
        """`dispatch` handles all that it is given, or raises and has handled none; at most `together` at once.

        `bindings`: the routing keys of this service; when given, a queue that was deleted is made again.
        `retry_ttl_ms` is that of the declared topology.
        """
        self._url = url
        self.service = service
        self._dispatch = dispatch
        self._prefetch = prefetch
        self._together = together
        self._retry_ttl_ms = retry_ttl_ms
        self._bindings = None if bindings is None else tuple(bindings)

    async def run(self) -> None:
        """Consume until cancelled. A lost connection is opened anew; what was not acknowledged comes again."""
        CONSUMERS.labels(service=self.service).set(0)
        while True:
            try:
                await self._session()
                cause = "connection-ended"
            except errors.Unavailable as away:
                cause = str(away)
            _log.warning("bus.consumer-reconnects", service=self.service, cause=cause)
            await asyncio.sleep(broker.RECONNECT_S)

    async def _session(self) -> None:
        async with broker.connection(self._url, f"{self.service} consumer") as connection:
            channel = await connection.channel(publisher_confirms=False)
            confirming = await broker.confirming(connection)
            ended = await broker.ended(connection, channel, confirming)
            await channel.set_qos(self._prefetch)
            await self._ensure_queue(connection)
            queue = await channel.get_queue(broker.inbox(self.service))
            waiting: Waiting = asyncio.Queue()
            await queue.consume(waiting.put)
            hearing = CONSUMERS.labels(service=self.service)
            hearing.set(1)
            try:
                await self._until(ended, connection, self._hear(waiting, confirming.default_exchange))
            finally:
                hearing.set(0)

    async def _until(
        self, ended: asyncio.Event, connection: AbstractConnection, hearing: Coroutine[Any, Any, None]
    ) -> None:
        work = [asyncio.create_task(act) for act in (hearing, self._watch_dead(connection), _wait(ended))]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _hear(self, waiting: Waiting, out: AbstractExchange) -> None:
        while True:
            some = [await waiting.get()]
            while len(some) < self._together and not waiting.empty():
                some.append(waiting.get_nowait())
            if not await self._handled_together(some):
                for incoming in some:
                    await self.handle(incoming, out)

    async def _handled_together(self, some: Sequence[AbstractIncomingMessage]) -> bool:
        """Handle them all in one go and acknowledge them; False when that failed or was not tried.

        A message that comes again may be what killed us: it is tried alone, lest others be laid aside with it.
        """
        if len(some) == 1 or any(incoming.redelivered for incoming in some):
            return False
        if await self._try(some) is not None:
            return False
        with broker.away():
            await some[-1].ack(multiple=True)
        for incoming in some:
            self._tell(incoming, outcomes.Done(), 1, None)
        return True

    async def _ensure_queue(self, connection: AbstractConnection) -> None:
        """Make our queues again if somebody deleted the inbox; a missing queue closes the channel that asks for it."""
        if self._bindings is None:
            return
        try:
            probe = await connection.channel()
            await probe.get_queue(broker.inbox(self.service))
            await probe.close()
        except ChannelNotFoundEntity:
            await topology.declare_on(connection, {self.service: self._bindings}, self._retry_ttl_ms)

    async def _watch_dead(self, connection: AbstractConnection) -> None:
        channel = await connection.channel()
        while True:
            queue = await channel.declare_queue(broker.dead(self.service), passive=True)
            DEAD_LETTERS.labels(service=self.service).set(queue.declaration_result.message_count or 0)
            await asyncio.sleep(WATCH_DEAD_S)

    async def handle(self, incoming: AbstractIncomingMessage, out: AbstractExchange) -> None:
        """Try once, then do the outcome: what is sent on is confirmed before the original is acknowledged."""
        tries = attempts(incoming) + 1
        error = await self._try([incoming])
        outcome = outcomes.judge(error, tries, len(self._retry_ttl_ms))
        match outcome:
            case outcomes.Retry():
                again = copy(incoming, {"x-attempt": tries})
                await publish(out, again, broker.retry(self.service, outcome.tier))
            case outcomes.Reject():
                failed_at = datetime.now(UTC).isoformat()
                note = {"x-reason": outcome.reason, "x-failed-at": failed_at, "x-attempts": tries}
                await publish(out, copy(incoming, note), broker.dead(self.service))
        with broker.away():
            await incoming.ack()
        self._tell(incoming, outcome, tries, error)

    async def _try(self, some: Sequence[AbstractIncomingMessage]) -> Exception | None:
        try:
            await self._dispatch([opened(incoming) for incoming in some])
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return errors.Unavailable("cancelled-within")
        except Exception as error:  # noqa: BLE001 - every failure has an outcome; outcomes.judge decides which
            return error
        return None

    def _tell(
        self, incoming: AbstractIncomingMessage, outcome: outcomes.Outcome, tries: int, error: Exception | None
    ) -> None:
        type_ = _known_type(incoming)
        OUTCOMES.labels(service=self.service, type=type_, outcome=outcome.name).inc()
        if isinstance(outcome, outcomes.Done):
            return
        expected = isinstance(error, errors.Problem)
        _log.warning(
            f"bus.{outcome.name}",
            service=self.service,
            type=type_,
            event_id=incoming.message_id,
            reason=outcome.reason,
            tries=tries,
            exc_info=None if expected else error,
        )


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def opened(incoming: AbstractIncomingMessage) -> Envelope:
    """The envelope of a message; MalformedEnvelope when it has none."""
    try:
        data = json.loads(incoming.body)
    except ValueError:
        raise MalformedEnvelope("the body is not JSON") from None
    if not isinstance(data, dict):
        raise MalformedEnvelope("the body is not a JSON object")
    return Envelope.open(incoming.headers, data)


def attempts(incoming: AbstractIncomingMessage) -> int:
    """How often the message was tried before; our own header, since brokers count in different ways."""
    value = incoming.headers.get("x-attempt", 0)
    return value if isinstance(value, int) else 0


def _known_type(incoming: AbstractIncomingMessage) -> str:
    # A label's values must be few: what has no envelope shares one.
    value = incoming.headers.get("ce-type")
    return value if isinstance(value, str) and len(value) < 100 else "unknown"


def copy(incoming: AbstractIncomingMessage, note: Mapping[str, Any]) -> aio_pika.Message:
    """The message to be sent on, with `note` in place of every `x-` header."""
    kept = {name: value for name, value in incoming.headers.items() if not name.startswith("x-")}
    return aio_pika.Message(
        incoming.body,
        headers={**kept, **note},
        content_type=incoming.content_type,
        message_id=incoming.message_id,
        timestamp=incoming.timestamp,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
