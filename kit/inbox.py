"""The inbox: an event that comes twice is handled once, because its id is a row in the handler's own transaction."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts.envelope import Envelope, Event
from kit import errors, logs, metrics

DUPLICATES = metrics.counter("gradphoto_inbox_duplicates_total", "Events that came again and were ignored", ["service"])


def table(metadata: sa.MetaData) -> sa.Table:
    """The table `inbox`. Its rows must outlive the longest replay: nothing prunes them."""
    return sa.Table(
        "inbox",
        metadata,
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column(
            "received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")
        ),
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


def dispatcher(
    unit: Callable[[], AbstractAsyncContextManager[W]],
    read: Callable[[str, dict[str, Any]], Event],
    hears: Mapping[type[Event], Callable[[W, Any], Awaitable[None]]],
) -> Callable[[Envelope], Awaitable[None]]:
    """The door for events: one envelope, one unit of work, one handler; a repeat does nothing.

    Args:
        unit: opens the unit of work.
        read: the catalogue's `read`: turns type and data into an event, or raises LookupError or ValueError.
        hears: the service's routing.
    """

    async def dispatch(envelope: Envelope) -> None:
        event = _read(read, envelope)
        handler = hears.get(type(event))
        if handler is None:
            raise errors.Invalid("event-not-heard", type=envelope.type)
        with logs.bound(correlation=envelope.correlation_id, event=str(envelope.id)), _database_needed():
            async with unit() as work:
                if not await work.inbox.seen(envelope.id):
                    await handler(work, event)

    return dispatch


@contextlib.contextmanager
def _database_needed() -> Iterator[None]:
    """A database that is away is no fault of the event: it is tried again for as long as `Unavailable` allows."""
    try:
        yield
    except (ConnectionError, sa.exc.InterfaceError, sa.exc.OperationalError) as error:
        raise errors.Unavailable("database-unavailable") from error
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise errors.Unavailable("database-unavailable") from error
        raise


def _read(read: Callable[[str, dict[str, Any]], Event], envelope: Envelope) -> Event:
    # The cause is dropped on purpose: a validation error quotes the data.
    try:
        return read(envelope.type, envelope.data)
    except LookupError:
        raise errors.Invalid("event-unknown", type=envelope.type) from None
    except ValueError:
        raise errors.Invalid("event-malformed", type=envelope.type) from None
