"""Students taken at two desks."""

from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from services.capture import store
from services.capture.domain import checkins, doubles, photos
from services.capture.store import desk
from services.capture.store.photos import photo_of

TABLE, CHECKINS, CAPTURES = store.DOUBLES, store.CHECKINS, store.CAPTURES


class Doubles:
    """Doubles over a transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def lock(self, student_id: ids.StudentId) -> None:
        await desk.lock_id(self._tx, "student", student_id)

    async def live(self, student_id: ids.StudentId) -> list[checkins.Checkin]:
        of_checkin = CAPTURES.c.checkin_id == CHECKINS.c.checkin_id
        kept = CAPTURES.c.decision.in_(["keep", "override"])
        counts = sa.or_(CAPTURES.c.state.in_(["received", "accepted"]), CAPTURES.c.cause == "duplicate")
        came_to_nothing = sa.and_(sa.exists().where(of_checkin, kept), ~sa.exists().where(of_checkin, kept, counts))
        query = sa.select(CHECKINS).where(
            CHECKINS.c.student_id == student_id, CHECKINS.c.released_at.is_(None), sa.not_(came_to_nothing)
        )
        rows = await self._tx.execute(query.order_by(CHECKINS.c.checked_in_at, CHECKINS.c.checkin_id))
        return [checkins.Checkin(**row) for row in rows.mappings()]

    async def in_force(self, student_id: ids.StudentId) -> photos.Photo | None:
        query = sa.select(CAPTURES).where(CAPTURES.c.student_id == student_id, CAPTURES.c.state == "accepted")
        row = (await self._tx.execute(query.with_for_update())).mappings().one_or_none()
        return photo_of(row) if row else None

    async def get(self, student_id: ids.StudentId) -> doubles.Double | None:
        row = (await self._tx.execute(sa.select(TABLE).where(TABLE.c.student_id == student_id))).mappings()
        found = row.one_or_none()
        return doubles.Double(**{**found, "checkin_ids": tuple(found["checkin_ids"])}) if found else None

    async def save(self, double: doubles.Double) -> None:
        await desk.upsert(self._tx, TABLE, {**asdict(double), "checkin_ids": list(double.checkin_ids)})
