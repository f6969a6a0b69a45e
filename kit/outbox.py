"""The outbox: events are rows in the transaction that made them true, and nothing is said that was not committed."""

import asyncio
import collections
import contextlib
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Protocol, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts.envelope import Envelope, Event
from kit import db, errors, logs, metrics

R = TypeVar("R")
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

OLDEST = metrics.gauge("gradphoto_outbox_oldest_seconds", "Age of the oldest event that is not confirmed", ["service"])
UNSENT = metrics.gauge("gradphoto_outbox_unsent", "Events that are not confirmed", ["service"])
LEADER = metrics.gauge("gradphoto_relay_leader", "1 where this process relays the service's outbox", ["service"])
PUBLISHED = metrics.counter(
    "gradphoto_relay_published_total", "Events handed to the broker, by what it answered", ["service", "outcome"]
)
STORED_TO_EVENT = metrics.histogram(
    "gradphoto_stored_to_event_seconds", "From the write of an event to the broker's confirmation of it", ["service"]
)

#: Events under way at once.
WINDOW = 200
#: NOTIFY may be lost with its connection, so the relay looks by itself too.
POLL_S = 1.0
#: Rows wait for an older transaction, mostly for milliseconds.
HELD_BACK_S = 0.02
RETRY_S = 1.0
TEND_S = 5.0
KEEP_SENT = timedelta(days=7)
PRUNE_ROWS = 1000

_log = logs.get("outbox")

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


#: A connection that the server ends while asyncpg is about to speak may end in any of these.
_LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Publisher(Protocol):
    """What the relay needs of the bus."""

    async def publish_window(self, envelopes: Sequence[Envelope]) -> list[bool | Exception]:
        """Each True when confirmed. Never raises."""


