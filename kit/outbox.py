"""The outbox: events are rows in the transaction that made them true, and nothing is said that was not committed."""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from gradphoto_contracts.envelope import Envelope, Event
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from kit import db, logs


def table(metadata: sa.MetaData) -> sa.Table:
    """The table `outbox`. `seq` is the order of writing, `xid` the writing transaction: together they give commit order."""
    return sa.Table(
        "outbox",
        metadata,
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("id", sa.Uuid, nullable=False, unique=True),
        sa.Column("xid", db.Xid8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("envelope", postgresql.JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Index("ix_outbox_unsent", "seq", postgresql_where=sa.text("sent_at is null")),
        sa.Index("ix_outbox_sent", "sent_at", postgresql_where=sa.text("sent_at is not null")),
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
        rows = [self._row(event) for event in events]
        if not rows:
            return
        await self._tx.execute(self._table.insert(), rows)
        if not self._woken:
            await self._tx.execute(sa.select(sa.func.pg_notify(channel(self._table), "")))
            self._woken = True

    def _row(self, event: Event) -> dict[str, object]:
        sealed = Envelope.seal(
            event, id=self._new_id(), source=self._source, time=self._now, correlation_id=logs.correlation_id.get()
        )
        return {
            "id": sealed.id,
            "type": sealed.type,
            "subject": sealed.subject,
            "envelope": sealed.model_dump(mode="json"),
        }
