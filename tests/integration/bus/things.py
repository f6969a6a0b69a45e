"""An event of no service, and short ways to say it and to wait."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from aio_pika.abc import AbstractIncomingMessage

from gradphoto_contracts.envelope import Envelope, Event
from kit import broker, bus, db, ids, inbox, outbox

TYPE = "things.thing.happened.v1"
#: The tests' own schema is that of the role whose database `fresh_database` makes.
SCHEMA = "roster"
METADATA = db.metadata_for(SCHEMA)
OUTBOX = outbox.table(METADATA)
INBOX = inbox.table(METADATA)
EFFECTS = sa.Table("effects", METADATA, sa.Column("thing", sa.Text), sa.Column("version", sa.Integer))


class ThingHappenedV1(Event):
    """Something happened to a thing."""

    TYPE: ClassVar[str] = TYPE
    KEY: ClassVar[str] = "thing"

    thing: str


def read(type_: str, data: dict[str, Any]) -> Event:
    """As the catalogue reads: unknown types are a LookupError, bad data a ValueError."""
    if type_ != TYPE:
        raise LookupError(type_)
    return ThingHappenedV1.model_validate(data, extra="ignore")


def said(thing: str, version: int = 1, type_: str = TYPE) -> Envelope:
    """An envelope about `thing`."""
    event = ThingHappenedV1(thing=thing, version=version)
    sealed = Envelope.seal(event, id=ids.new(), source="things", time=datetime.now(UTC), correlation_id="test")
    return sealed.model_copy(update={"type": type_})


def consumer(url: str, service: str, hear: Callable[[Envelope], Awaitable[None]], **more: Any) -> bus.Consumer:
    """A consumer whose handler takes one envelope; `hear` has no transaction, so nothing is handled together."""

    async def each(envelopes: Sequence[Envelope]) -> None:
        for envelope in envelopes:
            await hear(envelope)

    return bus.Consumer(url, service, each, **{"together": 1, **more})


def versions(envelopes: list[Envelope], thing: str) -> list[int]:
    """The versions of `thing`, in the order of arrival."""
    return [int(one.data["version"]) for one in envelopes if one.subject == thing]


def name() -> str:
    """A service name that nobody else uses, so that tests share a broker."""
    return f"t{uuid.uuid4().hex[:12]}"


async def until(holds: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait for a condition; fail when it does not come."""
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110 - the condition is any expression
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Run `works` beside the block. They end with it; one that failed fails the test."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        yield tasks
        for task in tasks:
            task.cancel()


@contextlib.asynccontextmanager
async def arrivals(
    amqp_url: str, queue: str, prefetch: int = 500
) -> AsyncIterator["asyncio.Queue[AbstractIncomingMessage]"]:
    """What a plain consumer of `queue` is given; whatever it does not acknowledge goes back at the end."""
    arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    async with broker.connection(amqp_url, "test") as connection:
        channel = await connection.channel(publisher_confirms=False)
        await channel.set_qos(prefetch)
        await (await channel.get_queue(queue)).consume(arrived.put)
        yield arrived
