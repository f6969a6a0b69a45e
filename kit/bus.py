"""The bus: a publisher that knows what was confirmed, a consumer whose every act on a message is a named outcome."""

import asyncio
import functools
import json
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity, DeliveryError, PublishError

from gradphoto_contracts.envelope import CONTENT_TYPE, Envelope, MalformedEnvelope
from kit import broker, errors, logs, metrics, outcomes, topology

OUTCOMES = metrics.counter(
    "gradphoto_bus_outcomes_total", "What became of the messages that a service heard", ["service", "type", "outcome"]
)
DEAD_LETTERS = metrics.gauge("gradphoto_dead_letters", "Messages that wait for a person to decide", ["service"])
CONSUMERS = metrics.gauge("gradphoto_inbox_consumers", "1 while this process hears the service's inbox", ["service"])

PUBLISH_TIMEOUT_S = 5.0
WATCH_DEAD_S = 15.0
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
    exchange: AbstractExchange, outgoing: aio_pika.Message, routing_key: str, timeout_s: float = PUBLISH_TIMEOUT_S
) -> None:
    """Return when the broker has confirmed; the channel must be `broker.confirming`.

    Raises:
        Unroutable, NotTaken: it was not kept.
        BrokerAway: we do not know; send it again, the hearer's inbox suppresses the second.
    """
    with broker.away():
        try:
            await exchange.publish(outgoing, routing_key, mandatory=True, timeout=timeout_s)
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
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None

    async def publish_window(self, envelopes: Sequence[Envelope]) -> list[bool | Exception]:
        """Publish in order, all under way at once; each gives True when confirmed, else its failure. Never raises."""
        try:
            exchange = await self._opened()
        except broker.BrokerAway as away:
            await self.close()
            return [away for _ in envelopes]
        results = await asyncio.gather(*(self._publish(exchange, envelope) for envelope in envelopes))
        if any(isinstance(result, broker.BrokerAway) for result in results):
            await self.close()
        return results

    async def _publish(self, exchange: AbstractExchange, envelope: Envelope) -> bool | Exception:
        try:
            await publish(exchange, message(envelope), envelope.type, self._timeout_s)
        except errors.Unavailable as problem:
            return problem
        return True

    async def _opened(self) -> AbstractExchange:
        if self._exchange is None:
            self._connection = await broker.connect(self._url, self._name)
            with broker.away():
                self._channel = await broker.confirming(self._connection)
                self._exchange = await self._channel.get_exchange(broker.EXCHANGE, ensure=False)
        return self._exchange

    async def connect(self) -> None:
        """Open now rather than at the first window; BrokerAway when nobody answers."""
        await self._opened()

    async def close(self) -> None:
        """Drop the connection; the next window opens another."""
        connection, self._connection, self._channel, self._exchange = self._connection, None, None, None
        if connection is not None:
            await broker.close(connection)


# Consuming


class Consumer:
    """Hears a service's inbox: each message goes to `dispatch` and ends in one outcome, one AMQP act, one count.

    Messages with one subject go through one lane, in order; lanes work side by side.
    """

    def __init__(
        self,
        url: str,
        service: str,
        dispatch: Callable[[Envelope], Awaitable[None]],
        *,
        prefetch: int = 50,
        lanes: int = 4,
        bindings: Iterable[str] | None = None,
        retry_ttl_ms: Sequence[int] = outcomes.RETRY_TTL_MS,
    ) -> None:
        """`bindings`: the routing keys of this service; when given, a queue that was deleted is made again.

        `retry_ttl_ms` is that of the declared topology.
        """
        self._url = url
        self.service = service
        self._dispatch = dispatch
        self._prefetch = prefetch
        self._lanes = lanes
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
            lanes = [_Lane(self, confirming.default_exchange) for _ in range(self._lanes)]
            await queue.consume(functools.partial(self._deliver, lanes))
            hearing = CONSUMERS.labels(service=self.service)
            hearing.set(1)
            try:
                await self._until(ended, connection, lanes)
            finally:
                hearing.set(0)

    async def _until(self, ended: asyncio.Event, connection: AbstractConnection, lanes: "list[_Lane]") -> None:
        work = [asyncio.create_task(lane.run()) for lane in lanes]
        work += [asyncio.create_task(self._watch_dead(connection)), asyncio.create_task(_wait(ended))]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _deliver(self, lanes: "list[_Lane]", incoming: AbstractIncomingMessage) -> None:
        subject = str(incoming.headers.get("ce-subject", ""))
        lanes[zlib.crc32(subject.encode()) % len(lanes)].waiting.put_nowait(incoming)

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
        error = await self._try(incoming)
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

    async def _try(self, incoming: AbstractIncomingMessage) -> Exception | None:
        try:
            await self._dispatch(opened(incoming))
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


class _Lane:
    """Messages of a share of the subjects, one after the other."""

    def __init__(self, consumer: Consumer, out: AbstractExchange) -> None:
        self._consumer = consumer
        self._out = out
        self.waiting: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()

    async def run(self) -> None:
        while True:
            await self._consumer.handle(await self.waiting.get(), self._out)


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
