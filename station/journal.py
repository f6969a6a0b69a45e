"""The journal: SQLite in WAL mode with synchronous=FULL, on one thread of its own.

`facts` is append-only; `outgoing` is the one durable queue of what the server must be told. What a row says is sealed:
an operator's reason may hold a name, and a lost laptop tells nobody who was where. Kinds, ids and lanes are not.
"""

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from kit import crypto, logs
from kit.errors import Conflict, Unavailable
from station.domain import facts
from station.domain.outgoing import Kind, Message
from station.ports import keeping

T = TypeVar("T")

_FACT: TypeAdapter[facts.Fact] = TypeAdapter(facts.Fact)

_SCHEMA = """
create table if not exists facts (
  seq integer primary key autoincrement, kind text not null, body blob not null, chain blob not null
);
create table if not exists outgoing (
  seq integer primary key autoincrement,
  kind text not null, key text not null, body blob not null, lane text not null,
  after_kind text, after_key text, after_all integer not null,
  revision integer not null default 1, received_at text, answer blob,
  unique (kind, key)
);
drop index if exists outgoing_waiting;
create index if not exists outgoing_lanes on outgoing (seq, lane, after_kind, after_key, after_all)
  where received_at is null;
create index if not exists outgoing_keys on outgoing (kind, key) where received_at is null;
pragma user_version = 4;
"""
_VERSION = 4
_ADD_MESSAGE = """
insert into outgoing (kind, key, body, lane, after_kind, after_key, after_all) values (?, ?, ?, ?, ?, ?, ?)
on conflict (kind, key) do update set body = excluded.body, revision = revision + 1, received_at = null, answer = null
"""
#: What the server has not received; `blocked` while another message must go first. A message that the server refuses,
#: and one that can only follow such a one, hold up no seal: the server is to say what it lacks.
_WAITING = """
with refused(seq) as (select value from json_each(:refused)),
stuck(seq) as (
  select seq from refused union
  select w.seq from outgoing w cross join outgoing r on r.kind = w.after_kind and r.key = w.after_key
  where w.received_at is null and r.received_at is null and +r.seq in (select seq from refused)
),
waiting(seq, lane, blocked) as (
  select seq, lane,
    exists (select 1 from outgoing b where b.kind = o.after_kind and b.key = o.after_key and b.received_at is null)
    or case when after_all then exists (
      select 1 from outgoing b where b.received_at is null and b.seq < o.seq and b.seq not in (select seq from stuck)
    ) else false end
  from outgoing o where received_at is null
)
"""
_COLUMNS = "o.seq, o.revision, o.kind, o.key, o.body, o.lane, o.after_kind, o.after_key, o.after_all"
_PENDING = f"""{_WAITING}
select {_COLUMNS}, w.blocked from waiting w cross join outgoing o on o.seq = w.seq order by w.seq limit :limit
"""  # noqa: S608 - of constants alone
#: The first of each lane that may go now.
_READY = f"""{_WAITING}
select {_COLUMNS}, false from (
  select min(seq) as seq from waiting
  where seq not in (select value from json_each(:resting)) and lane not in (select value from json_each(:held))
    and not blocked
  group by lane order by 1 limit :limit
) w cross join outgoing o on o.seq = w.seq order by w.seq
"""  # noqa: S608 - of constants alone


#: What SQLite says of a file that is no database any more.
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Damaged(Conflict):
    """What happened here cannot be read any more: no desk can go on from it. What is to be sent may be whole."""

    def __init__(self, rows: int) -> None:
        super().__init__("station-journal-damaged", rows=rows)


#: What the first fact is chained to.
_START = bytes(32)


