"""The desk pack on this disk: signed by the server, sealed here, refreshed when the network allows, used without it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import Field, TypeAdapter, ValidationError

from gradphoto_contracts import ids
from kit import auth, crypto, logs
from kit.errors import Problem, Refused, Unavailable
from station import settings
from station.domain.pack import (
    SIGNED_AS,
    Changes,
    Entry,
    Pack,
    Signed,
    changed,
    demand_minimal,
    demand_newer,
    demand_ours,
)
from station.ports import around

_AAD = b"desk pack"
_REFRESH_S = 15.0
#: Asked for by a code that nobody knows, a refresh still waits so long after the last one.
_HURRY_S = 1.0
#: A pack that the clock calls forgotten is removed when it has called it so for this long: by then it is no slip.
_KEPT_ASIDE = timedelta(days=30)
#: The server's word that this station serves no desk any more.
_REVOKED = "station-revoked"
_TOLD: TypeAdapter[Pack | Changes] = TypeAdapter(Annotated[Pack | Changes, Field(discriminator="kind")])


class Source(Protocol):
    """Who gives out packs."""

    async def desk_pack(self, etag: str | None) -> Signed | None:
        """The pack, or what has changed since `etag`; None when that is nothing."""
        ...


@dataclass(frozen=True)
class Ours:
    """Whose packs are taken: by whose key signed, and made for which campaign and desk."""

    pack_key: str
    campaign_id: ids.CampaignId
    desk_id: ids.DeskId


def _nothing(_code: str) -> None:
    pass


class SealedPacks:
    """The pack in force, with its lookup tables. A pack that is not ours is refused, and the one in force stays."""

    def __init__(
        self,
        path: Path,
        sealer: crypto.Sealer,
        source: Source,
        clock: around.Clock,
        ours: Ours,
        refused: Callable[[str], None] = _nothing,
    ) -> None:
        self._aside = path.with_suffix(".aside")
        self._path, self._sealer, self._source, self._clock, self._ours = path, sealer, source, clock, ours
        self._refused = refused
        self._pack: Pack | None = None
        self._as_of: datetime | None = None
        self._trouble: Problem | None = None
        self._by_digest: dict[str, Entry] = {}
        self._by_student: dict[ids.StudentId, Entry] = {}
        self._wanted = asyncio.Event()

    def load(self) -> None:
        """Take the pack of before the restart, if there is one that is ours and not forgotten."""
        try:
            kept = json.loads(self._sealer.open(self._path.read_bytes(), _AAD))
            pack = Pack.model_validate(kept["pack"])
            demand_ours(pack, self._ours.campaign_id, self._ours.desk_id)
        except FileNotFoundError:
            return
        except (Problem, ValidationError, KeyError, ValueError) as fault:
            # Another desk's, or a torn disk: the server has it still.
            logs.get().warning("pack.unreadable", fault=type(fault).__name__)
            return
        if pack.is_forgotten(self._clock.now()):
            try:
                self._set_aside(pack)
            except (Unavailable, OSError) as fault:
                # A full disk is no reason to have no desk: the next start sets it aside.
                logs.get().warning("pack.not-set-aside", fault=type(fault).__name__)
            return
        self._aside.unlink(missing_ok=True)
        self._take(pack, datetime.fromisoformat(kept["as_of"]))

    def current(self) -> Pack:
        """The pack in force. Raises Unavailable while none has ever come."""
        if self._pack is None:
            raise Unavailable("desk-pack-missing")
        return self._pack

    @property
    def as_of(self) -> datetime | None:
        """When the server last said that this pack is the newest."""
        return self._as_of

    @property
    def trouble(self) -> Problem | None:
        """Why the pack that came last was refused; None when it was taken."""
        return self._trouble

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
        """Fetch what has changed; all of it when changes do not fit what is held. Raises Refused for a wrong pack."""
        if not await self._refresh(self._pack.etag if self._pack else None):
            await self._refresh(None)

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

    def _set_aside(self, pack: Pack) -> None:
        """Not used, and not yet removed: no server has confirmed this clock; one that is ahead would cost the day."""
        now = self._clock.now()
        try:
            since = datetime.fromisoformat(self._aside.read_text("ascii"))
        except (FileNotFoundError, ValueError):
            since = now
            settings.write_whole(self._aside, now.isoformat().encode())
        if now - since > _KEPT_ASIDE:
            self._remove()
        logs.get().warning("pack.forgotten", expired_at=pack.expires_at.isoformat(), since=since.isoformat())

    def _remove(self) -> None:
        self._path.unlink(missing_ok=True)
        self._aside.unlink(missing_ok=True)
        self._pack, self._as_of = None, None
        self._by_digest, self._by_student = {}, {}

    async def _ask(self, etag: str | None) -> Signed | None:
        try:
            return await self._source.desk_pack(etag)
        except Problem as problem:
            if problem.code == _REVOKED:
                self._remove()
                logs.get().warning("pack.removed", code=problem.code)
            raise

    async def _refresh(self, etag: str | None) -> bool:
        signed = await self._ask(etag or None)
        now = self._clock.now()
        if signed is None:
            self._as_of, self._trouble = now, None
            return True
        try:
            pack = self._read(signed)
        except Refused as problem:
            self._trouble = problem
            self._refused(problem.code)
            raise
        if pack is None:
            return False
        await asyncio.to_thread(self._save, pack, now)
        self._take(pack, now)
        self._trouble = None
        return True

    def _read(self, signed: Signed) -> Pack | None:
        """The pack that follows from what was sent; None for changes to a pack that we do not hold."""
        if not auth.stamped(self._ours.pack_key, SIGNED_AS, signed.content, signed.signature):
            raise Refused("desk-pack-not-genuine")
        try:
            told = _TOLD.validate_json(signed.content)
        except ValidationError:
            raise Refused("desk-pack-unreadable") from None
        demand_ours(told, self._ours.campaign_id, self._ours.desk_id)
        demand_minimal(told)
        demand_newer(told, self._pack)
        if isinstance(told, Pack):
            return told
        return changed(self._pack, told) if self._pack else None

    def _save(self, pack: Pack, now: datetime) -> None:
        # What was understood, and not the bytes that came: a field too many does not get onto this disk.
        kept = f'{{"as_of": {json.dumps(now.isoformat())}, "pack": {pack.model_dump_json()}}}'
        settings.write_whole(self._path, self._sealer.seal(kept.encode(), _AAD))
        self._aside.unlink(missing_ok=True)

    def _take(self, pack: Pack, as_of: datetime) -> None:
        self._by_digest = {entry.digest: entry for entry in pack.entries if entry.digest}
        self._by_student = {entry.student_id: entry for entry in pack.entries}
        self._pack, self._as_of = pack, as_of
