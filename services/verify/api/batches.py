"""Deliveries over HTTP."""

from datetime import datetime
from typing import Annotated, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, status
from pydantic import BaseModel

from gradphoto_contracts import ids
from kit import auth, errors, logs, pages, web
from services.verify.api import access
from services.verify.domain import batches
from services.verify.handlers import deliveries
from services.verify.ports import Archive, Unit

Reader = Annotated[auth.Principal, Depends(web.principal("verify.read"))]
Writer = Annotated[auth.Principal, Depends(web.principal("verify.write"))]

#: How long a link to an archive works.
LINK_S = 300


class Links(Protocol):
    """Short links into the object store."""

    async def presign_get(self, key: str, expires_s: int) -> str: ...


class BatchAnswer(BaseModel):
    """A delivery. `sha256` is the archive's."""

    batch_id: UUID
    number: int
    state: str
    photos: int
    archive_key: str
    sha256: str
    delivered_at: datetime | None


class ArchiveAnswer(BaseModel):
    """A link that works for a few minutes; asking for it is on record."""

    url: str
    sha256: str
    expires_s: int


def router(unit: Unit, archive: Archive, links: Links) -> APIRouter:
    """Deliver, list, fetch."""
    doors = APIRouter(tags=["batches"])

    @doors.post("/campaigns/{campaign_id}/batches", status_code=status.HTTP_201_CREATED)
    async def deliver_batch(campaign_id: UUID, who: Writer) -> BatchAnswer:
        return _answer(await deliveries.deliver_batch(unit, archive, access.whole(who, campaign_id)))

    @doors.get("/campaigns/{campaign_id}/batches")
    async def list_batches(campaign_id: UUID, who: Reader) -> pages.Page[BatchAnswer]:
        campaign = access.whole(who, campaign_id)
        async with unit() as work:
            return pages.Page(items=[_answer(batch) for batch in await work.batches.of(campaign)])

    @doors.get("/batches/{batch_id}/archive")
    async def open_archive(batch_id: UUID, who: Writer) -> ArchiveAnswer:
        async with unit() as work:
            batch = await work.batches.get(ids.BatchId(batch_id))
            if batch is None or batch.state != "delivered":
                raise errors.NotFound("verify-batch-unknown", batch_id=str(batch_id))
            access.whole(who, batch.campaign_id)
            await work.views.add(batch.batch_id, who.sub)
        logs.get("audit").info("archive.opened", sub=who.sub, role=who.role, batch_id=str(batch_id))
        url = await links.presign_get(batch.archive_key, LINK_S)
        return ArchiveAnswer(url=url, sha256=batch.archive_sha256, expires_s=LINK_S)

    return doors


def _answer(batch: batches.Batch) -> BatchAnswer:
    return BatchAnswer(
        batch_id=batch.batch_id,
        number=batch.number,
        state=batch.state,
        photos=batch.photos,
        archive_key=batch.archive_key,
        sha256=batch.archive_sha256,
        delivered_at=batch.delivered_at,
    )
