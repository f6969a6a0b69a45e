"""Delays announced, and students who missed it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from services.scheduler.ports import Delay, Missed, MissedRecord
from services.scheduler.store import CLASSES, DELAYS, MISSED, PHOTOS

#: The row is what makes it be said once; whoever runs this at the same time finds it taken.
_FIND = sa.text("""
    insert into scheduler.missed (student_id, campaign_id, class_id, checked_in, missed_at)
    select s.student_id, s.campaign_id, s.class_id,
           exists (select from scheduler.checkins c where c.student_id = s.student_id), :now
    from scheduler.plans p join scheduler.students s using (campaign_id)
    where p.state = 'published' and p.ends_at < :ended_before
      and not exists (select from scheduler.slots l where l.campaign_id = p.campaign_id and l.ends_at >= :ended_before)
      and s.eligible and not s.withdrawn
      and not exists (select from scheduler.photos f where f.student_id = s.student_id and f.in_force)
      and not exists (select from scheduler.missed m where m.student_id = s.student_id)
    order by s.student_id
    on conflict do nothing
    returning student_id, campaign_id, class_id, checked_in
""")


class Absences:
    """See `ports.Absences`."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def delay(self, delay_id: UUID) -> Delay | None:
        row = (await self._tx.execute(sa.select(DELAYS).where(DELAYS.c.delay_id == delay_id))).one_or_none()
        return None if row is None else Delay(*row)

    async def add_delay(self, delay: Delay) -> None:
        await self._tx.execute(DELAYS.insert().values(delay._asdict()))

    async def find(self, ended_before: datetime, now: datetime) -> Sequence[Missed]:
        found = await self._tx.execute(_FIND, {"ended_before": ended_before, "now": now})
        return [Missed(*row) for row in found]

    async def listed(
        self, campaign_id: ids.CampaignId, after: ids.StudentId | None, limit: int
    ) -> Sequence[MissedRecord]:
        photographed = sa.exists().where(PHOTOS.c.student_id == MISSED.c.student_id, PHOTOS.c.in_force)
        query = sa.select(
            MISSED.c.student_id,
            MISSED.c.class_id,
            CLASSES.c.campus_id,
            sa.func.coalesce(CLASSES.c.college_zh, ""),
            sa.func.coalesce(CLASSES.c.label, ""),
            MISSED.c.checked_in,
            photographed,
            MISSED.c.missed_at,
        ).select_from(MISSED.outerjoin(CLASSES, CLASSES.c.class_id == MISSED.c.class_id))
        where = [MISSED.c.campaign_id == campaign_id] + ([MISSED.c.student_id > after] if after else [])
        found = await self._tx.execute(query.where(*where).order_by(MISSED.c.student_id).limit(limit))
        return [MissedRecord(*row) for row in found]
