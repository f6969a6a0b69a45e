"""Students taken at two desks: found when the second check-in or photo comes, settled by policy, or by a person."""

from datetime import datetime
from typing import Any

from gradphoto_contracts import ids
from kit import errors
from services.capture import ports
from services.capture.domain import checkins, doubles, photos
from services.capture.handlers import binding, measures


async def look(work: ports.Work, checkin: checkins.Checkin) -> doubles.Double | None:
    """Call it out when this check-in is not its student's only one that counts. Again is no fault."""
    live = await work.doubles.live(checkin.student_id)
    if len(live) < 2:
        return None
    return await _find(work, checkin.campaign_id, live)


async def release_checkin(work: ports.Work, checkin_id: ids.CheckinId, released_at: datetime) -> checkins.Checkin:
    """The holder of a ticket walked off: the check-in counts no more. Again is no fault."""
    known = await work.checkins.get(checkin_id)
    if known is None:
        raise errors.Unavailable("checkin-not-known-yet")
    await work.doubles.lock(known.student_id)
    # Read again under its lock: roster's word may name the student's class at the same moment.
    checkin = await work.checkins.get(checkin_id, lock=True) or known
    released = checkins.release(checkin, released_at)
    await work.checkins.save(released)
    double = await work.doubles.get(checkin.student_id)
    if double and double.settled_by is None and len(await work.doubles.live(checkin.student_id)) < 2:
        await _settle(work, double, "released", None)
    return released


async def decide(work: ports.Work, photo: photos.Photo) -> photos.Photo | None:
    """A good photo whose student has another in force: what policy puts in force of the two, or None: nothing changes.

    The photo that loses is kept; `None` leaves it to the caller to reject it as a duplicate.
    """
    if photo.student_id is None:
        return None
    in_force = await work.doubles.in_force(photo.student_id)
    if in_force is None:
        return None
    campaign = await work.floor.campaign(photo.shot.campaign_id)
    rule = campaign.double_rule if campaign else "first_received"
    double = await _found_by_photos(work, in_force, photo)
    if doubles.replaces(rule, in_force, photo):
        await binding.withdraw_photo(work, in_force.shot.capture_id, binding.Act("policy", "system", "double"))
        accepted, events = photos.accept(photo)
        if not await work.photos.put_in_force(accepted):
            raise errors.Unavailable("capture-being-stored")
        await work.say(events)
        await _settle(work, double, "policy", photo.shot.capture_id)
        return accepted
    if rule != "person":
        await _settle(work, double, "policy", in_force.shot.capture_id)
    return None


async def settle_double(
    work: ports.Work, student_id: ids.StudentId, kept: ids.CaptureId, act: binding.Act
) -> doubles.Double:
    """A person says which photo is in force; again is no fault."""
    await work.doubles.lock(student_id)
    double = await work.doubles.get(student_id)
    photo = await binding.locked(work, kept)
    if double is None or photo.student_id != student_id:
        raise errors.NotFound("double-not-known")
    in_force = await work.doubles.in_force(student_id)
    if in_force is not None and in_force.shot.capture_id != kept:
        await binding.withdraw_photo(work, in_force.shot.capture_id, act)
    await binding.reinstate_photo(work, kept, act)
    return await _settle(work, double, "person", kept)


async def _found_by_photos(work: ports.Work, *taken: photos.Photo) -> doubles.Double:
    shot = taken[0].shot
    student_id = taken[0].student_id
    if student_id is None:
        raise ValueError("a photo in force has a student")
    await work.doubles.lock(student_id)
    known = [photo.shot.checkin_id for photo in taken if photo.shot.checkin_id]
    before = await work.doubles.get(student_id)
    checkins_of = [await work.checkins.get(checkin_id) for checkin_id in known]
    apart = any(checkin.apart for checkin in checkins_of if checkin)
    double, events = doubles.find(before, student_id, shot.campaign_id, known, work.now, apart=apart)
    return await _note(work, double, events, found=True)


async def _find(work: ports.Work, campaign_id: ids.CampaignId, live: list[checkins.Checkin]) -> doubles.Double:
    student_id = live[0].student_id
    before = await work.doubles.get(student_id)
    apart = any(checkin.apart for checkin in live)
    keys = [checkin.checkin_id for checkin in live]
    double, events = doubles.find(before, student_id, campaign_id, keys, work.now, apart=apart)
    return await _note(work, double, events, found=True)


async def _settle(
    work: ports.Work, double: doubles.Double, by: doubles.By, kept: ids.CaptureId | None
) -> doubles.Double:
    settled, events = doubles.settle(double, by, kept, work.now)
    return await _note(work, settled, events, found=False)


async def _note(work: ports.Work, double: doubles.Double, events: list[Any], *, found: bool) -> doubles.Double:
    if events:
        await work.doubles.save(double)
        await work.say(events)
        (measures.DOUBLES if found else measures.DOUBLES_SETTLED).labels(
            **({"apart": str(double.apart).lower()} if found else {"by": double.settled_by or ""})
        ).inc()
    return double
