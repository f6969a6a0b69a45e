"""What verify keeps of other services' facts. A copy is overwritten only by a newer one."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from gradphoto_contracts.policy import ChsiPolicy, MakeupPolicy
from services.verify.domain import copies
from services.verify.store import BATCH_PHOTOS, CAMPAIGNS, CASES, CLASSES, PHOTOS

_HOLD = sa.text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")
_SHARE = sa.text("select pg_advisory_xact_lock_shared(hashtextextended(:key, 0))")


class Table:
    """A connection with its transaction open, and the moment it stands for."""

    def __init__(self, tx: AsyncConnection, now: datetime) -> None:
        self._tx = tx
        self._now = now

    async def _one(self, query: sa.Executable, **values: Any) -> Any:
        return (await self._tx.execute(query, values)).one_or_none()

    async def _all(self, query: sa.Executable) -> list[Any]:
        return list((await self._tx.execute(query)).all())

    async def _lock(self, kind: str, key: UUID, *, shared: bool = False) -> None:
        await self._tx.execute(_SHARE if shared else _HOLD, {"key": f"verify:{kind}:{key}"})

    async def _save_newer(self, table: sa.Table, key: str, values: dict[str, Any]) -> bool:
        insert = postgresql.insert(table).values(values)
        fresh = {name: insert.excluded[name] for name in values if name != key}
        newer = insert.on_conflict_do_update(
            index_elements=[key], set_=fresh, where=insert.excluded.version > table.c.version
        )
        return bool((await self._tx.execute(newer)).rowcount)


def _campaign(row: Any) -> copies.Campaign:
    return copies.Campaign(
        row.campaign_id,
        row.version,
        row.code,
        ChsiPolicy.model_validate(row.chsi),
        MakeupPolicy.model_validate(row.makeup),
    )


class Campaigns(Table):
    async def share(self, campaign_id: ids.CampaignId) -> None:
        await self._lock("campaign", campaign_id, shared=True)

    async def hold(self, campaign_id: ids.CampaignId) -> None:
        await self._lock("campaign", campaign_id)

    async def get(self, campaign_id: ids.CampaignId) -> copies.Campaign | None:
        known = sa.and_(CAMPAIGNS.c.campaign_id == campaign_id, CAMPAIGNS.c.chsi.is_not(None))
        row = await self._one(sa.select(CAMPAIGNS).where(known))
        return _campaign(row) if row else None

    async def save(self, campaign: copies.Campaign) -> bool:
        values = {"campaign_id": campaign.campaign_id, "version": campaign.version, "code": campaign.code}
        policy = {"chsi": campaign.chsi.model_dump(mode="json"), "makeup": campaign.makeup.model_dump(mode="json")}
        return await self._save_newer(CAMPAIGNS, "campaign_id", values | policy)

    async def close(self, campaign_id: ids.CampaignId) -> None:
        insert = postgresql.insert(CAMPAIGNS).values(campaign_id=campaign_id, version=0, code="", closed=True)
        await self._tx.execute(insert.on_conflict_do_update(index_elements=["campaign_id"], set_={"closed": True}))

    async def all(self) -> list[copies.Campaign]:
        query = sa.select(CAMPAIGNS).where(CAMPAIGNS.c.chsi.is_not(None)).order_by(CAMPAIGNS.c.campaign_id)
        return [_campaign(row) for row in await self._all(query)]


class Classes(Table):
    async def save(self, known: copies.Class) -> bool:
        values = {column.name: getattr(known, column.name) for column in CLASSES.c}
        return await self._save_newer(CLASSES, "class_id", values)


#: One statement, so that nothing passes between looking and writing once the locks are held.
_SHARE_AND_HOLD = sa.text("""
    select pg_advisory_xact_lock_shared(hashtextextended(:campaign, 0)),
        pg_advisory_xact_lock(hashtextextended(:capture, 0))
""")
_KEEP_PHOTO = sa.text("""
    with before as (select * from verify.photos where capture_id = :capture_id), saved as (
        insert into verify.photos as p (capture_id, version, campaign_id, student_id, class_id, in_force, photo_key,
            photo_sha256, shutter_at)
        values (:capture_id, :version, :campaign_id, :student_id, :class_id, :in_force, :photo_key,
            :photo_sha256, :shutter_at)
        on conflict (capture_id) do update
            set version = excluded.version, campaign_id = excluded.campaign_id, student_id = excluded.student_id,
                class_id = excluded.class_id, in_force = excluded.in_force, photo_key = excluded.photo_key,
                photo_sha256 = excluded.photo_sha256, shutter_at = excluded.shutter_at
            where excluded.version > p.version
        returning 1
    )
    select exists (select from saved) as newer, before.* from (select) one left join before on true
""")


class Photos(Table):
    async def keep(self, photo: copies.Photo) -> tuple[bool, copies.Photo | None]:
        keys = {"campaign": f"verify:campaign:{photo.campaign_id}", "capture": f"verify:capture:{photo.capture_id}"}
        await self._tx.execute(_SHARE_AND_HOLD, keys)
        row = await self._one(_KEEP_PHOTO, **vars(photo))
        before = {column.name: getattr(row, column.name) for column in PHOTOS.c}
        return row.newer, copies.Photo(**before) if row.capture_id else None

    async def in_force(self, student_id: ids.StudentId) -> copies.Photo | None:
        query = sa.select(PHOTOS).where(PHOTOS.c.student_id == student_id, PHOTOS.c.in_force)
        row = await self._one(query.order_by(PHOTOS.c.capture_id).limit(1))
        return copies.Photo(**row._mapping) if row else None

    async def undelivered(self, campaign_id: ids.CampaignId) -> list[copies.Photo]:
        theirs = sa.and_(CASES.c.capture_id == PHOTOS.c.capture_id, ~CASES.c.off_roster)
        packed = sa.exists().where(BATCH_PHOTOS.c.capture_id == PHOTOS.c.capture_id)
        query = sa.select(PHOTOS).join(CASES, theirs)
        query = query.where(PHOTOS.c.campaign_id == campaign_id, PHOTOS.c.in_force, ~packed)
        return [copies.Photo(**row._mapping) for row in await self._all(query.order_by(PHOTOS.c.capture_id))]
