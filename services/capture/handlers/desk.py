"""What a desk tells: check-ins, frames, drifts. Each may come again, late, and before what it refers to."""

from dataclasses import dataclass, replace
from datetime import datetime

from gradphoto_contracts import ids
from kit import errors, logs
from services.capture import ports
from services.capture.domain import checkins, photos, sessions
from services.capture.handlers import contradictions, doubles, measures


async def class_of(work: ports.Work, student_id: ids.StudentId, campaign_id: ids.CampaignId) -> ids.ClassId | None:
    """The student's class; None while roster's word about the student has not come."""
    student = await work.floor.student(student_id)
    if student is None:
        return None
    if student.campaign_id != campaign_id:
        raise errors.Refused("student-of-another-campaign")
    return student.class_id


async def record_checkin(
    work: ports.Work, checkin: checkins.Checkin, let_in: checkins.LetIn | None = None
) -> checkins.Checkin:
    """Record a check-in once. Two desks may each take the same student after a split: both are kept, and called out.

    A desk may tell of a check-in that another desk of its hall made: it called the student, and the other may be dead.
    Only the desk that made it knows who let the student in; that may come first, later, or from a stick.
    """
    recorded = await _record(work, checkin)
    if let_in is not None:
        await _note_let_in(work, recorded, checkin.station_id, let_in)
    return recorded


async def _record(work: ports.Work, checkin: checkins.Checkin) -> checkins.Checkin:
    checkin = replace(checkin, desk_id=await _desk_of(work, checkin))
    known = await work.checkins.get(checkin.checkin_id)
    if known is None:
        await work.checkins.lock(checkin.checkin_id)
        await work.doubles.lock(checkin.student_id)
        if await work.checkins.add(checkin):
            await work.say(checkins.announce(checkin))
            await contradictions.look(work, checkin)
            await doubles.look(work, checkin)
            return checkin
        known = await work.checkins.get(checkin.checkin_id)
    if known is None:
        measures.CONFLICTS.labels(subject="ticket").inc()
        raise errors.Conflict("ticket-taken", ticket=checkin.ticket)
    if not checkins.same(known, checkin):
        measures.CONFLICTS.labels(subject="checkin").inc()
        raise errors.Conflict("checkin-differs")
    return known


async def _note_let_in(
    work: ports.Work, checkin: checkins.Checkin, station_id: ids.StationId, told: checkins.LetIn
) -> None:
    mark = work.mark(told.reason, checkin.checkin_id)
    note = ports.LetInNote(
        checkin_id=checkin.checkin_id,
        campaign_id=checkin.campaign_id,
        student_id=checkin.student_id,
        desk_id=checkin.desk_id,
        station_id=station_id,
        role=told.role,
        reason=told.reason,
        mark=mark,
        at=told.at,
        recorded_at=work.now,
    )
    kept = await work.checkins.note_let_in(note)
    if (kept.role, kept.mark, kept.at) != (told.role, mark, told.at):
        measures.CONFLICTS.labels(subject="checkin").inc()
        raise errors.Conflict("checkin-differs")
    if kept.recorded_at == note.recorded_at:
        measures.OVERRIDES.labels(subject="checkin", role=told.role).inc()


async def _desk_of(work: ports.Work, checkin: checkins.Checkin) -> ids.DeskId:
    own = await work.floor.desk(checkin.desk_id)
    if own is None:
        raise errors.Unavailable("desk-not-planned")
    code = checkins.ticket_desk(checkin.ticket)
    if code is None:
        raise errors.Invalid("ticket-malformed")
    if code == own.code:
        return own.desk_id
    for desk in await work.floor.desks():
        if (desk.campaign_id, desk.group_id, desk.code) == (own.campaign_id, own.group_id, code):
            return desk.desk_id
    raise errors.Invalid("ticket-of-another-desk")


@dataclass(frozen=True)
class Override:
    """Who let a photo pass against the standard, by what the operator said, why, and when."""

    role: photos.Role
    reason: str
    at: datetime


