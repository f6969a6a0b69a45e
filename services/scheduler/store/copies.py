"""Copies of what roster, capture and billing said. An older state never overwrites a newer one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from services.scheduler.domain import plans
from services.scheduler.ports import Campaign, Turnout
from services.scheduler.store import CAMPAIGNS, CHECKINS, CLASSES, PAYMENTS, PHOTOS, STUDENTS


async def _put(tx: AsyncConnection, table: sa.Table, **row: Any) -> None:
    """Write a row, unless what is there is as new."""
    insert = postgresql.insert(table).values(row)
    keys = list(table.primary_key.columns)
    rest = {name: insert.excluded[name] for name in row if name not in table.primary_key.columns}
    newer = insert.excluded.version > table.c.version
    await tx.execute(insert.on_conflict_do_update(index_elements=keys, set_=rest, where=newer))


class Campaigns:
    """See `ports.Campaigns`."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def put(self, campaign: Campaign) -> None:
        campuses = [[str(campus.campus_id), campus.code, campus.name_zh] for campus in campaign.campuses]
        await _put(self._tx, CAMPAIGNS, **{**campaign._asdict(), "campuses": campuses})

    async def close(self, campaign_id: ids.CampaignId, version: int) -> bool:
        here = CAMPAIGNS.c.campaign_id == campaign_id
        newest = sa.func.greatest(CAMPAIGNS.c.version, version)
        return (await self._tx.execute(CAMPAIGNS.update().where(here).values(closed=True, version=newest))).rowcount > 0

    async def get(self, campaign_id: ids.CampaignId) -> Campaign | None:
        return await self._one(sa.select(CAMPAIGNS).where(CAMPAIGNS.c.campaign_id == campaign_id))

    async def locked(self, campaign_id: ids.CampaignId) -> Campaign | None:
        return await self._one(sa.select(CAMPAIGNS).where(CAMPAIGNS.c.campaign_id == campaign_id).with_for_update())

    async def _one(self, query: sa.Select[Any]) -> Campaign | None:
        row = (await self._tx.execute(query)).mappings().one_or_none()
        if row is None:
            return None
        campuses = [plans.Campus(ids.CampusId(UUID(one)), code, name) for one, code, name in row["campuses"]]
        return Campaign(**{**row, "campuses": campuses})


class People:
    """See `ports.People`."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def put_class(self, campaign_id: ids.CampaignId, one: plans.SchoolClass, version: int) -> None:
        await _put(self._tx, CLASSES, campaign_id=campaign_id, version=version, **one._asdict())

    async def put_student(
        self,
        student_id: ids.StudentId,
        campaign_id: ids.CampaignId,
        class_id: ids.ClassId,
        *,
        eligible: bool,
        withdrawn: bool,
        version: int,
    ) -> None:
        await _put(
            self._tx,
            STUDENTS,
            student_id=student_id,
            campaign_id=campaign_id,
            class_id=class_id,
            eligible=eligible,
            withdrawn=withdrawn,
            version=version,
        )

    async def put_checkin(
        self, checkin_id: ids.CheckinId, student_id: ids.StudentId, class_id: ids.ClassId, version: int
    ) -> None:
        await _put(self._tx, CHECKINS, checkin_id=checkin_id, student_id=student_id, class_id=class_id, version=version)

    async def put_photo(
        self,
        capture_id: ids.CaptureId,
        student_id: ids.StudentId,
        class_id: ids.ClassId,
        *,
        in_force: bool,
        version: int,
    ) -> None:
        await _put(
            self._tx,
            PHOTOS,
            capture_id=capture_id,
            student_id=student_id,
            class_id=class_id,
            in_force=in_force,
            version=version,
        )

    async def put_payment(self, payment_id: ids.PaymentId, campaign_id: ids.CampaignId, class_id: ids.ClassId) -> None:
        insert = postgresql.insert(PAYMENTS).values(payment_id=payment_id, campaign_id=campaign_id, class_id=class_id)
        await self._tx.execute(insert.on_conflict_do_nothing())

    async def paid(self, campaign_id: ids.CampaignId) -> frozenset[ids.ClassId]:
        query = sa.select(PAYMENTS.c.class_id).where(PAYMENTS.c.campaign_id == campaign_id)
        return frozenset((await self._tx.execute(query)).scalars())

    async def classes(self, campaign_id: ids.CampaignId) -> Sequence[plans.SchoolClass]:
        columns = (CLASSES.c[name] for name in plans.SchoolClass._fields)
        query = sa.select(*columns).where(CLASSES.c.campaign_id == campaign_id)
        found = await self._tx.execute(query.order_by(CLASSES.c.college_zh, CLASSES.c.label))
        return [plans.SchoolClass(*row) for row in found]

    async def turnout(self, campaign_id: ids.CampaignId) -> Sequence[Turnout]:
        query = sa.select(
            CLASSES.c.class_id,
            CLASSES.c.college_zh,
            CLASSES.c.headcount,
            _students(CHECKINS.c.student_id, CHECKINS.c.class_id == CLASSES.c.class_id),
            _students(PHOTOS.c.student_id, sa.and_(PHOTOS.c.class_id == CLASSES.c.class_id, PHOTOS.c.in_force)),
        )
        return [Turnout(*row) for row in await self._tx.execute(query.where(CLASSES.c.campaign_id == campaign_id))]


def _students(student: sa.Column[Any], where: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count(sa.distinct(student))).where(where).scalar_subquery()
