"""What billing keeps of other services' facts. A copy is overwritten only by a newer one."""

from collections.abc import Iterable, Sequence
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
        # Roster mostly has told of a student before the photo. Of several none is locked before all are there.
        if len(known) == 1 and (found := await self._locked(known)):
            return found
        insert = postgresql.insert(STUDENTS).on_conflict_do_nothing()
        await self._tx.execute(insert, [_student_values(student) for student in known])
        return await self._locked(known)

    async def _locked(self, known: Sequence[copies.Student]) -> list[copies.Student]:
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


#: One statement, so that nothing passes between looking and writing once the locks are held.
_SHARE_AND_HOLD = sa.text("""
    select pg_advisory_xact_lock_shared(hashtextextended(:campaign, 0)),
        pg_advisory_xact_lock(hashtextextended(:capture, 0))
""")
_KEEP_PHOTO = sa.text("""
    with before as (select * from billing.photos where capture_id = :capture_id), saved as (
        insert into billing.photos as p (capture_id, version, campaign_id, student_id, class_id, in_force)
        values (:capture_id, :version, :campaign_id, :student_id, :class_id, :in_force)
        on conflict (capture_id) do update
            set version = excluded.version, campaign_id = excluded.campaign_id, student_id = excluded.student_id,
                class_id = excluded.class_id, in_force = excluded.in_force
            where excluded.version > p.version
        returning 1
    )
    select exists (select from saved) as newer, before.* from (select) one left join before on true
""")


class Photos(mapping.Table):
    async def keep(self, photo: copies.Photo) -> tuple[bool, copies.Photo | None]:
        keys = {"campaign": f"billing:campaign:{photo.campaign_id}", "capture": f"billing:capture:{photo.capture_id}"}
        await self._tx.execute(_SHARE_AND_HOLD, keys)
        row = await self._one(_KEEP_PHOTO, **vars(photo))
        before = {column.name: getattr(row, column.name) for column in PHOTOS.c}
        return row.newer, copies.Photo(**before) if row.capture_id else None
