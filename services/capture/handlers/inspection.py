"""The authority looks at each photo: claimed, read, inspected, decided. It may be killed between any two lines."""

import asyncio
import hashlib

from kit import errors, logs, metrics
from services.capture import ports
from services.capture.domain import photos
from services.capture.handlers import contradictions, doubles, measures

#: How long a photo is one worker's, in real seconds: many times what an inspection takes.
LEASE_S = 30.0
#: When to try again after the store was away, and after an inspection failed.
WAIT_S = 2.0
#: When to look for an original again that could not be had: each time when it has been lost twice as long, up to this.
LOST_WAIT_S, LOST_LONGEST_S = 2.0, 300.0
#: How long a worker rests that found nothing to do.
IDLE_S = 0.3

_UNREADABLE = photos.Inspection(verdict="reject", rules=(), profile="", photo=None, readable=False)


class _Lost(Exception):
    """The original cannot be had: its object is gone, other bytes lie there, or the store cannot read just this one."""


async def inspect_next(
    unit: ports.Unit, objects: ports.Objects, inspector: ports.Inspector, lease_s: float = LEASE_S
) -> bool:
    """Inspect and decide one received photo; False when none waits."""
    async with unit() as work:
        claim = await work.photos.claim(lease_s)
        campaign = await work.floor.campaign(claim.photo.shot.campaign_id) if claim else None
    if claim is None:
        return False
    if campaign is None:
        await _release(unit, claim, counted=False)
        return True
    try:
        inspection = await _inspect(objects, inspector, claim, campaign.profile)
        sha256 = await _keep_picture(objects, claim.photo, inspection)
    except _Lost as lost:
        await _set_aside(unit, claim, str(lost))
        return True
    except errors.Unavailable:
        await _release(unit, claim, counted=False)
        return True
    except Exception:  # noqa: BLE001 - an image may do anything to its reader; counted, and in the end unreadable
        measures.INSPECTION_FAULTS.inc()
        logs.get().exception("inspection.failed", capture_id=str(claim.photo.shot.capture_id), attempt=claim.attempt)
        await _release(unit, claim, counted=True)
        return True
    async with unit() as work:
        await decide_photo(work, claim, inspection, sha256)
    return True


async def _release(unit: ports.Unit, claim: ports.Claim, *, counted: bool) -> None:
    async with unit() as work:
        await work.photos.release(claim, WAIT_S, counted=counted)


async def _set_aside(unit: ports.Unit, claim: ports.Claim, fault: str) -> None:
    """Whoever puts the object back has the photo inspected: losing it is no verdict on the image."""
    measures.ORIGINALS_UNREAD.labels(fault=fault).inc()
    capture_id, key = str(claim.photo.shot.capture_id), claim.photo.original_key
    logs.get().error("inspection.original-lost", capture_id=capture_id, key=key, fault=fault)
    async with unit() as work:
        await work.photos.set_aside(claim, LOST_WAIT_S, LOST_LONGEST_S)


async def _inspect(
    objects: ports.Objects, inspector: ports.Inspector, claim: ports.Claim, profile: str
) -> photos.Inspection:
    if claim.attempt > photos.ATTEMPTS:
        return _UNREADABLE
    shot = claim.photo.shot
    original = await _original(objects, claim.photo)
    with metrics.timed(measures.INSPECTION):
        return await inspector.inspect(original, profile, compose_refused=shot.decision == "override")


async def _original(objects: ports.Objects, photo: photos.Photo) -> bytes:
    """The bytes that were verified when the frame came in: that version, or what lies there now with the same hash.

    A store that was put back from a backup numbers its versions anew.
    """
    fault = "missing"
    for version in dict.fromkeys((photo.original_version, None)):
        try:
            data = await objects.get(photo.original_key, version, at_most=photo.shot.size_bytes)
        except errors.NotFound:
            continue
        except errors.Unavailable:
            if not await objects.ready():
                raise
            fault = "unreadable"
            continue
        if await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest()) == photo.shot.sha256:  # noqa: B023
            return data
        measures.HASH_FAULTS.inc()
        fault = "wrong_hash"
    raise _Lost(fault)


async def _keep_picture(objects: ports.Objects, photo: photos.Photo, inspection: photos.Inspection) -> str | None:
    if inspection.photo is None:
        return None
    key = photos.photo_key(photo.shot.campaign_id, photo.shot.capture_id)
    await objects.put(key, inspection.photo, "image/jpeg")
    return hashlib.sha256(inspection.photo).hexdigest()


async def decide_photo(
    work: ports.Work, claim: ports.Claim, inspection: photos.Inspection, picture_sha256: str | None
) -> photos.Photo | None:
    """Accept or reject a claimed photo; None when another worker has done so meanwhile."""
    photo = await work.photos.claimed(claim)
    if photo is None:
        return None
    key = photos.photo_key(photo.shot.campaign_id, photo.shot.capture_id) if picture_sha256 else None
    noted = photos.inspected(photo, inspection, key, picture_sha256)
    decided = await _settle(work, noted, photos.judge(noted, inspection))
    place = await work.floor.place(photo.shot.desk_id)
    labels = {"campus": place.campus, "desk": place.desk}
    measures.DECIDED.labels(**labels, outcome=decided.cause or decided.state).inc()
    for differed in photos.compare_verdicts(decided):
        await work.say([differed])
        verdicts = {"desk_verdict": differed.desk_verdict, "verdict": differed.verdict}
        measures.DISAGREEMENTS.labels(**labels, **verdicts).inc()
    if key and picture_sha256:
        await work.photos.note_derivative(_lineage(work, noted, inspection, key, picture_sha256))
    return decided


def _lineage(
    work: ports.Work, photo: photos.Photo, inspection: photos.Inspection, key: str, sha256: str
) -> ports.Derivative:
    return ports.Derivative(
        capture_id=photo.shot.capture_id,
        sha256=sha256,
        object_key=key,
        original_sha256=photo.shot.sha256,
        profile=inspection.profile,
        maker=inspection.maker,
        made_at=work.now,
    )


async def _settle(work: ports.Work, noted: photos.Photo, cause: photos.Cause | None) -> photos.Photo:
    if cause is None:
        if checkin := await contradictions.find(work, noted):
            return await contradictions.hold(work, noted, checkin)
        accepted, events = photos.accept(noted)
        if await work.photos.put_in_force(accepted):
            await work.say(events)
            return accepted
        if replacing := await doubles.decide(work, noted):
            return replacing
        cause = "duplicate"
    rejected, events = photos.reject(noted, cause, noted.rules)
    await work.photos.save(rejected)
    await work.say(events)
    return rejected


async def show_lost(work: ports.Work) -> None:
    """Show how many photos wait for an original, from the database: every process tells the same."""
    measures.ORIGINALS_LOST.clear()
    for campaign_id, count in (await work.photos.lost()).items():
        measures.ORIGINALS_LOST.labels(campaign=str(campaign_id)).set(count)


async def inspect_all(unit: ports.Unit, objects: ports.Objects, inspector: ports.Inspector) -> None:
    """Inspect for ever. Real time, since a simulated clock says nothing about how busy this machine is."""
    while True:
        try:
            found = await inspect_next(unit, objects, inspector)
        except Exception:  # noqa: BLE001 - the database may be away: logged, and the lease brings the photo back
            logs.get().exception("inspection.interrupted")
            found = False
        if not found:
            await asyncio.sleep(IDLE_S)
