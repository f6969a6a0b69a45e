"""Cases, how they left their deadlines, and which deadlines were announced."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from gradphoto_contracts import ids
from services.verify import ports
from services.verify.domain import clocks, copies, journey
from services.verify.store import ANNOUNCEMENTS, CASES, CLASSES, OUTCOMES
from services.verify.store.copies import Table

_PLAIN = tuple(field.name for field in fields(journey.Case) if field.name != "student")


def _values(case: journey.Case) -> dict[str, Any]:
    told = {
        "student_version": case.student.version,
        "eligible": case.student.eligible,
        "off_roster": case.student.withdrawn,
    }
    return {name: getattr(case, name) for name in _PLAIN} | told


def _case(row: Any) -> journey.Case:
    student = copies.Student(row.student_version, row.eligible, row.off_roster)
    return journey.Case(**{name: getattr(row, name) for name in _PLAIN}, student=student)


def _visible(within: ports.Within) -> list[sa.ColumnElement[bool]]:
    rules: list[sa.ColumnElement[bool]] = []
    if within.colleges_zh is not None:
        theirs = sa.select(CLASSES.c.class_id).where(CLASSES.c.college_zh.in_(within.colleges_zh))
        rules.append(CASES.c.class_id.in_(theirs))
    if within.class_ids is not None:
        rules.append(CASES.c.class_id.in_(within.class_ids))
    if within.student_ids is not None:
        rules.append(CASES.c.student_id.in_(within.student_ids))
    return rules


_CHANGED: dict[str, Any] = {
    column.name: sa.bindparam(f"new_{column.name}") for column in CASES.c if not column.primary_key
}
_UPDATE = CASES.update().where(CASES.c.student_id == sa.bindparam("new_student_id")).values(_CHANGED)


class Cases(Table):
    async def lock(self, student_id: ids.StudentId, campaign_id: ids.CampaignId, class_id: ids.ClassId) -> journey.Case:
        query = sa.select(CASES).where(CASES.c.student_id == student_id).with_for_update()
        row = await self._one(query)
        if row is None:
            fresh = _values(journey.Case(student_id, campaign_id, class_id))
            await self._tx.execute(postgresql.insert(CASES).values(fresh).on_conflict_do_nothing())
            row = await self._one(query)
        return _case(row)

    async def get(self, student_id: ids.StudentId, within: ports.Within | None = None) -> journey.Case | None:
        rules = _visible(within) if within else []
        row = await self._one(sa.select(CASES).where(CASES.c.student_id == student_id, *rules))
        return _case(row) if row else None

    async def of_captures(self, capture_ids: Collection[ids.CaptureId]) -> dict[ids.CaptureId, journey.Case]:
        wanted = sa.func.unnest(sa.cast(list(capture_ids), postgresql.ARRAY(sa.Uuid)))
        query = sa.select(CASES).where(CASES.c.capture_id.in_(sa.select(wanted)))
        found = [_case(row) for row in await self._all(query.order_by(CASES.c.student_id).with_for_update())]
        return {case.capture_id: case for case in found if case.capture_id}

    async def of_campaign(self, campaign_id: ids.CampaignId) -> list[journey.Case]:
        query = sa.select(CASES).where(CASES.c.campaign_id == campaign_id)
        return [_case(row) for row in await self._all(query.order_by(CASES.c.student_id).with_for_update())]

    async def due(self, now: datetime, limit: int) -> list[journey.Case]:
        query = sa.select(CASES).where(CASES.c.due_at <= now).order_by(CASES.c.due_at, CASES.c.student_id)
        return [_case(row) for row in await self._all(query.limit(limit).with_for_update(skip_locked=True))]

    async def without_photo_since(self, moment: datetime, limit: int) -> list[journey.Case]:
        query = sa.select(CASES).where(CASES.c.lost_at <= moment, CASES.c.state == "enrolled")
        ordered = query.order_by(CASES.c.lost_at, CASES.c.student_id).limit(limit)
        return [_case(row) for row in await self._all(ordered.with_for_update(skip_locked=True))]

    async def save(self, cases: Sequence[journey.Case]) -> None:
        if cases:
            changed = [{f"new_{name}": value for name, value in _values(case).items()} for case in cases]
            await self._tx.execute(_UPDATE, changed)

    async def page(
        self,
        campaign_id: ids.CampaignId,
        state: str | None,
        within: ports.Within,
        after: ids.StudentId | None,
        limit: int,
    ) -> list[journey.Case]:
        query = sa.select(CASES).where(CASES.c.campaign_id == campaign_id, *_visible(within))
        if state is not None:
            query = query.where(CASES.c.state == state)
        if after is not None:
            query = query.where(CASES.c.student_id > after)
        return [_case(row) for row in await self._all(query.order_by(CASES.c.student_id).limit(limit))]

    async def counts(self, campaign_id: ids.CampaignId, within: ports.Within) -> dict[str, int]:
        query = sa.select(CASES.c.state, sa.func.count().label("students")).where(CASES.c.campaign_id == campaign_id)
        query = query.where(*_visible(within)).group_by(CASES.c.state).order_by(CASES.c.state)
        return {row.state: row.students for row in await self._all(query)}

    async def waiting(self, campaign_id: ids.CampaignId) -> list[ports.Waiting]:
        groups = (CASES.c.deadline, CASES.c.due_at, CASES.c.escalated)
        query = sa.select(*groups, sa.func.count().label("students"))
        query = query.where(CASES.c.campaign_id == campaign_id, CASES.c.deadline.is_not(None)).group_by(*groups)
        rows = await self._all(query.order_by(CASES.c.due_at.nulls_last(), CASES.c.deadline, CASES.c.escalated))
        return [
            ports.Waiting(row.deadline, row.due_at, clocks.owner_of(row.deadline, row.escalated), row.students)
            for row in rows
        ]


class Outcomes(Table):
    async def add(self, outcomes: Sequence[journey.Outcome], now: datetime) -> None:
        rows = [
            {name: getattr(outcome, name) for name in ("student_id", "campaign_id", "deadline", "due_at", "outcome")}
            | {"decided_at": now}
            for outcome in outcomes
        ]
        if rows:
            await self._tx.execute(OUTCOMES.insert(), rows)

    async def counts(self, campaign_id: ids.CampaignId) -> dict[tuple[journey.Deadline, datetime], Mapping[str, int]]:
        groups = (OUTCOMES.c.deadline, OUTCOMES.c.due_at, OUTCOMES.c.outcome)
        query = sa.select(*groups, sa.func.count().label("students")).where(OUTCOMES.c.campaign_id == campaign_id)
        found: dict[tuple[journey.Deadline, datetime], dict[str, int]] = {}
        for row in await self._all(query.group_by(*groups).order_by(*groups)):
            found.setdefault((row.deadline, row.due_at), {})[row.outcome] = row.students
        return dict(found)


class Announcements(Table):
    async def add(self, campaign_id: ids.CampaignId, deadline: journey.Deadline, due_at: datetime) -> bool:
        insert = postgresql.insert(ANNOUNCEMENTS).values(campaign_id=campaign_id, deadline=deadline, due_at=due_at)
        return bool((await self._tx.execute(insert.on_conflict_do_nothing())).rowcount)

    async def count(self, campaign_id: ids.CampaignId) -> int:
        query = sa.select(sa.func.count()).where(ANNOUNCEMENTS.c.campaign_id == campaign_id)
        return int((await self._tx.execute(query)).scalar_one())
