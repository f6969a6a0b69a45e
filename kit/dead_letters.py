"""Dead letters: look at them, hand them back to the inbox, or drop them. A person decides, one command at a time."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from kit import broker, bus, errors

#: What the broker itself puts here: its consumers died with it too often.
DELIVERY_LIMIT = "delivery-limit"


@dataclass(frozen=True)
class DeadLetter:
    """A message that a service could not handle. `reason` is a code."""

    message_id: str
    type: str
    subject: str
    reason: str
    failed_at: str
    tries: int


@dataclass(frozen=True)
class Content:
    """A dead letter with all that it carries."""

    letter: DeadLetter
    headers: dict[str, Any]
    data: Any


async def list_dead(url: str, service: str, limit: int = 100) -> list[DeadLetter]:
    """The oldest dead letters of `service`, at most `limit`; they stay where they are."""
    async with _looking(url, service) as looking:
        return [_letter(incoming) async for incoming in looking.each(limit)]


async def show_dead(url: str, service: str, message_id: UUID | str) -> Content:
    """One dead letter with its content; NotFound when it is not (or no longer) there."""
    async with _looking(url, service) as looking:
        async for incoming in looking.each():
            if incoming.message_id == str(message_id):
                return Content(_letter(incoming), _plain(incoming.headers), _data(incoming.body))
    raise errors.NotFound("dead-letter-not-found", service=service, message_id=str(message_id))


async def retry_dead(url: str, service: str, message_id: UUID | str | None = None) -> int:
    """Hand one dead letter, or all of them, back to the inbox as if never tried; the number handed back.

    Killed halfway, a letter may be in both places: the inbox table suppresses the second.
    """
    async with _looking(url, service) as looking:
        out = (await broker.confirming(looking.connection)).default_exchange
        taken = 0
        async for incoming in looking.each(await looking.depth()):
            if message_id is None or incoming.message_id == str(message_id):
                await bus.publish(out, bus.copy(incoming, {}), broker.inbox(service))
                await incoming.ack()
                taken += 1
    return _found(taken, service, message_id)


async def drop_dead(url: str, service: str, message_id: UUID | str) -> int:
    """Throw one dead letter away for good; NotFound when it is not there."""
    async with _looking(url, service) as looking:
        taken = 0
        async for incoming in looking.each():
            if incoming.message_id == str(message_id):
                await incoming.ack()
                taken += 1
    return _found(taken, service, message_id)


def _found(taken: int, service: str, message_id: UUID | str | None) -> int:
    if not taken and message_id is not None:
        raise errors.NotFound("dead-letter-not-found", service=service, message_id=str(message_id))
    return taken


@dataclass(frozen=True)
class _Looking:
    """Letters taken and not acknowledged: they are back in their places when the channel ends."""

    connection: AbstractConnection
    channel: AbstractChannel
    queue: str

    async def depth(self) -> int:
        declared = await self.channel.declare_queue(self.queue, passive=True)
        return declared.declaration_result.message_count or 0

    async def each(self, limit: int | None = None) -> AsyncIterator[AbstractIncomingMessage]:
        queue = await self.channel.get_queue(self.queue)
        seen = 0
        while limit is None or seen < limit:
            incoming = await queue.get(fail=False, timeout=broker.CONNECT_TIMEOUT_S)
            if incoming is None:
                return
            seen += 1
            yield incoming


@contextlib.asynccontextmanager
async def _looking(url: str, service: str) -> AsyncIterator[_Looking]:
    async with broker.connection(url, f"{service} dead letters") as connection:
        channel = await connection.channel(publisher_confirms=False)
        yield _Looking(connection, channel, broker.dead(service))


def _letter(incoming: AbstractIncomingMessage) -> DeadLetter:
    headers = incoming.headers
    return DeadLetter(
        message_id=incoming.message_id or "",
        type=str(headers.get("ce-type", "")),
        subject=str(headers.get("ce-subject", "")),
        reason=str(headers.get("x-reason", DELIVERY_LIMIT)),
        failed_at=str(headers.get("x-failed-at", "")),
        tries=int(str(headers.get("x-attempts", bus.attempts(incoming)))),
    )


def _plain(headers: Any) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(json.dumps(dict(headers), default=str))
    return kept


def _data(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
