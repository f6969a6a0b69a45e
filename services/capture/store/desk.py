"""Stations, check-ins, seals and drifts."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from kit import words
from services.capture import ports, store
from services.capture.domain import checkins, seals, sessions, stations


async def lock_id(tx: AsyncConnection, subject: str, key: UUID) -> None:
    """Let one transaction at a time work on an id, whether it has a row or not."""
    await tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"{subject}:{key}", 0))))


async def upsert(tx: AsyncConnection, table: sa.Table, row: dict[str, Any]) -> None:
    """Write a row that was read under a lock."""
    (key,) = table.primary_key.columns
    insert = postgresql.insert(table).values(row)
    kept = {name: insert.excluded[name] for name in row if name != key.name}
    await tx.execute(insert.on_conflict_do_update(index_elements=[key], set_=kept))


class Stations:
    """Stations over a transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx
        self._columns = [column for column in store.STATIONS.c if column.name not in ("health", "heard_at")]

    async def get(self, station_id: ids.StationId, *, lock: bool = False) -> stations.Station | None:
        return await self._one(store.STATIONS.c.station_id == station_id, lock=lock)

    async def by_code(self, code_index: bytes) -> stations.Station | None:
        return await self._one(store.STATIONS.c.code_index == code_index, lock=True)

    async def add(self, station: stations.Station) -> None:
        await self._tx.execute(sa.insert(store.STATIONS).values(asdict(station)))

    async def save(self, station: stations.Station) -> None:
        table = store.STATIONS
        await self._tx.execute(sa.update(table).where(table.c.station_id == station.station_id).values(asdict(station)))

    async def note_health(self, station_id: ids.StationId, health: stations.Health) -> None:
        table = store.STATIONS
        heard = sa.update(table).where(table.c.station_id == station_id)
        await self._tx.execute(heard.values(health=asdict(health), heard_at=sa.func.clock_timestamp()))

    async def silent_for(self, real_seconds: float) -> Sequence[stations.Station]:
        table = store.STATIONS
        silence = sa.func.make_interval(0, 0, 0, 0, 0, 0, real_seconds)
        query = sa.select(*self._columns).where(table.c.online, table.c.heard_at < sa.func.clock_timestamp() - silence)
        rows = await self._tx.execute(query.with_for_update(skip_locked=True))
        return [stations.Station(**row) for row in rows.mappings()]

    async def _one(self, condition: sa.ColumnElement[bool], *, lock: bool) -> stations.Station | None:
        query = sa.select(*self._columns).where(condition)
        row = (await self._tx.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
        return stations.Station(**row) if row else None


class Checkins:
    """Check-ins over a transaction."""

    def __init__(self, tx: AsyncConnection, kept: words.Words) -> None:
        self._tx, self._words = tx, kept

    async def add(self, checkin: checkins.Checkin) -> bool:
        insert = postgresql.insert(store.CHECKINS).values(asdict(checkin)).on_conflict_do_nothing()
        return (await self._tx.execute(insert)).rowcount == 1

    async def get(self, checkin_id: ids.CheckinId, *, lock: bool = False) -> checkins.Checkin | None:
        query = sa.select(store.CHECKINS).where(store.CHECKINS.c.checkin_id == checkin_id)
        row = (await self._tx.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
        return checkins.Checkin(**row) if row else None

    async def lock(self, checkin_id: ids.CheckinId) -> None:
        await lock_id(self._tx, "checkin", checkin_id)

    async def waiting_for(self, student_id: ids.StudentId) -> Sequence[checkins.Checkin]:
        table = store.CHECKINS
        query = sa.select(table).where(table.c.student_id == student_id, table.c.class_id.is_(None))
        rows = await self._tx.execute(query.with_for_update())
        return [checkins.Checkin(**row) for row in rows.mappings()]

    async def save(self, checkin: checkins.Checkin) -> None:
        await upsert(self._tx, store.CHECKINS, asdict(checkin))

    async def note_let_in(self, note: ports.LetInNote) -> ports.LetInNote:
        table, row = store.LET_IN, asdict(note)
        row["reason_sealed"] = self._words.seal(row.pop("reason") or "", store.LET_IN_REASON, note.checkin_id)
        await self._tx.execute(postgresql.insert(table).values(row).on_conflict_do_nothing())
        names = [field.name for field in fields(ports.LetInNote) if field.name != "reason"]
        query = sa.select(*(table.c[name] for name in names)).where(table.c.checkin_id == note.checkin_id)
        return ports.LetInNote(**(await self._tx.execute(query)).mappings().one(), reason=None)


class Sessions:
    """Seals and drifts over a transaction."""

    def __init__(self, tx: AsyncConnection, kept: words.Words) -> None:
        self._tx, self._words = tx, kept

    async def seal(self, session_id: ids.SessionId) -> seals.Seal | None:
        row = await self._locked(store.SESSIONS, session_id)
        if row is None:
            return None
        told = seals.read(row["document"], row["campaign_id"], row["desk_id"], row["signature"])
        kept = {
            field.name: row[field.name] for field in fields(seals.Seal) if field.name not in ("told", "differences")
        }
        return seals.Seal(told=told, differences=tuple(_difference(one) for one in row["differences"]), **kept)

    async def save_seal(self, seal: seals.Seal) -> None:
        told = seal.told
        facts = {field.name: getattr(seal, field.name) for field in fields(seals.Seal) if field.name != "told"}
        row = {
            **facts,
            "session_id": told.session_id,
            "campaign_id": told.campaign_id,
            "desk_id": told.desk_id,
            "station_id": told.station_id,
            "document": dict(told.document),
            "signature": told.signature,
            "camera_frames": told.camera_frames,
            "journalled_frames": len(told.journalled),
            "differences": [
                {**asdict(one), "capture_id": str(one.capture_id) if one.capture_id else None}
                for one in seal.differences
            ],
        }
        await upsert(self._tx, store.SESSIONS, row)

    async def note_settled(self, session_id: ids.SessionId, reason: str) -> None:
        sealed = self._words.seal(reason, store.SETTLED_REASON, session_id)
        table = store.SESSIONS
        update = sa.update(table).where(table.c.session_id == session_id)
        await self._tx.execute(update.values(settled_reason_sealed=sealed))

    async def settled_reason(self, session_id: ids.SessionId) -> str | None:
        table = store.SESSIONS
        query = sa.select(table.c.settled_reason_sealed).where(table.c.session_id == session_id)
        sealed = (await self._tx.execute(query)).scalar_one_or_none()
        return None if sealed is None else self._words.open(sealed, store.SETTLED_REASON, session_id)

    async def frames(self, told: seals.Told) -> Sequence[seals.Stored]:
        table = store.CAPTURES
        named = sa.cast([frame.capture_id for frame in told.journalled], postgresql.ARRAY(sa.Uuid))
        counted = [
            sa.and_(
                table.c.station_id == told.station_id,
                table.c.camera_serial == camera.serial,
                table.c.frame_counter.between(camera.before + 1, camera.after),
            )
            for camera in told.cameras
        ]
        columns = [table.c[field.name] for field in fields(seals.Stored)]
        rows = await self._tx.execute(sa.select(*columns).where(sa.or_(table.c.capture_id == sa.any_(named), *counted)))
        return [seals.Stored(**row) for row in rows.mappings()]

    async def drift(self, drift_id: ids.DriftId) -> sessions.Drift | None:
        row = await self._locked(store.DRIFTS, drift_id)
        return sessions.Drift(**row) if row else None

    async def save_drift(self, drift: sessions.Drift) -> None:
        await upsert(self._tx, store.DRIFTS, asdict(drift))

    async def _locked(self, table: sa.Table, key: UUID) -> dict[str, Any] | None:
        await lock_id(self._tx, table.name, key)
        (column,) = table.primary_key.columns
        row = (await self._tx.execute(sa.select(table).where(column == key))).mappings().one_or_none()
        return dict(row) if row else None


def _difference(row: dict[str, Any]) -> seals.Difference:
    return seals.Difference(**{**row, "capture_id": UUID(row["capture_id"]) if row["capture_id"] else None})