class SqliteJournal:
    """The journal in one file, which one process at a time may hold."""

    def __init__(self, path: Path, sealer: crypto.Sealer) -> None:
        self._sealer = sealer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._path = path
        self._connection: sqlite3.Connection
        #: Where each message that does not open stands in the queue.
        self._unreadable: dict[tuple[str, str], int] = {}

    async def open(self) -> None:
        """Open the file, made when missing. Raises Conflict while another process holds it."""
        await self._do(self._open)

    async def close(self) -> None:
        """Close the file; what was appended is on the disk already."""
        await self._do(lambda: self._connection.close())  # noqa: PLW0108 - opened by then
        self._thread.shutdown()

    async def history(self) -> list[facts.Fact]:
        """All facts, in order. Raises Damaged when one of them does not open: the rest does not make a desk."""
        query = "select kind, body from facts order by seq"
        rows = await self._do(lambda: self._connection.execute(query).fetchall())
        read = [self._fact(kind, body) for kind, body in rows]
        happened = [fact for fact in read if fact is not None]
        if len(happened) < len(read):
            raise Damaged(len(read) - len(happened))
        return happened

    async def append(self, happened: Sequence[facts.Fact], messages: Sequence[Message]) -> None:
        """Write facts and messages in one transaction; on the disk when this returns."""
        await self._do(lambda: self._append(happened, messages))
        for message in messages:  # what is told anew opens
            self._unreadable.pop((message.kind, str(message.key)), None)

    async def pending(self, limit: int) -> list[keeping.Pending]:
        """The oldest messages that the server has not received."""
        return await self._waiting(_PENDING, refused="[]", limit=limit)

    async def ready(
        self, limit: int, refused: Collection[int], resting: Collection[int], held: Collection[str]
    ) -> list[keeping.Pending]:
        """The oldest messages that may go now: one of each lane, but of none that is `held`, and none of `resting`."""
        told = {
            "refused": [*refused, *self._unreadable.values()],
            "resting": [*resting, *self._unreadable.values()],
            "held": list(held),
        }
        return await self._waiting(_READY, limit=limit, **{name: json.dumps(value) for name, value in told.items()})

    async def received(
        self, pending: keeping.Pending, answer: dict[str, Any], at: datetime, happened: Sequence[facts.Fact]
    ) -> bool:
        """Note the server's receipt, with the facts that follow. False when a newer revision waits to be sent."""
        return await self._do(lambda: self._received(pending, answer, at, happened))

    async def answer(self, kind: Kind, key: UUID) -> dict[str, Any] | None:
        """What the server answered, or None while it has not."""
        query = "select answer from outgoing where kind = ? and key = ? and received_at is not null"
        row = await self._do(lambda: self._connection.execute(query, (kind, str(key))).fetchone())
        return json.loads(self._sealer.open(row[0], _of_answer(kind, str(key)))) if row else None

    async def backlog(self) -> int:
        """How many messages the server has not received."""
        query = "select count(*) from outgoing where received_at is null"
        count: int = (await self._do(lambda: self._connection.execute(query).fetchone()))[0]
        return count

    async def head(self) -> tuple[int, str, bool]:
        """How many facts there are, the head of their hash chain, and whether the chain holds."""
        return await self._do(self._head)

    @property
    def unreadable(self) -> int:
        """How many messages were met that do not open. They are told, and hold up nobody."""
        return len(self._unreadable)

    async def told(self, kind: Kind) -> set[UUID]:
        """Of what the server was told, or is to be, in messages of this kind."""
        query = "select key from outgoing where kind = ?"
        rows = await self._do(lambda: self._connection.execute(query, (kind,)).fetchall())
        return {UUID(key) for (key,) in rows}

    async def _waiting(self, query: str, **values: str | int) -> list[keeping.Pending]:
        rows = await self._do(lambda: self._connection.execute(query, values).fetchall())
        return [pending for row in rows if (pending := self._opened(row)) is not None]

    def _fact(self, kind: str, body: bytes) -> facts.Fact | None:
        try:
            return _FACT.validate_json(self._sealer.open(body, _of_fact(kind)))
        except (crypto.Tampered, ValidationError):
            return None

    def _opened(self, row: tuple[Any, ...]) -> keeping.Pending | None:
        try:
            return self._pending(row)
        except (crypto.Tampered, ValueError):
            seq, kind, key = row[0], row[2], row[3]
            if (kind, key) not in self._unreadable:
                logs.get().error("journal.message-damaged", kind=kind, key=key)
            self._unreadable[kind, key] = seq
            return None

    async def _do(self, act: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, act)
        except sqlite3.DatabaseError as error:
            raise _explained(error) from error

    def _open(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=2, check_same_thread=False)
        connection.execute("pragma locking_mode = exclusive")
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        if connection.execute("pragma user_version").fetchone() != (_VERSION,):
            # Only then: a journal is opened on a full disk too, and what is there already needs no room.
            connection.executescript(_SCHEMA)
        self._connection = connection

    def _append(self, happened: Sequence[facts.Fact], messages: Sequence[Message]) -> None:
        with _Transaction(self._connection):
            self._write_facts(happened)
            self._connection.executemany(_ADD_MESSAGE, [self._columns(message) for message in messages])

    def _write_facts(self, happened: Sequence[facts.Fact]) -> None:
        last = self._connection.execute("select chain from facts order by seq desc limit 1").fetchone()
        chain = last[0] if last else _START
        for fact in happened:
            body = self._sealer.seal(_FACT.dump_json(fact), _of_fact(fact.kind))
            chain = _link(chain, fact.kind, body)
            self._connection.execute("insert into facts (kind, body, chain) values (?, ?, ?)", (fact.kind, body, chain))

    def _head(self) -> tuple[int, str, bool]:
        count, chain, intact = 0, _START, True
        for kind, body, told in self._connection.execute("select kind, body, chain from facts order by seq"):
            count, chain = count + 1, _link(chain, kind, body)
            intact = intact and chain == told
        given = self._connection.execute("select seq from sqlite_sequence where name = 'facts'").fetchone()
        # A number is never given twice: fewer facts than numbers means that some were taken away.
        return count, chain.hex(), intact and count == (given[0] if given else 0)

    def _received(
        self, pending: keeping.Pending, answer: dict[str, Any], at: datetime, happened: Sequence[facts.Fact]
    ) -> bool:
        message = pending.message
        sealed = self._sealer.seal(json.dumps(answer).encode(), _of_answer(message.kind, str(message.key)))
        with _Transaction(self._connection):
            done = self._connection.execute(
                "update outgoing set received_at = ?, answer = ? where seq = ? and revision = ?",
                (at.isoformat(), sealed, pending.seq, pending.revision),
            )
            if done.rowcount:
                self._write_facts(happened)
            return bool(done.rowcount)

    def _columns(self, message: Message) -> tuple[Any, ...]:
        after_kind, after_key = message.after or (None, None)
        key = str(message.key)
        body = self._sealer.seal(json.dumps(message.body).encode(), _of_message(message.kind, key))
        after = (after_kind, str(after_key) if after_key else None)
        return message.kind, key, body, message.lane, *after, message.after_all

    def _pending(self, row: tuple[Any, ...]) -> keeping.Pending:
        seq, revision, kind, key, body, lane, after_kind, after_key, after_all, blocked = row
        after = (after_kind, UUID(after_key)) if after_kind else None
        told = json.loads(self._sealer.open(body, _of_message(kind, key)))
        return keeping.Pending(
            seq, revision, Message(kind, UUID(key), told, lane, after, bool(after_all)), bool(blocked)
        )


def _link(chain: bytes, kind: str, body: bytes) -> bytes:
    return hashlib.sha256(chain + kind.encode() + b"\0" + body).digest()


class _Transaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("begin immediate")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if kind is None:
                self._connection.execute("commit")
        finally:
            # Also a commit that failed, as on a full disk: what it left open would refuse every later write.
            if self._connection.in_transaction:
                self._connection.execute("rollback")


def _of_fact(kind: str) -> bytes:
    return f"journal fact {kind}".encode()


def _of_message(kind: str, key: str) -> bytes:
    return f"journal message {kind} {key}".encode()


def _of_answer(kind: str, key: str) -> bytes:
    return f"journal answer {kind} {key}".encode()


def _explained(error: sqlite3.DatabaseError) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without what is special to it, as in SQLITE_IOERR_WRITE
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Conflict("station-already-running")
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return Unavailable("station-disk-full")
    if code in _BROKEN:
        return Damaged(0)
    return error
