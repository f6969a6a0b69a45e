"""Whose photo it is: rebinding, withdrawing, putting in force after all. Each with author, reason and history."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gradphoto_contracts import ids
from kit import errors
from services.capture import ports
from services.capture.domain import checkins, photos, sessions
from services.capture.handlers import measures


@dataclass(frozen=True)
class Act:
    """Who does it, as what, and why."""

    author: str
    role: str
    reason: str


@dataclass(frozen=True)
class Move:
    """Whose a photo is to be, and whose it is now as far as the mover knows."""

    student_id: ids.StudentId
    from_student_id: ids.StudentId


async def rebind_photos(work: ports.Work, moves: Mapping[ids.CaptureId, Move], act: Act) -> list[photos.Photo]:
    """Move photos in force to other students, all or none. A photo that is there already stays as it is.

    Refused when one of them is another's than its mover believes: somebody else has moved it meanwhile.
    """
    asked = [(await _in_force(work, capture_id), moves[capture_id]) for capture_id in sorted(moves)]
    moved, notes = [], []
    for photo, move in asked:
        if photo.student_id == move.student_id:
            continue
        if photo.student_id != move.from_student_id:
            measures.CONFLICTS.labels(subject="rebind").inc()
            raise errors.Conflict("photo-moved-meanwhile", capture_id=str(photo.shot.capture_id))
        class_id = await _class_of(work, photo, move.student_id)
        after, events = photos.rebind(photo, move.student_id, class_id, act.reason)
        moved.append(after)
        notes.append((photo, after, events))
    if not await work.photos.move(moved):
        raise errors.Conflict("student-has-photo")
    for photo, after, events in notes:
        await work.photos.note(line(work, after, "rebound", act, photo.student_id))
        await work.say(events)
    done = {photo.shot.capture_id: photo for photo in moved}
    return [done.get(photo.shot.capture_id, photo) for photo, _ in asked]


async def withdraw_photo(work: ports.Work, capture_id: ids.CaptureId, act: Act) -> photos.Photo:
    """Take a photo out of force, or a held one off the list of what is to be decided; again is no fault."""
    photo = await locked(work, capture_id)
    if photos.is_held(photo):
        return await _put_aside(work, photo, act)
    if photo.state == "withdrawn":
        return photo
    if photo.state != "accepted":
        raise errors.Conflict("capture-not-in-force")
    withdrawn, events = photos.withdraw(photo, act.reason)
    await work.photos.save(withdrawn)
    await work.photos.note(line(work, withdrawn, "withdrawn", act, photo.student_id))
    await work.say(events)
    return withdrawn


async def _put_aside(work: ports.Work, photo: photos.Photo, act: Act) -> photos.Photo:
    """A held photo is nobody's, says a person."""
    aside = photos.put_aside(photo)
    await work.photos.save(aside)
    await work.photos.note(line(work, aside, "withdrawn", act, photo.student_id))
    await _answer(work, aside, "dismiss")
    return aside


async def reinstate_photo(
    work: ports.Work, capture_id: ids.CaptureId, act: Act, student_id: ids.StudentId | None = None
) -> photos.Photo:
    """Put a withdrawn photo in force, or one that lost to another which is out of force now; again is no fault.

    It may come in force as another student's than it was, `student_id`'s. As with a rebound one, that student must be
    on the roster; the class is the one that they are in now. A photo that contradicts its check-in, and was
    not held for that, comes in force only as somebody's who is named.
    """
    photo = await locked(work, capture_id)
    holder = student_id or photo.student_id
    if photo.state == "accepted":
        if photo.student_id != holder:
            raise errors.Conflict("photo-moved-meanwhile", capture_id=str(capture_id))
        return photo
    fault = photos.reinstate_fault(photo)
    if fault or holder is None:
        raise errors.Conflict(fault or "capture-cannot-return")
    if student_id is None and await _unlike_checkin(work, photo):
        raise errors.Conflict("photo-unlike-checkin", capture_id=str(capture_id))
    class_id = await _class_of(work, photo, holder)
    accepted, events = photos.accept(replace(photo, student_id=holder, class_id=class_id))
    if not await work.photos.put_in_force(accepted):
        raise errors.Conflict("student-has-photo")
    await work.photos.note(line(work, accepted, "reinstated", act, photo.student_id))
    await work.say(events)
    await _answer(work, accepted, "seen" if holder == photo.shot.student_id else "expected")
    return accepted


async def _unlike_checkin(work: ports.Work, photo: photos.Photo) -> bool:
    """Whether its check-in, which may have come after the photo had lost to another, says another student."""
    if photos.is_held(photo) or photo.shot.checkin_id is None or photo.student_id != photo.shot.student_id:
        return False
    checkin = await work.checkins.get(photo.shot.checkin_id)
    return checkin is not None and checkins.contradicts(checkin, photo.shot)


async def _answer(work: ports.Work, photo: photos.Photo, answer: sessions.Resolution) -> None:
    """A person's word on a photo answers the drift that was told when it was held."""
    drift = await work.sessions.drift(ids.DriftId(photo.shot.capture_id))
    if drift is None or drift.cue != "checkin_unlike" or drift.resolution is not None:
        return
    noted, events = sessions.tell_drift(replace(drift, resolution=answer), drift)
    await work.sessions.save_drift(noted)
    await work.say(events)


async def inspect_again(work: ports.Work, capture_id: ids.CaptureId, act: Act) -> photos.Photo:
    """Have the authority look anew at what it called unreadable; again is no fault while it waits for that."""
    photo = await locked(work, capture_id)
    if photo.state == "received":
        return photo
    if fault := photos.inspect_again_fault(photo):
        raise errors.Conflict(fault)
    anew = photos.inspect_again(photo)
    await work.photos.inspect_again(anew)
    await work.photos.note(line(work, anew, "inspected_again", act, photo.student_id))
    return anew


async def locked(work: ports.Work, capture_id: ids.CaptureId) -> photos.Photo:
    """The photo, held until the transaction ends."""
    photo = await work.photos.get(capture_id, lock=True)
    if photo is None:
        raise errors.NotFound("capture-not-known")
    return photo


async def _in_force(work: ports.Work, capture_id: ids.CaptureId) -> photos.Photo:
    photo = await locked(work, capture_id)
    if photo.state != "accepted":
        raise errors.Conflict("capture-not-in-force")
    return photo


async def _class_of(work: ports.Work, photo: photos.Photo, student_id: ids.StudentId) -> ids.ClassId:
    student = await work.floor.student(student_id)
    if student is None or student.withdrawn or student.campaign_id != photo.shot.campaign_id:
        raise errors.NotFound("student-not-known")
    return student.class_id


def line(work: ports.Work, photo: photos.Photo, act_name: str, act: Act, before: ids.StudentId | None) -> ports.Note:
    """A line of a photo's history."""
    return ports.Note(
        capture_id=photo.shot.capture_id,
        version=photo.version,
        act=act_name,
        author=act.author,
        role=act.role,
        reason=act.reason,
        at=work.now,
        from_student_id=before,
        to_student_id=photo.student_id if photo.state == "accepted" else None,
    )
