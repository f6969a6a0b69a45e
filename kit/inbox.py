"""The inbox: an event that comes twice is handled once, because its id is a row in the handler's own transaction."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa
import structlog
from gradphoto_contracts.envelope import Envelope, Event
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from kit import errors, logs, metrics

DUPLICATES = metrics.counter("gradphoto_inbox_duplicates_total", "Events that came again and were ignored", ["service"])


def table(metadata: sa.MetaData) -> sa.Table:
    """The table `inbox`. Its rows must outlive the longest replay: nothing prunes them."""
    return sa.Table(
        "inbox",
        metadata,
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
    )


class Seen(Protocol):
    """What a unit of work needs of an inbox."""

    async def seen(self, event_id: UUID) -> bool:
        """Take note of the event; True when it was noted before. Undone when the transaction is rolled back."""
        ...


class Inbox:
    """The inbox over a table."""

    def __init__(self, tx: AsyncConnection, inbox: sa.Table) -> None:
        self._tx = tx
        self._table = inbox

    async def seen(self, event_id: UUID) -> bool:
        """See `Seen.seen`. The same event in two transactions at once: the second waits for the first."""
        insert = postgresql.insert(self._table).values(event_id=event_id).on_conflict_do_nothing()
        repeat = (await self._tx.execute(insert)).rowcount == 0
        if repeat:
            DUPLICATES.labels(service=str(self._table.schema)).inc()
        return repeat


class HasInbox(Protocol):
    """A unit of work that can tell a repeat."""

    @property
    def inbox(self) -> Seen: ...


W = TypeVar("W", bound=HasInbox)
Handler = Callable[[W, Any], Awaitable[None]]


def dispatcher(
    unit: Callable[[], AbstractAsyncContextManager[W]],
    read: Callable[[str, dict[str, Any]], Event],
    hears: Mapping[type[Event], Callable[[W, Any], Awaitable[None]]],
) -> Callable[[Envelope], Awaitable[None]]:
    """The door for events: one envelope, one unit of work, one handler; a repeat does nothing.

    Args:
        unit: opens the unit of work.
        read: turns type and data into an event; raises LookupError or ValueError when it cannot (the catalogue's `read`).
        hears: the service's routing.
    """

    async def dispatch(envelope: Envelope) -> None:
        event = _read(read, envelope)
        handler = hears.get(type(event))
        if handler is None:
            raise errors.Invalid("event-not-heard", type=envelope.type)
        token = logs.correlation_id.set(envelope.correlation_id)
        try:
            with structlog.contextvars.bound_contextvars(
                correlation_id=envelope.correlation_id, event_id=str(envelope.id)
            ):
                async with unit() as work:
                    if not await work.inbox.seen(envelope.id):
                        await handler(work, event)
        finally:
            logs.correlation_id.reset(token)

    return dispatch


def _read(read: Callable[[str, dict[str, Any]], Event], envelope: Envelope) -> Event:
    # The cause is dropped on purpose: a validation error quotes the data.
    try:
        return read(envelope.type, envelope.data)
    except LookupError:
        raise errors.Invalid("event-unknown", type=envelope.type) from None
    except ValueError:
        raise errors.Invalid("event-malformed", type=envelope.type) from None
