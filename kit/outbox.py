"""The outbox: events are rows in the transaction that made them true, and nothing is said that was not committed."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts.envelope import Envelope, Event
from kit import db, logs

#: From this many events at once they are copied: half the time of single inserts, and one more round trip.
COPY_FROM = 100
#: Of very many, so many are held in memory at a time.
AT_ONCE = 1000


def table(metadata: sa.MetaData) -> sa.Table:
    """The table `outbox`. `seq` is the order of writing, `xid` the writer: together they give the order of commits."""
    return sa.Table(
        "outbox",
        metadata,
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("id", sa.Uuid, nullable=False, unique=True),
        sa.Column("xid", db.Xid8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("envelope", postgresql.JSONB, nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Index("ix_outbox_unsent", "seq", postgresql_where=sa.text("sent_at is null")),
        sa.Index("ix_outbox_sent", "sent_at", postgresql_where=sa.text("sent_at is not null")),
        # Each row is written twice; by default the index of unsent rows would keep its dead until a fifth are dead.
        postgresql_with={"autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_threshold": "5000"},
    )


def channel(outbox: sa.Table) -> str:
    """The NOTIFY channel that wakes the relay of this outbox."""
    return f"{outbox.schema}_outbox"


class Outbox:
    """Where a handler puts its events. They leave after the caller's transaction commits, and only then."""

    def __init__(
        self, tx: AsyncConnection, outbox: sa.Table, source: str, now: datetime, new_id: Callable[[], UUID]
    ) -> None:
        self._tx = tx
        self._table = outbox
        self._source = source
        self._now = now
        self._new_id = new_id
        self._woken = False

    async def add(self, event: Event) -> None:
        """Say `event` when this transaction commits."""
        await self.add_all((event,))

    async def add_all(self, events: Iterable[Event]) -> None:
        """Say many events, in this order; thousands at once are fine."""
        waiting = iter(events)
        while some := [self._seal(event) for event in islice(waiting, AT_ONCE)]:
            await (self._copy(some) if len(some) >= COPY_FROM else self._insert(some))
            await self._wake()

    async def _wake(self) -> None:
        if not self._woken:
            await self._tx.execute(sa.select(sa.func.pg_notify(channel(self._table), "")))
            self._woken = True

    def _seal(self, event: Event) -> Envelope:
        event_id = self._new_id()
        cause = logs.correlation_id.get() or str(event_id)
        return Envelope.seal(event, id=event_id, source=self._source, time=self._now, correlation_id=cause)

    async def _insert(self, sealed: Sequence[Envelope]) -> None:
        rows = [
            {"id": one.id, "type": one.type, "subject": one.subject, "envelope": one.model_dump(mode="json")}
            for one in sealed
        ]
        await self._tx.execute(self._table.insert(), rows)

    async def _copy(self, sealed: Sequence[Envelope]) -> None:
        raw: Any = (await self._tx.get_raw_connection()).driver_connection
        await raw.copy_records_to_table(
            self._table.name,
            schema_name=self._table.schema,
            columns=["id", "type", "subject", "envelope"],
            records=((one.id, one.type, one.subject, one.model_dump_json()) for one in sealed),
        )
