"""The inbox on the real database: an event that comes twice has one effect."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts.envelope import Envelope
from kit import db, errors, ids, inbox, logs, outbox
from tests.integration.bus import things


@dataclass(frozen=True)
class Work:
    """The unit of work of these tests."""

    tx: AsyncConnection
    inbox: inbox.Unseen
    events: outbox.Outbox


class Forgetful:
    """The negative control: an inbox that notes nothing."""

    async def unseen(self, event_ids: Any) -> set[Any]:
        return set(event_ids)


def dispatcher(database: db.Database, remembers: bool = True, hears: Mapping[Any, Any] | None = None) -> Any:
    """The door for events, with or without a real inbox."""

    def build(tx: AsyncConnection) -> Work:
        seen: inbox.Unseen = inbox.Inbox(tx, things.INBOX) if remembers else Forgetful()
        return Work(tx, seen, outbox.Outbox(tx, things.OUTBOX, "things", datetime.now(UTC), ids.new))

    unit = db.Unit(database, build)
    return inbox.dispatcher(unit, things.read, hears if hears is not None else {things.ThingHappenedV1: on_thing})


async def on_thing(work: Work, event: things.ThingHappenedV1) -> None:
    """One row for each time it is handled."""
    await work.tx.execute(things.EFFECTS.insert().values(thing=event.thing, version=event.version))


async def effects(database: db.Database) -> int:
    """How often an event had its effect."""
    async with database.read() as tx:
        return int((await tx.execute(sa.select(sa.func.count()).select_from(things.EFFECTS))).scalar_one())


@pytest.mark.parametrize(("remembers", "expected"), [(True, 20), (False, 60)], ids=["inbox", "negative-control"])
async def test_repeats_have_one_effect(database: db.Database, remembers: bool, expected: int) -> None:
    """Twenty events, each three times and some at once, have twenty effects; without the inbox they have sixty."""
    dispatch = dispatcher(database, remembers)
    sent = [things.said(f"thing{n}") for n in range(20)]
    for start in range(0, 60, 6):
        await asyncio.gather(*(dispatch([one]) for one in (sent * 3)[start : start + 6]))
    await asyncio.gather(*(dispatch([sent[0]]) for _ in range(0 if not remembers else 5)))
    assert await effects(database) == expected


async def test_a_failed_handler_is_no_handler(database: db.Database) -> None:
    """When the handler fails, its effects and the note in the inbox go together, and the next try does the work."""
    fails = True

    async def on_thing_once(work: Work, event: things.ThingHappenedV1) -> None:
        await on_thing(work, event)
        if fails:
            raise ZeroDivisionError

    dispatch = dispatcher(database, hears={things.ThingHappenedV1: on_thing_once})
    event = things.said("one")
    with pytest.raises(ZeroDivisionError):
        await dispatch([event])
    assert await effects(database) == 0
    fails = False
    await dispatch([event])
    assert await effects(database) == 1


@pytest.mark.parametrize(
    ("envelope", "code"),
    [
        (things.said("one", type_="nobody.knows.this.v1"), "event-unknown"),
        (things.said("one").model_copy(update={"data": {"thing": 1}}), "event-malformed"),
    ],
)
async def test_what_cannot_be_read_is_invalid(database: db.Database, envelope: Envelope, code: str) -> None:
    """An unknown type or data that do not fit are the event's fault: a problem with a code, without the data."""
    with pytest.raises(errors.Invalid) as caught:
        await dispatcher(database)([envelope])
    assert caught.value.code == code
    assert caught.value.__cause__ is None


async def test_what_nobody_here_hears_is_invalid(database: db.Database) -> None:
    """An event without a handler is not swallowed."""
    with pytest.raises(errors.Invalid, match="event-not-heard"):
        await dispatcher(database, hears={})([things.said("one")])


async def test_a_database_that_goes_away_is_unavailable(database: db.Database) -> None:
    """A connection cut under the handler is a reason to try again, not a bug of the event."""

    async def cut(work: Work, _: things.ThingHappenedV1) -> None:
        await work.tx.execute(sa.text("select pg_terminate_backend(pg_backend_pid())"))

    dispatch = dispatcher(database, hears={things.ThingHappenedV1: cut})
    with pytest.raises(errors.Unavailable, match="database-unavailable"):
        await dispatch([things.said("one")])
    assert await database.ready()


async def test_what_a_handler_says_carries_the_cause(database: db.Database) -> None:
    """An event said while handling another has the correlation id of the first."""

    async def answer(work: Work, event: things.ThingHappenedV1) -> None:
        await work.events.add(event)

    cause = things.said("one").model_copy(update={"correlation_id": "request-7"})
    await dispatcher(database, hears={things.ThingHappenedV1: answer})([cause])
    async with database.read() as tx:
        (kept,) = (await tx.execute(sa.select(things.OUTBOX.c.envelope))).scalars()
    assert kept["correlation_id"] == "request-7"
    assert logs.correlation_id.get() == ""
