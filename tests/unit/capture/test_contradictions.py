"""A frame that says another student than the check-in it names: held, called out, decided by a person."""

from dataclasses import replace
from typing import Any

import pytest

from gradphoto_contracts import capture, ids
from kit import errors
from services.capture.domain import checkins, photos
from services.capture.handlers import binding, desk, inspection
from tests.unit.capture.test_desk import checkin
from tests.unit.capture.twins import World

LEAD = binding.Act("lead", "crew_lead", "wrong_person")


async def frame(world: World, told: checkins.Checkin, **other: Any) -> photos.Shot:
    """A frame of that check-in, as a sound desk tells it but for `other`."""
    facts = {"student_id": told.student_id, "checkin_id": told.checkin_id, "ticket": told.ticket, **other}
    return replace(world.shot(told.student_id), **facts)


async def play(world: World, told: checkins.Checkin, shot: photos.Shot, order: str) -> photos.Photo:
    """C: the check-in, F: the frame, I: inspection, in this order; the photo as it is then."""
    for act in order:
        if act == "C":
            await desk.record_checkin(world.work(), told)
        elif act == "F":
            await desk.receive_capture(world.unit, world.objects, shot)
        else:
            while await inspection.inspect_next(world.unit, world.objects, world.inspector):
                pass
    return world.photos.rows[shot.capture_id]


ORDERS = ("CFI", "FCI", "FIC", "CFIC", "FICFC")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("wrong", ["student", "ticket"])
async def test_a_frame_that_contradicts_its_checkin_is_held(world: World, order: str, wrong: str) -> None:
    """Whichever comes first, and again: out of force, in the history, told once as a drift of its desk."""
    told = checkin(world, await world.enrol_student())
    other = {"student_id": await world.enrol_student()} if wrong == "student" else {"ticket": "A1-0002"}
    shot = await frame(world, told, **other)
    photo = await play(world, told, shot, order)
    assert (photo.state, photo.cause) == ("withdrawn", "checkin")
    assert [(note.act, note.author, note.reason) for note in world.photos.notes] == [
        ("held", "server", "checkin_unlike")
    ]
    (drift,) = [event for event in world.events.said if isinstance(event, capture.DriftSuspectedV1)]
    assert (str(drift.drift_id), drift.cue, drift.expected, drift.seen) == (
        str(shot.capture_id), "checkin_unlike", "A1-0001", shot.ticket,
    )  # fmt: skip
    was_in_force = order.startswith("FI")
    told_of = [said for said in world.said if said.startswith("photo.")]
    assert told_of == ["photo.received", *(["photo.accepted", "photo.withdrawn"] if was_in_force else [])]


@pytest.mark.parametrize("order", ORDERS)
async def test_a_frame_that_says_the_same_comes_in_force(world: World, order: str) -> None:
    """Negative control: also in every order, and for who was let in or taken over by another desk."""
    told = checkin(world, await world.enrol_student())
    photo = await play(world, told, await frame(world, told), order)
    assert photo.state == "accepted"
    assert "drift.suspected" not in world.said


async def held(world: World) -> tuple[photos.Photo, ids.StudentId]:
    """A held photo, and the student of its check-in."""
    told = checkin(world, await world.enrol_student())
    photo = await play(world, told, await frame(world, told, student_id=await world.enrol_student()), "CFI")
    return photo, told.student_id


@pytest.mark.parametrize(("whose", "answer"), [("frame", "seen"), ("checkin", "expected")])
async def test_a_person_says_whose_it_is(world: World, whose: str, answer: str) -> None:
    """In force for the one or the other student, with the drift resolved; the same check-in again undoes nothing."""
    photo, of_checkin = await held(world)
    student_id = None if whose == "frame" else of_checkin
    for _ in range(2):
        back = await binding.reinstate_photo(world.work(), photo.shot.capture_id, LEAD, student_id)
    assert (back.state, back.cause, back.student_id) == ("accepted", None, student_id or photo.student_id)
    assert world.said[-2:] == ["photo.accepted", "drift.suspected"]
    told_last = world.events.said[-1]
    assert isinstance(told_last, capture.DriftSuspectedV1)
    assert told_last.resolution == answer
    (told,) = world.checkins.rows.values()
    await desk.record_checkin(world.work(), told)
    assert world.photos.rows[photo.shot.capture_id].state == "accepted"
    with pytest.raises(errors.Conflict, match="photo-moved-meanwhile"):
        await binding.reinstate_photo(world.work(), photo.shot.capture_id, LEAD, await world.enrol_student())


async def test_a_held_photo_may_be_nobody_s(world: World) -> None:
    """Withdrawn it is off the list, its drift dismissed, with a line of history; then only a named student has it."""
    photo, of_checkin = await held(world)
    for _ in range(2):
        aside = await binding.withdraw_photo(world.work(), photo.shot.capture_id, LEAD)
    assert (aside.state, aside.cause, aside.version) == ("withdrawn", None, photo.version + 1)
    assert [note.act for note in world.photos.notes] == ["held", "withdrawn"]
    told_last = world.events.said[-1]
    assert isinstance(told_last, capture.DriftSuspectedV1)
    assert told_last.resolution == "dismiss"
    with pytest.raises(errors.Conflict, match="photo-unlike-checkin"):
        await binding.reinstate_photo(world.work(), photo.shot.capture_id, LEAD)
    back = await binding.reinstate_photo(world.work(), photo.shot.capture_id, LEAD, of_checkin)
    assert (back.state, back.student_id) == ("accepted", of_checkin)


async def test_a_check_in_that_comes_after_a_photo_lost_is_not_forgotten(world: World) -> None:
    """A duplicate that contradicts it does not come in force as the frame's student without a person naming them."""
    told = checkin(world, await world.enrol_student())
    student_id = await world.enrol_student()
    first = replace(world.shot(student_id), checkin_id=None, ticket=None)
    assert (await play(world, told, first, "FI")).state == "accepted"
    shot = await frame(world, told, student_id=student_id)
    assert ((await play(world, told, shot, "FIC")).cause) == "duplicate"
    await binding.withdraw_photo(world.work(), first.capture_id, LEAD)
    with pytest.raises(errors.Conflict, match="photo-unlike-checkin"):
        await binding.reinstate_photo(world.work(), shot.capture_id, LEAD)
    named = await binding.reinstate_photo(world.work(), shot.capture_id, LEAD, student_id)
    assert (named.state, named.student_id) == ("accepted", student_id)


async def test_what_a_person_has_moved_is_left_to_them(world: World) -> None:
    """Staff put it right before the check-in came: the check-in takes nothing out of force."""
    told = checkin(world, await world.enrol_student())
    shot = await frame(world, told, student_id=await world.enrol_student())
    photo = await play(world, told, shot, "FI")
    assert photo.student_id is not None
    move = binding.Move(told.student_id, photo.student_id)
    await binding.rebind_photos(world.work(), {shot.capture_id: move}, LEAD)
    assert (await play(world, told, shot, "C")).state == "accepted"


async def test_a_number_comes_with_its_checkin(world: World) -> None:
    """Else there would be nothing to hold it against."""
    told = checkin(world, await world.enrol_student())
    with pytest.raises(errors.Invalid, match="capture-ticket-without-checkin"):
        await play(world, told, await frame(world, told, checkin_id=None), "F")
