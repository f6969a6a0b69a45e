"""The outbox relay's events per second, beside raw aio-pika publishing of the same messages in the same windows."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import aio_pika
import sqlalchemy as sa

from cli.bench.figures import Figure, Stopwatch
from cli.stack.stack import Stack
from gradphoto_contracts import capture, ids
from gradphoto_contracts.envelope import Envelope
from kit import broker, bus, db, outbox, process
from kit import ids as kit_ids

EVENTS = 10_000
_TURNS = 3
_SERVICE = "bench"


async def measure(stack: Stack, _folder: Path) -> list[Figure]:
    """Rows are committed before the watch starts; it stops when the last one is marked as sent."""
    urls = stack.urls()
    database = db.Database(urls["DATABASE_URL"], _SERVICE)
    metadata = db.metadata_for(_SERVICE)
    table = outbox.table(metadata)
    async with database.transaction() as tx:
        await tx.execute(sa.schema.CreateSchema(_SERVICE, if_not_exists=True))
        await tx.run_sync(metadata.create_all)
    ours, floor = Stopwatch(), Stopwatch()
    for _ in range(_TURNS):
        sealed = await _fill(database, table)
        with floor.turn():
            await _publish_raw(urls["AMQP_URL"], sealed)
        with ours.turn():
            await _relay(database, table, urls["AMQP_URL"])
    await database.close()
    rate = [EVENTS / watch.median_s for watch in (ours, floor)]
    return [
        Figure(
            "outbox relay", "发件箱转发", "events/s", rate[0], rate[1], "aio-pika 直接发布，同样窗口 raw publish", 0.8
        )
    ]


async def _fill(database: db.Database, table: sa.Table) -> list[Envelope]:
    events = [_event() for _ in range(EVENTS)]
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        await tx.execute(sa.delete(table))
        await outbox.Outbox(tx, table, _SERVICE, now, kit_ids.new).add_all(events)
    return [Envelope.seal(e, id=kit_ids.new(), source=_SERVICE, time=now, correlation_id="bench") for e in events]


def _event() -> capture.StationSeenV1:
    """An event that no service hears: their inboxes are not what is measured."""
    return capture.StationSeenV1(
        version=1,
        station_id=ids.StationId(kit_ids.new()),
        campaign_id=ids.CampaignId(kit_ids.new()),
        desk_id=ids.DeskId(kit_ids.new()),
        seen_at=datetime.now(UTC),
    )


async def _publish_raw(url: str, sealed: Sequence[Envelope]) -> None:
    connection = await aio_pika.connect(url)
    channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
    exchange = await channel.get_exchange(broker.EXCHANGE, ensure=False)
    for start in range(0, len(sealed), outbox.WINDOW):
        window = sealed[start : start + outbox.WINDOW]
        await asyncio.gather(*(exchange.publish(bus.message(one), one.type, mandatory=True) for one in window))
    await connection.close()


async def _relay(database: db.Database, table: sa.Table, url: str) -> None:
    publisher = bus.Publisher(url)
    relay = outbox.Relay(database, table, publisher, _SERVICE)
    unsent = sa.select(sa.func.count()).select_from(table).where(table.c.sent_at.is_(None))
    async with process.running(relay.run):
        left = EVENTS
        while left:
            await asyncio.sleep(0.02)
            async with database.read() as tx:
                left = (await tx.execute(unsent)).scalar_one()
    await publisher.close()
