"""Who looked at what."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from services.capture import ports, store

CAPTURES, VIEWS = store.CAPTURES, store.VIEWS


class Views:
    """Looks over a transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def note(self, view: ports.View) -> None:
        await self._tx.execute(sa.insert(VIEWS).values(asdict(view)))

    async def of_capture(self, capture_id: ids.CaptureId, after: int, limit: int) -> list[dict[str, Any]]:
        return await self._page(capture_id, CAPTURES.c.capture_id == capture_id, after, limit)

    async def of_student(self, student_id: ids.StudentId, after: int, limit: int) -> list[dict[str, Any]]:
        theirs = sa.or_(CAPTURES.c.student_id == student_id, CAPTURES.c.shot_student_id == student_id)
        return await self._page(student_id, theirs, after, limit)

    async def _page(self, key: UUID, captures: sa.ColumnElement[bool], after: int, limit: int) -> list[dict[str, Any]]:
        """Looks at the thing itself, at these captures, and at the keys of the stations that took them."""
        subjects = sa.union(
            sa.select(sa.literal(key, sa.Uuid).label("subject_id")),
            sa.select(CAPTURES.c.capture_id).where(captures),
            sa.select(CAPTURES.c.station_id).where(captures),
        )
        query = sa.select(VIEWS).where(VIEWS.c.subject_id.in_(subjects), VIEWS.c.seq > after)
        rows = await self._tx.execute(query.order_by(VIEWS.c.seq).limit(limit))
        return [dict(row) for row in rows.mappings()]
