"""Deliveries, CHSI's result files, and who opened an archive."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from gradphoto_contracts.capture import Sha256
from kit import words
from services.verify import ports
from services.verify.domain import batches, chsi, copies
from services.verify.store import BATCH_PHOTOS, BATCHES, CASES, PHOTOS, RESULTS, VIEWS
from services.verify.store.copies import Table

_BATCH = ("batch_id", "campaign_id", "number", "state", "photos", "archive_key", "archive_sha256", "delivered_at")


def _batch(row: Any) -> batches.Batch:
    return batches.Batch(**{name: getattr(row, name) for name in _BATCH})


class Batches(Table):
    def __init__(self, tx: AsyncConnection, now: datetime, kept: words.Words) -> None:
        super().__init__(tx, now)
        self._words = kept

    async def gathering(self, campaign_id: ids.CampaignId) -> batches.Batch | None:
        row = await self._one(
            sa.select(BATCHES).where(BATCHES.c.campaign_id == campaign_id, BATCHES.c.state == "gathering")
        )
        return _batch(row) if row else None

    async def begin(self, batch_id: ids.BatchId, campaign_id: ids.CampaignId) -> batches.Batch:
        last = sa.select(sa.func.coalesce(sa.func.max(BATCHES.c.number), 0)).where(BATCHES.c.campaign_id == campaign_id)
        number = int((await self._tx.execute(last)).scalar_one()) + 1
        batch = batches.Batch(batch_id, campaign_id, number, "gathering")
        await self._tx.execute(BATCHES.insert().values(**asdict(batch), begun_at=self._now))
        return batch

    async def put(self, batch_id: ids.BatchId, photos: Sequence[copies.Photo]) -> None:
        await self._tx.execute(BATCH_PHOTOS.delete().where(BATCH_PHOTOS.c.batch_id == batch_id))
        rows = [{"batch_id": batch_id, "capture_id": photo.capture_id} for photo in photos]
        if rows:
            await self._tx.execute(BATCH_PHOTOS.insert(), rows)

    async def photos(self, batch_id: ids.BatchId) -> list[copies.Photo]:
        theirs = sa.and_(CASES.c.capture_id == PHOTOS.c.capture_id, ~CASES.c.off_roster)
        still = sa.and_(PHOTOS.c.in_force, sa.exists().where(theirs)).label("still")
        query = sa.select(PHOTOS, still).join(BATCH_PHOTOS, BATCH_PHOTOS.c.capture_id == PHOTOS.c.capture_id)
        rows = await self._all(query.where(BATCH_PHOTOS.c.batch_id == batch_id).order_by(PHOTOS.c.capture_id))
        names = [column.name for column in PHOTOS.c]
        return [copies.Photo(**{name: getattr(row, name) for name in names} | {"in_force": row.still}) for row in rows]

    async def finish(self, batch: batches.Batch) -> None:
        values = {name: getattr(batch, name) for name in _BATCH}
        await self._tx.execute(BATCHES.update().where(BATCHES.c.batch_id == batch.batch_id).values(values))

    async def get(self, batch_id: ids.BatchId) -> batches.Batch | None:
        row = await self._one(sa.select(BATCHES).where(BATCHES.c.batch_id == batch_id))
        return _batch(row) if row else None

    async def of(self, campaign_id: ids.CampaignId) -> list[batches.Batch]:
        query = sa.select(BATCHES).where(BATCHES.c.campaign_id == campaign_id).order_by(BATCHES.c.number)
        return [_batch(row) for row in await self._all(query)]

    async def stuck(self, before: datetime) -> list[batches.Batch]:
        query = sa.select(BATCHES).where(BATCHES.c.state == "gathering", BATCHES.c.begun_at < before)
        return [_batch(row) for row in await self._all(query.order_by(BATCHES.c.begun_at))]

    async def verdicts(self, campaign_id: ids.CampaignId) -> dict[ids.CaptureId, bool | None]:
        query = sa.select(BATCH_PHOTOS.c.capture_id, BATCH_PHOTOS.c.shown).join(
            BATCHES, BATCHES.c.batch_id == BATCH_PHOTOS.c.batch_id
        )
        rows = await self._all(query.where(BATCHES.c.campaign_id == campaign_id, BATCHES.c.state == "delivered"))
        return {row.capture_id: row.shown for row in rows}

    async def judge(self, verdicts: Sequence[chsi.Verdict]) -> None:
        said = [{"photo": verdict.capture_id, "said": verdict.shown, "why": self._why(verdict)} for verdict in verdicts]
        new: dict[str, Any] = {"shown": sa.bindparam("said"), "reason_sealed": sa.bindparam("why")}
        update = BATCH_PHOTOS.update().where(BATCH_PHOTOS.c.capture_id == sa.bindparam("photo")).values(new)
        if said:
            await self._tx.execute(update, said)

    def _why(self, verdict: chsi.Verdict) -> bytes | None:
        """What somebody at CHSI or at the school wrote into the sheet."""
        if not verdict.reason:
            return None
        return self._words.seal(verdict.reason, "batch_photos.reason", verdict.capture_id)


class Results(Table):
    async def get(self, campaign_id: ids.CampaignId, file_sha256: Sha256) -> ports.Taken | None:
        query = sa.select(RESULTS).where(RESULTS.c.campaign_id == campaign_id, RESULTS.c.file_sha256 == file_sha256)
        row = await self._one(query)
        return ports.Taken(row.rows, row.published, row.refused, row.unchanged) if row else None

    async def add(self, campaign_id: ids.CampaignId, file_sha256: Sha256, taken: ports.Taken) -> None:
        insert = postgresql.insert(RESULTS).values(
            campaign_id=campaign_id, file_sha256=file_sha256, taken_at=self._now, **asdict(taken)
        )
        await self._tx.execute(insert)


class Views(Table):
    async def add(self, batch_id: ids.BatchId, viewer: str) -> None:
        await self._tx.execute(VIEWS.insert().values(batch_id=batch_id, viewer=viewer, viewed_at=self._now))
