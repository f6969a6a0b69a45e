"""The hall's logs on this disk: an entry that we say we know, or that we granted, is never lost."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from gradphoto_contracts import ids
from kit import crypto
from kit.errors import Unavailable
from station.domain.hall import Entry, Fact, Hall, Heads, Stamp

T = TypeVar("T")
_FACT: TypeAdapter[Fact] = TypeAdapter(Fact)
_SCHEMA = """
create table if not exists entries (author text not null, seq integer not null, body blob not null,
  primary key (author, seq)) without rowid;
create table if not exists trimmed (author text primary key, seq integer not null) without rowid;
create table if not exists reserved (one integer primary key check (one = 1), ordinal integer not null);
insert into reserved values (1, 0) on conflict do nothing;
pragma user_version = 1;
"""
_VERSION = 1


class Log:
    """SQLite on a thread of its own, WAL, synchronous=FULL."""

    def __init__(self, path: Path, sealer: crypto.Sealer) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hall-log")
        self._path, self._sealer = path, sealer
        self._connection: sqlite3.Connection
        self._is_open = False

    async def open(self) -> tuple[Hall, int]:
        """What is known of the hall, and the greatest number that was ever asked for."""
        await self._do(self._open)
        rows, trimmed, ((ordinal,),) = await self._do(self._read)
        heads = {ids.StationId(UUID(author)): seq for author, seq in trimmed}
        return Hall([self._entry(*row) for row in rows], heads), ordinal

    async def close(self) -> None:
        """Close the file, if it was opened."""
        if self._is_open:
            await self._do(self._connection.close)
        self._thread.shutdown()

    async def add(self, entries: Sequence[Entry]) -> None:
        """On the disk when this returns. Again changes nothing."""
        rows = [(str(entry.author), entry.seq, self._sealed(entry)) for entry in entries]
        await self._do(lambda: self._write("insert into entries values (?, ?, ?) on conflict do nothing", rows))

    async def trim(self, stamps: Sequence[Stamp], heads: Heads) -> None:
        """Forget these entries, but not how far the logs were known. Off the disk's books when this returns."""
        gone = [(str(author), seq) for author, seq in stamps]
        known = [(str(author), heads[author]) for author in {author for author, _ in stamps}]
        kept = "insert into trimmed values (?, ?) on conflict do update set seq = max(seq, excluded.seq)"
        await self._do(
            lambda: self._write_all([("delete from entries where (author, seq) = (?, ?)", gone), (kept, known)])
        )

    async def size(self) -> int:
        """How many entries lie on the disk."""
        return await self._do(lambda: int(self._connection.execute("select count(*) from entries").fetchone()[0]))

    async def reserve(self, ordinal: int) -> None:
        """On the disk when this returns."""
        await self._do(lambda: self._write("update reserved set ordinal = max(ordinal, ?)", [(ordinal,)]))

    async def _do(self, act: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, act)
        except sqlite3.OperationalError as error:
            raise Unavailable("station-disk-full") from error

    def _sealed(self, entry: Entry) -> bytes:
        return self._sealer.seal(_FACT.dump_json(entry.fact), _aad(str(entry.author), entry.seq))

    def _entry(self, author: str, seq: int, body: bytes) -> Entry:
        fact = _FACT.validate_json(self._sealer.open(body, _aad(author, seq)))
        return Entry(ids.StationId(UUID(author)), seq, fact)

    def _open(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=2, check_same_thread=False)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        if connection.execute("pragma user_version").fetchone() != (_VERSION,):
            connection.executescript(_SCHEMA)  # only then: what is there already is opened on a full disk too
        self._connection, self._is_open = connection, True

    def _read(self) -> tuple[list[tuple[str, int, bytes]], list[tuple[str, int]], list[tuple[int]]]:
        entries = self._connection.execute("select author, seq, body from entries order by author, seq").fetchall()
        trimmed = self._connection.execute("select author, seq from trimmed").fetchall()
        return entries, trimmed, self._connection.execute("select ordinal from reserved").fetchall()

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        self._write_all([(statement, rows)])

    def _write_all(self, statements: Sequence[tuple[str, Sequence[tuple[object, ...]]]]) -> None:
        self._connection.execute("begin immediate")
        try:
            for statement, rows in statements:
                self._connection.executemany(statement, rows)
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")


def _aad(author: str, seq: int) -> bytes:
    return f"hall log {author} {seq}".encode()
