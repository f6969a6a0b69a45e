"""What billing keeps of other services' facts. A copy is overwritten only by a newer one."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from gradphoto_contracts import ids
from services.billing.domain import copies
from services.billing.store import CAMPAIGNS, CLASSES, PHOTOS, STUDENTS, mapping


class Campaigns(mapping.Table):
    async def share(self, campaign_id: ids.CampaignId) -> None:
        await self._lock("campaign", campaign_id, shared=True)

    async def hold(self, campaign_id: ids.CampaignId) -> None:
        await self._lock("campaign", campaign_id)

    async def get(self, campaign_id: ids.CampaignId) -> copies.Campaign | None:
        known = sa.and_(CAMPAIGNS.c.campaign_id == campaign_id, CAMPAIGNS.c.mode.is_not(None))
        row = await self._one(sa.select(CAMPAIGNS).where(known))
        return copies.Campaign(**row._mapping) if row else None

    async def save(self, campaign: copies.Campaign) -> bool:
        values = {column.name: getattr(campaign, column.name) for column in CAMPAIGNS.c if column.name != "closed"}
        return bool((await self._tx.execute(mapping.save_newer(CAMPAIGNS, "campaign_id", values))).rowcount)

    async def close(self, campaign_id: ids.CampaignId) -> None:
        blank = {"campaign_id": campaign_id, "version": 0, "code": "", "school_code": "", "amount_fen": 0}
        insert = postgresql.insert(CAMPAIGNS).values(**blank, closed=True)
        await self._tx.execute(insert.on_conflict_do_update(index_elements=["campaign_id"], set_={"closed": True}))

    async def all(self) -> list[copies.Campaign]:
        query = sa.select(CAMPAIGNS).where(CAMPAIGNS.c.mode.is_not(None)).order_by(CAMPAIGNS.c.campaign_id)
        return [copies.Campaign(**row._mapping) for row in await self._all(query)]


class Classes(mapping.Table):
    async def get(self, class_id: ids.ClassId) -> copies.Class | None:
        row = await self._one(sa.select(CLASSES).where(CLASSES.c.class_id == class_id))
        return copies.Class(**row._mapping) if row else None

    async def college_exists(self, campaign_id: ids.CampaignId, college_zh: str) -> bool:
        found = sa.select(CLASSES.c.class_id).where(
            CLASSES.c.campaign_id == campaign_id, CLASSES.c.college_zh == college_zh
        )
        return await self._one(found.limit(1)) is not None

    async def save(self, known: copies.Class) -> bool:
        values = {column.name: getattr(known, column.name) for column in CLASSES.c}
        return bool((await self._tx.execute(mapping.save_newer(CLASSES, "class_id", values))).rowcount)


def _student_values(student: copies.Student) -> dict[str, Any]:
    return {column.name: getattr(student, column.name) for column in STUDENTS.c}


class Students(mapping.Table):
    async def lock(self, students: Iterable[copies.Student]) -> list[copies.Student]:
        known = sorted(students, key=lambda student: student.student_id)
        insert = postgresql.insert(STUDENTS).on_conflict_do_nothing()
        await self._tx.execute(insert, [_student_values(student) for student in known])
        wanted = STUDENTS.c.student_id.in_([student.student_id for student in known])
        locked = sa.select(STUDENTS).where(wanted).order_by(STUDENTS.c.student_id).with_for_update()
        return [copies.Student(**row._mapping) for row in await self._all(locked)]

    async def save(self, student: copies.Student) -> bool:
        return bool(
            (await self._tx.execute(mapping.save_newer(STUDENTS, "student_id", _student_values(student)))).rowcount
        )

    async def with_money(self, campaign_id: ids.CampaignId, class_id: ids.ClassId | None) -> list[copies.Student]:
        ours = [STUDENTS.c.campaign_id == campaign_id]
        if class_id is not None:
            ours.append(STUDENTS.c.class_id == class_id)
        photographed = sa.exists().where(PHOTOS.c.student_id == STUDENTS.c.student_id)
        query = sa.select(STUDENTS).where(*ours, photographed).order_by(STUDENTS.c.student_id)
        return [copies.Student(**row._mapping) for row in await self._all(query)]


class Photos(mapping.Table):
    async def get(self, capture_id: ids.CaptureId) -> copies.Photo | None:
        await self._lock("capture", capture_id)
        row = await self._one(sa.select(PHOTOS).where(PHOTOS.c.capture_id == capture_id))
        return copies.Photo(**row._mapping) if row else None

    async def in_force(self, student_id: ids.StudentId) -> copies.Photo | None:
        query = sa.select(PHOTOS).where(PHOTOS.c.student_id == student_id, PHOTOS.c.in_force)
        row = await self._one(query.order_by(PHOTOS.c.capture_id).limit(1))
        return copies.Photo(**row._mapping) if row else None

    async def save(self, photo: copies.Photo) -> bool:
        values = {column.name: getattr(photo, column.name) for column in PHOTOS.c}
        return bool((await self._tx.execute(mapping.save_newer(PHOTOS, "capture_id", values))).rowcount)
