"""Delivering batches: choose the photos, pack them outside of any transaction, then call it delivered.

A process that dies in between leaves a batch `gathering`; whoever comes next packs the same photos to the same key.
"""

from datetime import timedelta

from gradphoto_contracts import ids
from gradphoto_contracts.capture import Sha256
from kit import errors
from services.verify.domain import batches, copies
from services.verify.handlers import steps
from services.verify.ports import Archive, Unit, Work

#: A batch that gathers for longer than this was left by a process that died.
STUCK = timedelta(minutes=10)


async def deliver_batch(unit: Unit, archive: Archive, campaign_id: ids.CampaignId) -> batches.Batch:
    """Deliver every photo in force that is in no batch yet.

    Raises:
        errors.Conflict: there is nothing to deliver, or a picture in the store is not the accepted one.
    """
    async with unit() as work:
        batch = await gather_batch(work, campaign_id)
    return await pack_batch(unit, archive, batch)


async def pack_batch(unit: Unit, archive: Archive, batch: batches.Batch) -> batches.Batch:
    """Pack a gathering batch until what was packed is what is in force, and finish it."""
    key = batches.archive_key(batch.campaign_id, batch.batch_id)
    while batch.state == "gathering":
        async with unit() as work:
            photos = await choose_photos(work, batch.batch_id)
        digest = await archive.pack(key, photos)
        async with unit() as work:
            batch = await finish_batch(work, batch.batch_id, photos, digest)
    return batch


async def gather_batch(work: Work, campaign_id: ids.CampaignId) -> batches.Batch:
    """The batch under way, or a new one with all photos that wait."""
    await work.campaigns.hold(campaign_id)
    await steps.campaign(work, campaign_id)
    batch = await work.batches.gathering(campaign_id)
    if batch is None:
        photos = await work.photos.undelivered(campaign_id)
        if not photos:
            raise errors.Conflict("verify-nothing-to-deliver")
        batch = await work.batches.begin(ids.BatchId(work.new_id()), campaign_id)
        await work.batches.put(batch.batch_id, photos)
    return batch


async def choose_photos(work: Work, batch_id: ids.BatchId) -> list[copies.Photo]:
    """The photos of a batch; those withdrawn meanwhile are left out of it."""
    chosen = await work.batches.photos(batch_id)
    photos = [photo for photo in chosen if photo.in_force]
    if len(photos) < len(chosen):
        await work.batches.put(batch_id, photos)
    return photos


async def finish_batch(
    work: Work, batch_id: ids.BatchId, packed: list[copies.Photo], archive_sha256: Sha256
) -> batches.Batch:
    """Call the batch delivered; when a photo was withdrawn meanwhile, leave it gathering, to be packed again."""
    begun = await work.batches.get(batch_id)
    if begun is None:
        raise errors.NotFound("verify-batch-unknown", batch_id=str(batch_id))
    await work.campaigns.hold(begun.campaign_id)
    batch = await work.batches.get(batch_id) or begun
    if batch.state == "delivered" or await work.batches.photos(batch_id) != packed:
        return batch
    delivered = batches.Batch(
        batch_id=batch.batch_id,
        campaign_id=batch.campaign_id,
        number=batch.number,
        state="delivered",
        photos=len(packed),
        archive_key=batches.archive_key(batch.campaign_id, batch_id),
        archive_sha256=archive_sha256,
        delivered_at=work.now,
    )
    await work.batches.finish(delivered)
    campaign = await work.campaigns.get(batch.campaign_id)
    cases = await work.cases.of_captures([photo.capture_id for photo in packed])
    await steps.save(work, [batches.deliver(case, capture_id, campaign) for capture_id, case in cases.items()])
    await work.events.add(delivered.said())
    return delivered


async def resume_batches(unit: Unit, archive: Archive) -> None:
    """Finish what a process that died had begun."""
    async with unit() as work:
        stuck = await work.batches.stuck(work.now - STUCK)
    for batch in stuck:
        await pack_batch(unit, archive, batch)
