"""What is read for lists: classes, students, the record of looks."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from kit import words
from services.roster.domain import roster
from services.roster.ports import Reveal, Scope, StudentRecord
from services.roster.store import CLASSES, CODES, PHOTOS, REVEALS, STUDENTS, VAULT

_CAPTURED = sa.exists().where(PHOTOS.c.student_id == STUDENTS.c.student_id, PHOTOS.c.in_force)
_REGISTERED = sa.exists().where(CODES.c.student_id == STUDENTS.c.student_id)


def _column(name: str) -> sa.ColumnElement[Any]:
    if name == "captured":
        return _CAPTURED.label(name)
    if name == "code_registered":
        return _REGISTERED.label(name)
    return next(table.c[name] for table in (STUDENTS, CLASSES, VAULT) if name in table.c)


#: Every student, as `ports.StudentRecord`.
RECORDS = (
    sa.select(*(_column(name) for name in StudentRecord._fields))
    .join_from(STUDENTS, CLASSES, CLASSES.c.class_id == STUDENTS.c.class_id)
    .join(VAULT, VAULT.c.student_id == STUDENTS.c.student_id)
)


_REASON = "reveals.reason"


class Listings:
    """See `ports.Listings`."""

    def __init__(self, tx: AsyncConnection, kept: words.Words) -> None:
        self._tx, self._words = tx, kept

    async def classes(self, campaign_id: ids.CampaignId, scope: Scope) -> Sequence[roster.ClassState]:
        names = [name for name in roster.ClassState._fields if name != "new"]
        query = sa.select(*(CLASSES.c[name] for name in names), sa.false().label("new"))
        where = [CLASSES.c.campaign_id == campaign_id, *_within(scope)]
        found = await self._tx.execute(query.where(*where).order_by(CLASSES.c.college_zh, CLASSES.c.label))
        return [roster.ClassState(**row) for row in found.mappings()]

    async def students(
        self,
        campaign_id: ids.CampaignId,
        scope: Scope,
        class_id: ids.ClassId | None,
        after: ids.StudentId | None,
        limit: int,
    ) -> Sequence[StudentRecord]:
        where = [STUDENTS.c.campaign_id == campaign_id, *_within(scope)]
        where += [STUDENTS.c.class_id == class_id] if class_id else []
        where += [STUDENTS.c.student_id > after] if after else []
        found = await self._tx.execute(RECORDS.where(*where).order_by(STUDENTS.c.student_id).limit(limit))
        return [StudentRecord(*row) for row in found]

    async def reveals(self, after: UUID | None, campaigns: Sequence[UUID] | None, limit: int) -> Sequence[Reveal]:
        query = sa.select(REVEALS).order_by(REVEALS.c.reveal_id).limit(limit)
        where = [REVEALS.c.reveal_id > after] if after else []
        where += [] if campaigns is None else [REVEALS.c.campaign_id.in_(campaigns)]
        return [self._reveal(dict(row)) for row in (await self._tx.execute(query.where(*where))).mappings()]

    def _reveal(self, row: dict[str, Any]) -> Reveal:
        reason = self._words.open(row.pop("reason_sealed"), _REASON, row["reveal_id"])
        return Reveal(**row, reason=reason)


class Reveals:
    """See `ports.Reveals`."""

    def __init__(self, tx: AsyncConnection, kept: words.Words) -> None:
        self._tx, self._words = tx, kept

    async def add(self, reveal: Reveal) -> None:
        row = {**reveal._asdict(), "fields": list(reveal.fields)}
        row["reason_sealed"] = self._words.seal(row.pop("reason"), _REASON, reveal.reveal_id)
        await self._tx.execute(REVEALS.insert().values(row))


def _within(scope: Scope) -> list[sa.ColumnElement[bool]]:
    return [
        column.in_(values)
        for column, values in (
            (CLASSES.c.campus_id, scope.campuses),
            (CLASSES.c.college_zh, scope.colleges),
            (CLASSES.c.class_id, scope.classes),
        )
        if values is not None
    ]
