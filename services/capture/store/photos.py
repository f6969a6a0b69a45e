"""Photos and their history; claims for inspection."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from kit import words
from services.capture import ports, store
from services.capture.domain import floor, photos

TABLE = store.CAPTURES
#: What may change after a photo has come in.
CHANGING = [field.name for field in fields(photos.Photo) if field.name not in ("shot", "received_at")]
IN_FORCE = "uq_captures_in_force"


def photo_of(row: sa.RowMapping) -> photos.Photo:
    """The photo that a row of `captures` holds."""
    shot = {field.name: row[field.name] for field in fields(photos.Shot)}
    state = {name: row[name] for name in (*CHANGING, "received_at")}
    state["rules"] = tuple(state["rules"])
    shot["desk_rules"] = tuple(shot["desk_rules"])
    return photos.Photo(shot=photos.Shot(**{**shot, "student_id": row["shot_student_id"]}), **state)


def _row(photo: photos.Photo) -> dict[str, Any]:
    shot = asdict(photo.shot)
    shot["shot_student_id"] = shot.pop("student_id")
    shot["desk_rules"] = list(photo.shot.desk_rules)
    return {**shot, **_changes(photo), "received_at": photo.received_at}


def _changes(photo: photos.Photo) -> dict[str, Any]:
    return {name: getattr(photo, name) for name in CHANGING} | {"rules": list(photo.rules)}


def _span(seconds: float) -> sa.ColumnElement[timedelta]:
    return sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)


class Photos:
    """Photos over a transaction."""

    def __init__(self, tx: AsyncConnection, kept: words.Words) -> None:
        self._tx, self._words = tx, kept

    async def get(self, capture_id: ids.CaptureId, *, lock: bool = False) -> photos.Photo | None:
        query = sa.select(TABLE).where(TABLE.c.capture_id == capture_id)
        row = (await self._tx.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
        return photo_of(row) if row else None

    async def add(self, photo: photos.Photo) -> bool:
        insert = postgresql.insert(TABLE).values(_row(photo)).on_conflict_do_nothing(index_elements=["capture_id"])
        return (await self._tx.execute(insert)).rowcount == 1

    async def waiting_for(self, student_id: ids.StudentId) -> Sequence[photos.Photo]:
        waiting = sa.select(TABLE).where(
            TABLE.c.student_id == student_id, TABLE.c.state == "received", TABLE.c.class_id.is_(None)
        )
        rows = await self._tx.execute(waiting.with_for_update())
        return [photo_of(row) for row in rows.mappings()]

    async def awaited(self, limit: int) -> Sequence[floor.Student]:
        checkins, students = store.CHECKINS, store.STUDENTS
        waiting = sa.union(
            sa.select(checkins.c.student_id, checkins.c.campaign_id).where(checkins.c.class_id.is_(None)),
            sa.select(TABLE.c.student_id, TABLE.c.campaign_id).where(
                TABLE.c.state == "received", TABLE.c.class_id.is_(None)
            ),
        ).subquery()
        same = sa.and_(waiting.c.student_id == students.c.student_id, waiting.c.campaign_id == students.c.campaign_id)
        rows = await self._tx.execute(sa.select(students).join(waiting, same).limit(limit))
        return [floor.Student(**row) for row in rows.mappings()]

    async def in_force_by(self, checkin_id: ids.CheckinId) -> Sequence[photos.Photo]:
        query = sa.select(TABLE).where(TABLE.c.checkin_id == checkin_id, TABLE.c.state == "accepted")
        return [photo_of(row) for row in (await self._tx.execute(query.with_for_update())).mappings()]

    async def save(self, photo: photos.Photo) -> None:
        table = sa.update(TABLE).where(TABLE.c.capture_id == photo.shot.capture_id)
        await self._tx.execute(table.values(_changes(photo)))

    async def put_in_force(self, photo: photos.Photo) -> bool:
        return await self._unless_taken([photo])

    async def move(self, moved: Sequence[photos.Photo]) -> bool:
        # Neighbours may change places: all are lifted out of the index first, then set down.
        lifted = sa.update(TABLE).where(TABLE.c.capture_id.in_([photo.shot.capture_id for photo in moved]))
        return await self._unless_taken(moved, lifted.values(student_id=None))

    async def _unless_taken(self, changed: Sequence[photos.Photo], first: sa.Update | None = None) -> bool:
        try:
            async with self._tx.begin_nested():
                if first is not None:
                    await self._tx.execute(first)
                for photo in changed:
                    await self.save(photo)
        except sa.exc.IntegrityError as error:
            if IN_FORCE not in str(error.orig):
                raise
            return False
        return True

    async def note(self, entry: ports.Note) -> None:
        row = asdict(entry)
        row["reason_sealed"] = self._words.seal(row.pop("reason"), store.HISTORY_REASON, entry.capture_id)
        await self._tx.execute(sa.insert(store.HISTORY).values(row))

    async def note_derivative(self, derivative: ports.Derivative) -> None:
        insert = postgresql.insert(store.DERIVATIVES).values(asdict(derivative))
        await self._tx.execute(insert.on_conflict_do_nothing())

    async def claim(self, lease_s: float) -> ports.Claim | None:
        clock = sa.func.clock_timestamp()
        free = (
            sa.select(TABLE.c.capture_id)
            .where(
                TABLE.c.state == "received",
                TABLE.c.class_id.is_not(None),
                sa.or_(TABLE.c.claimed_until.is_(None), TABLE.c.claimed_until < clock),
            )
            # An image that killed its reader goes behind the others; whoever was beside it is not blamed with it.
            .order_by(TABLE.c.attempts, TABLE.c.received_at)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        lease = _span(lease_s)
        claim = sa.update(TABLE).where(TABLE.c.capture_id == free)
        claim = claim.values(attempts=TABLE.c.attempts + 1, claimed_until=clock + lease)
        row = (await self._tx.execute(claim.returning(TABLE))).mappings().one_or_none()
        return ports.Claim(photo=photo_of(row), attempt=row["attempts"]) if row else None

    async def release(self, claim: ports.Claim, wait_s: float, *, counted: bool) -> None:
        until = sa.func.clock_timestamp() + _span(wait_s)
        free = sa.update(TABLE).where(*self._still(claim))
        attempts = TABLE.c.attempts if counted else TABLE.c.attempts - 1
        await self._tx.execute(free.values(claimed_until=until, attempts=attempts))

    async def set_aside(self, claim: ports.Claim, least_s: float, most_s: float) -> None:
        clock = sa.func.clock_timestamp()
        lost_at = sa.func.coalesce(TABLE.c.lost_at, clock)
        wait = sa.func.greatest(clock - lost_at, _span(least_s))
        aside = sa.update(TABLE).where(*self._still(claim))
        until = clock + sa.func.least(wait, _span(most_s))
        await self._tx.execute(aside.values(lost_at=lost_at, claimed_until=until, attempts=TABLE.c.attempts - 1))

    async def lost(self) -> dict[ids.CampaignId, int]:
        query = sa.select(TABLE.c.campaign_id, sa.func.count().label("photos"))
        query = query.where(TABLE.c.state == "received", TABLE.c.lost_at.is_not(None))
        return {row.campaign_id: row.photos for row in await self._tx.execute(query.group_by(TABLE.c.campaign_id))}

    async def inspect_again(self, photo: photos.Photo) -> None:
        anew = sa.update(TABLE).where(TABLE.c.capture_id == photo.shot.capture_id)
        await self._tx.execute(anew.values({**_changes(photo), "attempts": 0, "claimed_until": None, "lost_at": None}))

    async def claimed(self, claim: ports.Claim) -> photos.Photo | None:
        query = sa.select(TABLE).where(*self._still(claim)).with_for_update()
        row = (await self._tx.execute(query)).mappings().one_or_none()
        return photo_of(row) if row else None

    def _still(self, claim: ports.Claim) -> tuple[sa.ColumnElement[bool], ...]:
        return (
            TABLE.c.capture_id == claim.photo.shot.capture_id,
            TABLE.c.state == "received",
            TABLE.c.attempts == claim.attempt,
        )