async def receive_capture(
    unit: ports.Unit, objects: ports.Objects, shot: photos.Shot, override: Override | None = None
) -> photos.Photo:
    """Take a frame in: once, and only when its original lies in the store with the hash that the desk journalled.

    The original is read between two short transactions: a slow store must not hold a transaction open.
    """
    async with unit() as work:
        if override is not None:
            mark = work.mark(override.reason, shot.capture_id)
            shot = replace(shot, override_role=override.role, override_mark=mark)
        if fault := photos.shot_fault(shot):
            raise errors.Invalid(fault)
        known = await work.photos.get(shot.capture_id)
    if known is None:
        version = await _verify_original(objects, shot)
        async with unit() as work:
            known = await _add(work, shot, version, override)
    if not photos.same_shot(known.shot, shot):
        measures.CONFLICTS.labels(subject="capture").inc()
        raise errors.Conflict("capture-differs")
    return known


async def _verify_original(objects: ports.Objects, shot: photos.Shot) -> str | None:
    """Which version of the object has been read and is the original."""
    key = photos.original_key(shot.campaign_id, shot.sha256)
    found = await objects.found(key, shot.size_bytes)
    if found is None:
        raise errors.Conflict("original-missing")
    if found.sha256 != shot.sha256:
        measures.HASH_FAULTS.inc()
        raise errors.Conflict("original-hash-differs")
    # The very version that was read: whatever is uploaded under this key meanwhile is another one.
    await objects.keep(key, found.version)
    return found.version


async def _add(work: ports.Work, shot: photos.Shot, version: str | None, override: Override | None) -> photos.Photo:
    class_id = None if shot.student_id is None else await class_of(work, shot.student_id, shot.campaign_id)
    photo, events = photos.receive(shot, class_id, work.now, version)
    if not await work.photos.add(photo):
        known = await work.photos.get(shot.capture_id)
        if known is None:
            raise errors.Unavailable("capture-being-stored")
        return known
    await work.say(events)
    if override is not None:
        await _note_override(work, photo, override)
    place = await work.floor.place(shot.desk_id)
    elapsed = (work.now - shot.shutter_at).total_seconds()
    measures.STORED.labels(campus=place.campus, desk=place.desk).observe(max(elapsed, 0))
    return photo


async def _note_override(work: ports.Work, photo: photos.Photo, override: Override) -> None:
    """The history's first line. Nobody logs in at a desk: its author is the station, the role what was said."""
    shot = photo.shot
    note = ports.Note(
        capture_id=shot.capture_id,
        version=photo.version,
        act="overridden",
        author=f"station {shot.station_id}",
        role=override.role,
        reason=override.reason,
        at=override.at,
        from_student_id=shot.student_id,
        to_student_id=shot.student_id,
    )
    await work.photos.note(note)
    measures.OVERRIDES.labels(subject="photo", role=override.role).inc()
    # The reason stands sealed in the history: it is a person's words, and may be about a person.
    logs.get("audit").info(
        "capture.overridden", capture_id=str(shot.capture_id), role=override.role, desk=str(shot.desk_id)
    )


async def is_stored(objects: ports.Objects, campaign_id: ids.CampaignId, sha256: str, size_bytes: int) -> bool:
    """Whether the original is in the store whole; what was cut off on the way counts as absent."""
    found = await objects.found(photos.original_key(campaign_id, sha256), size_bytes)
    return found is not None and found.sha256 == sha256


async def tell_drift(work: ports.Work, told: sessions.Drift) -> sessions.Drift:
    """Note a suspected drift, or how it was resolved."""
    before = await work.sessions.drift(told.drift_id)
    if fault := sessions.drift_fault(told, before):
        measures.CONFLICTS.labels(subject="drift").inc()
        raise errors.Conflict(fault)
    noted, events = sessions.tell_drift(told, before)
    if events:
        await work.sessions.save_drift(noted)
    await work.say(events)
    return noted
