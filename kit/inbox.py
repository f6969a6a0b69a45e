"""The inbox: an event that comes twice is handled once, because its id is a row in the handler's own transaction."""

import contextlib
import functools
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
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


class Unseen(Protocol):
    """What a unit of work needs of an inbox."""

    async def unseen(self, event_ids: Sequence[UUID]) -> set[UUID]:
        """Take note of the events; those of them that were not noted before. Undone with the transaction."""
        ...


class Inbox:
    """The inbox over a table."""

    def __init__(self, tx: AsyncConnection, inbox: sa.Table) -> None:
        self._tx = tx
        self._table = inbox

    async def unseen(self, event_ids: Sequence[UUID]) -> set[UUID]:
        """See `Unseen.unseen`. The same event in two transactions at once: the second waits for the first."""
        fresh = set((await self._tx.execute(_note(self._table), {"event_ids": list(event_ids)})).scalars())
        if repeats := len(event_ids) - len(fresh):
            DUPLICATES.labels(service=str(self._table.schema)).inc(repeats)
        return fresh


@functools.cache
def _note(table: sa.Table) -> sa.Executable:
    """One text for any number of events, so that it is compiled and prepared once."""
    noted = sa.select(sa.func.unnest(sa.bindparam("event_ids", type_=postgresql.ARRAY(sa.Uuid))))
    insert = postgresql.insert(table).from_select(["event_id"], noted)
    return insert.on_conflict_do_nothing().returning(table.c.event_id)


class HasInbox(Protocol):
    """A unit of work that can tell a repeat."""

    @property
    def inbox(self) -> Unseen: ...


W = TypeVar("W", bound=HasInbox)
Dispatch = Callable[[Sequence[Envelope]], Awaitable[None]]


def dispatcher(
    unit: Callable[[], AbstractAsyncContextManager[W]],
    read: Callable[[str, dict[str, Any]], Event],
    hears: Mapping[type[Event], Callable[[W, Any], Awaitable[None]]],
) -> Dispatch:
    """The door for events: some envelopes, one unit of work, a handler for each in turn; a repeat does nothing.

    Either all of them are handled or, when it raises, none.

    Args:
        unit: opens the unit of work.
        read: the catalogue's `read`: turns type and data into an event, or raises LookupError or ValueError.
        hears: the service's routing.
    """

    def handling(envelope: Envelope) -> tuple[Envelope, Event, Callable[[W, Any], Awaitable[None]]]:
        event = _read(read, envelope)
        handler = hears.get(type(event))
        if handler is None:
            raise errors.Invalid("event-not-heard", type=envelope.type)
        return envelope, event, handler

    async def dispatch(envelopes: Sequence[Envelope]) -> None:
        chosen = [handling(envelope) for envelope in envelopes]
        with _database_needed():
            async with unit() as work:
                fresh = await work.inbox.unseen([envelope.id for envelope in envelopes])
                for envelope, event, handler in chosen:
                    if envelope.id in fresh:
                        fresh.discard(envelope.id)
                        with logs.bound(correlation=envelope.correlation_id, event=str(envelope.id)):
                            await handler(work, event)

    return dispatch


#: Classes of SQLSTATE that tell of the server and not of the statement: connection, resources, intervention (as 57P03,
#: the answer of a server that still recovers from a crash).
_AWAY = ("08", "53", "57")


@contextlib.contextmanager
def _database_needed() -> Iterator[None]:
    """A database that is away is no fault of the event: it is tried again for as long as `Unavailable` allows."""
    try:
        yield
    except (OSError, sa.exc.InterfaceError, sa.exc.OperationalError) as error:
        raise errors.Unavailable("database-unavailable") from error
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated or str(getattr(error.orig, "sqlstate", "")).startswith(_AWAY):
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
