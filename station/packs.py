"""The desk pack on this disk: sealed, refreshed whenever the network allows, used without it."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Protocol

from gradphoto_contracts import ids
from kit import crypto, logs
from kit.errors import Problem, Unavailable
from station import settings
from station.domain.pack import Entry, Pack
from station.ports import Clock

_AAD = b"desk pack"
_REFRESH_S = 15.0
#: Asked for by a code that nobody knows, a refresh still waits so long after the last one.
_HURRY_S = 1.0


class Source(Protocol):
    """Who gives out packs."""

    async def desk_pack(self, etag: str | None) -> tuple[bytes, str] | None: ...


class SealedPacks:
    """The pack in force, with its lookup tables."""

    def __init__(self, path: Path, sealer: crypto.Sealer, source: Source, clock: Clock) -> None:
        self._path, self._sealer, self._source, self._clock = path, sealer, source, clock
        self._pack: Pack | None = None
        self._etag: str | None = None
        self._as_of: datetime | None = None
        self._by_digest: dict[str, Entry] = {}
        self._by_student: dict[ids.StudentId, Entry] = {}
        self._wanted = asyncio.Event()

    def load(self) -> None:
        """Take the pack of before the restart, if there is one."""
        if self._path.exists():
            kept = json.loads(self._sealer.open(self._path.read_bytes(), _AAD))
            self._take(kept["pack"].encode(), kept["etag"], datetime.fromisoformat(kept["as_of"]))

    def current(self) -> Pack:
        """The pack in force. Raises Unavailable while none has ever come."""
        if self._pack is None:
            raise Unavailable("desk-pack-missing")
        return self._pack

    @property
    def as_of(self) -> datetime | None:
        """When the server last said that this pack is the newest."""
        return self._as_of

    def find(self, scan: str) -> Entry | None:
        """Whose code this is."""
        pack = self.current()
        key = bytes.fromhex(pack.campaign_code_key)
        return self._by_digest.get(crypto.digest_with(key, pack.identity_mode, scan))

    def entry(self, student_id: ids.StudentId) -> Entry | None:
        """What the pack says of a student."""
        return self._by_student.get(student_id)

    @property
    def size(self) -> int:
        """How many students the pack knows."""
        return len(self._by_student)

    @property
    def codes(self) -> int:
        """How many of them can be known by their code."""
        return len(self._by_digest)

    def hurry(self) -> None:
        """Ask for a newer pack soon."""
        self._wanted.set()

    async def refresh(self) -> None:
        """Fetch the pack when the server has a newer one."""
        fresh = await self._source.desk_pack(self._etag)
        now = self._clock.now()
        if fresh is None:
            self._as_of = now
            return
        content, etag = fresh
        await asyncio.to_thread(self._save, content, etag, now)
        self._take(content, etag, now)

    async def run(self) -> None:
        """Keep the pack fresh for as long as the station runs; without network the last one stays in use."""
        while True:
            self._wanted.clear()
            try:
                await self.refresh()
            except Problem as problem:
                logs.get().info("pack.not-refreshed", code=problem.code)
            await asyncio.sleep(_HURRY_S)
            try:
                async with asyncio.timeout(_REFRESH_S - _HURRY_S if self._pack else _HURRY_S):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    def _save(self, content: bytes, etag: str, now: datetime) -> None:
        kept = {"pack": content.decode(), "etag": etag, "as_of": now.isoformat()}
        settings.write_whole(self._path, self._sealer.seal(json.dumps(kept).encode(), _AAD))

    def _take(self, content: bytes, etag: str, as_of: datetime) -> None:
        pack = Pack.model_validate_json(content)
        self._by_digest = {entry.digest: entry for entry in pack.entries if entry.digest}
        self._by_student = {entry.student_id: entry for entry in pack.entries}
        self._pack, self._etag, self._as_of = pack, etag, as_of