class Relay:
    """Carries committed events to the bus, in commit order. Of all relays of one outbox one leads, the others wait.

    Lock, reading and marking share one connection: who loses the lock can neither read nor mark.
    """

    def __init__(self, database: db.Database, outbox: sa.Table, publisher: Publisher, service: str) -> None:
        self._url = database.url
        self._publisher = publisher
        self._service = service
        self._channel = channel(outbox)
        self._sql = _Statements(f'"{outbox.schema}"."{outbox.name}"')
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Relay until cancelled. A database or broker that is away is waited for."""
        leading = LEADER.labels(service=self._service)
        leading.set(0)
        while True:
            try:
                await self._campaign()
            except _LOST as error:
                _log.warning("relay.database-lost", service=self._service, cause=type(error).__name__)
            finally:
                leading.set(0)
            await asyncio.sleep(RETRY_S)

    async def _campaign(self) -> None:
        """Wait for the lead, then relay until the connection breaks."""
        listener = await db.Listener.open(self._url, self._channel, self._wake.set)
        try:
            while not await listener.connection.fetchval(_LOCK, f"relay:{self._channel}"):  # noqa: ASYNC110 - a lock elsewhere
                await asyncio.sleep(RETRY_S)
            _log.info("relay.leads", service=self._service)
            LEADER.labels(service=self._service).set(1)
            # A mark lost in a power cut costs a repeat, which hearers ignore; waiting for the disk costs each window.
            await listener.connection.execute("set synchronous_commit to off")
            await self._lead(listener.connection)
        finally:
            await listener.close()

    async def _lead(self, connection: Connection) -> None:
        rows: list[asyncpg.Record] = []
        sent: list[int] = []
        tended_at = -math.inf
        while True:
            now = asyncio.get_running_loop().time()
            if now - tended_at >= TEND_S:
                await self._tend(connection)
                tended_at = now
            if rows:
                rows, sent = await self._relay(connection, rows, sent)
            else:
                await self._mark(connection, sent)
                rows, sent = await self._next(connection), []

    async def _next(self, connection: Connection) -> list[asyncpg.Record]:
        """The next window; when there is none, after a wait that NOTIFY or the poll ends."""
        self._wake.clear()
        if rows := await self._read(connection, []):
            return rows
        held_back = await connection.fetchval(self._sql.any_unsent)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HELD_BACK_S if held_back else POLL_S):
                await self._wake.wait()
        return []

    async def _relay(
        self, connection: Connection, rows: list[asyncpg.Record], sent_before: list[int]
    ) -> tuple[list[asyncpg.Record], list[int]]:
        """Publish a window; meanwhile mark what was confirmed of the last one and read the next.

        The next window, none after a failure, and what was confirmed of this one.
        """
        publishing = asyncio.create_task(self._publish(rows))
        try:
            await self._mark(connection, sent_before)
            upcoming = await self._read(connection, [row["seq"] for row in rows])
            sent, failure = await publishing
        finally:
            publishing.cancel()
        if failure is None:
            return upcoming, sent
        _log.warning("relay.not-confirmed", service=self._service, rows=len(rows) - len(sent), cause=str(failure))
        await self._mark(connection, sent)
        await asyncio.sleep(RETRY_S)
        return [], []

    async def _publish(self, rows: list[asyncpg.Record]) -> tuple[list[int], Exception | None]:
        """What was confirmed, and the first failure. After one, nothing more of its subject is sent."""
        sent: list[int] = []
        failure: Exception | None = None
        for wave in waves(rows, key=lambda row: str(row["subject"])):
            results = await self._publisher.publish_window(
                [Envelope.model_validate_json(row["envelope"]) for row in wave]
            )
            self._count(results)
            sent += [row["seq"] for row, result in zip(wave, results, strict=True) if result is True]
            failure = next((result for result in results if isinstance(result, Exception)), None)
            if failure is not None:
                break
        return sent, failure

    async def _read(self, connection: Connection, under_way: list[int]) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await connection.fetch(self._sql.read, under_way, WINDOW)
        return rows

    async def _mark(self, connection: Connection, sent: list[int]) -> None:
        if not sent:
            return
        lag = STORED_TO_EVENT.labels(service=self._service)
        for row in await connection.fetch(self._sql.mark, sent):
            lag.observe(row["seconds"])

    async def _tend(self, connection: Connection) -> None:
        """Measure what waits, and take away a few of the rows that were sent long ago."""
        unsent, oldest_s = await connection.fetchrow(self._sql.measure)
        UNSENT.labels(service=self._service).set(unsent)
        OLDEST.labels(service=self._service).set(oldest_s)
        await connection.execute(self._sql.prune, KEEP_SENT, PRUNE_ROWS)

    def _count(self, results: Sequence[bool | Exception]) -> None:
        tally = collections.Counter("confirmed" if one is True else _code(one) for one in results)
        for outcome, number in tally.items():
            PUBLISHED.labels(service=self._service, outcome=outcome).inc(number)


def _code(failure: bool | Exception) -> str:
    return failure.code if isinstance(failure, errors.Problem) else type(failure).__name__


def waves(rows: Iterable[R], key: Callable[[R], str]) -> list[list[R]]:
    """`rows` in groups, each with one of a key at most, in the order given.

    With one event of a subject under way at a time, no later one can pass one that failed, and what is sent again is
    a repeat, never a step back. Nearly all windows are a single wave.
    """
    found: list[list[R]] = []
    seen: collections.Counter[str] = collections.Counter()
    for row in rows:
        turn = seen[key(row)]
        seen[key(row)] += 1
        if turn == len(found):
            found.append([])
        found[turn].append(row)
    return found


class _Statements:
    """The relay's SQL. `xid < xmin`: nothing that is visible now can later be preceded by what is not visible yet."""

    def __init__(self, table: str) -> None:
        self.read = _READ.replace("{outbox}", table)
        self.any_unsent = _ANY_UNSENT.replace("{outbox}", table)
        self.mark = _MARK.replace("{outbox}", table)
        self.measure = _MEASURE.replace("{outbox}", table)
        self.prune = _PRUNE.replace("{outbox}", table)


_LOCK = "select pg_try_advisory_lock(hashtextextended($1, 0))"
_READ = """
select seq, subject, envelope::text from {outbox}
where sent_at is null and xid < pg_snapshot_xmin(pg_current_snapshot()) and seq <> all($1)
order by seq limit $2
"""
_ANY_UNSENT = "select exists (select from {outbox} where sent_at is null)"
_MARK = """
update {outbox} set sent_at = clock_timestamp() where seq = any($1)
returning extract(epoch from sent_at - created_at)::float as seconds
"""
_MEASURE = """
select count(*), coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float
from {outbox} where sent_at is null
"""
#: The oldest stand first: only they are looked at, and no index of what was sent is written with each event.
_PRUNE = """
delete from {outbox} where seq in (
    select seq from (select seq, sent_at from {outbox} order by seq limit $2) as oldest
    where sent_at < clock_timestamp() - $1::interval
)
"""
