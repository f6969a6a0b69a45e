"""Whose photo it is: rebinding, withdrawing, putting in force after all. Each with author, reason and history."""

from collections.abc import Mapping
from dataclasses import dataclass

from gradphoto_contracts import ids
from kit import errors
from services.capture import ports
from services.capture.domain import photos


@dataclass(frozen=True)
class Act:
    """Who does it, as what, and why."""

    author: str
    role: str
    reason: str


async def rebind_photos(work: ports.Work, moves: Mapping[ids.CaptureId, ids.StudentId], act: Act) -> list[photos.Photo]:
    """Move photos in force to other students, all or none. A photo that is there already stays as it is."""
    asked = [(await _in_force(work, capture_id), student_id) for capture_id, student_id in sorted(moves.items())]
    moved, notes = [], []
    for photo, student_id in asked:
        if photo.student_id == student_id:
            continue
        after, events = photos.rebind(photo, student_id, await _class_of(work, photo, student_id), act.reason)
        moved.append(after)
        notes.append((photo, after, events))
    if not await work.photos.move(moved):
        raise errors.Conflict("student-has-photo")
    for photo, after, events in notes:
        await work.photos.note(_note(work, after, "rebound", act, photo.student_id))
        await work.say(events)
    done = {photo.shot.capture_id: photo for photo in moved}
    return [done.get(photo.shot.capture_id, photo) for photo, _ in asked]


async def withdraw_photo(work: ports.Work, capture_id: ids.CaptureId, act: Act) -> photos.Photo:
    """Take a photo out of force; again is no fault."""
    photo = await locked(work, capture_id)
    if photo.state == "withdrawn":
        return photo
    if photo.state != "accepted":
        raise errors.Conflict("capture-not-in-force")
    withdrawn, events = photos.withdraw(photo, act.reason)
    await work.photos.save(withdrawn)
    await work.photos.note(_note(work, withdrawn, "withdrawn", act, photo.student_id))
    await work.say(events)
    return withdrawn


async def reinstate_photo(work: ports.Work, capture_id: ids.CaptureId, act: Act) -> photos.Photo:
    """Put a withdrawn photo in force, or one that lost to another which is out of force now; again is no fault."""
    photo = await locked(work, capture_id)
    if photo.state == "accepted":
        return photo
    if fault := photos.reinstate_fault(photo):
        raise errors.Conflict(fault)
    accepted, events = photos.accept(photo)
    if not await work.photos.put_in_force(accepted):
        raise errors.Conflict("student-has-photo")
    await work.photos.note(_note(work, accepted, "reinstated", act, photo.student_id))
    await work.say(events)
    return accepted


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


def _note(work: ports.Work, photo: photos.Photo, act_name: str, act: Act, before: ids.StudentId | None) -> ports.Note:
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
