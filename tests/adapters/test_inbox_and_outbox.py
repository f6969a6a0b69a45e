"""One behavioural suite over the in-memory inbox and outbox and the real ones."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Protocol

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts.envelope import Event
from kit import db, ids, inbox, memory, outbox
from tests.integration.bus import things


class Events(Protocol):
    """The outbox as handlers see it."""

    async def add(self, event: Event) -> None: ...

    async def add_all(self, events: Iterable[Event]) -> None: ...


class Pair(Protocol):
    """An inbox, an outbox, and what was said in order."""

    inbox: inbox.Unseen
    events: Events

    async def said(self) -> list[Event]: ...


class InMemory:
    """The twins."""

    def __init__(self) -> None:
        self.inbox: inbox.Unseen = memory.MemoryInbox()
        self._events = memory.MemoryEvents()
        self.events: Events = self._events

    async def said(self) -> list[Event]:
        return self._events.said


class Real:
    """Tables, in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx
        self.inbox: inbox.Unseen = inbox.Inbox(tx, things.INBOX)
        self.events: Events = outbox.Outbox(tx, things.OUTBOX, "things", datetime.now(UTC), ids.new)

    async def said(self) -> list[Event]:
        rows = await self._tx.execute(sa.select(things.OUTBOX).order_by(things.OUTBOX.c.seq))
        return [things.read(row.type, row.envelope["data"]) for row in rows]


@pytest.fixture(params=["memory", "postgres"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    """Each of the two."""
    if request.param == "memory":
        yield InMemory()
        return
    fresh = request.getfixturevalue("fresh_database")
    database = db.Database(await asyncio.to_thread(fresh, things.SCHEMA, migrated=False), things.SCHEMA)
    async with database.transaction() as tx:
        await tx.run_sync(things.METADATA.create_all)
        yield Real(tx)
    await database.close()


async def test_the_second_time_is_told_from_the_first(pair: Pair) -> None:
    """An event is new once and a repeat ever after; another is not touched by it."""
    one, other = ids.new(), ids.new()
    assert [await pair.inbox.unseen(some) for some in ([one], [one], [one, other, other], [other])] == [
        {one},
        set(),
        {other},
        set(),
    ]


async def test_what_is_said_keeps_its_order(pair: Pair) -> None:
    """One by one or many at once, events stand in the order in which they were added."""
    events = [things.ThingHappenedV1(thing="one", version=version) for version in range(1, 251)]
    await pair.events.add(events[0])
    await pair.events.add_all(events[1:200])
    await pair.events.add_all([])
    for event in events[200:]:
        await pair.events.add(event)
    assert await pair.said() == events
