"""A shifted range: every photo of it moves by as many places, nobody gets two, nothing vanishes, and back again."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradphoto_contracts import ids
from services.capture.domain import photos, ranges
from tests.unit.capture.twins import NOW

DESK = ids.DeskId(UUID(int=9))


def student(place: int) -> ids.StudentId:
    return ids.StudentId(UUID(int=1000 + place))


def photo(place: int, owner: int, desk: ids.DeskId = DESK) -> photos.Photo:
    shot = photos.Shot(
        capture_id=ids.CaptureId(UUID(int=5000 + place)),
        campaign_id=ids.CampaignId(UUID(int=1)),
        desk_id=desk,
        station_id=ids.StationId(UUID(int=2)),
        student_id=student(place),
        checkin_id=None,
        ticket=number(place),
        sha256="0" * 64,
        size_bytes=1,
        shutter_at=NOW,
        camera_serial="V1",
        frame_counter=place,
        monotonic_ns=place,
        decision="keep",
        override_role=None,
        override_mark=None,
        desk_verdict=None,
        desk_rules=(),
    )
    return photos.Photo(shot, student(owner), ids.ClassId(UUID(int=3)), "accepted", NOW)


def number(place: int) -> str:
    return f"A-{place:04d}"


def line(count: int, without: frozenset[int] = frozenset()) -> list[ranges.Place]:
    """So many numbers; those `without` have no photo."""
    return [
        ranges.Place(number(place), student(place), None if place in without else photo(place, place))
        for place in range(1, count + 1)
    ]


def shift(first: int, last: int, places: int, *skip: int) -> ranges.Shift:
    return ranges.Shift(DESK, number(first), number(last), places, frozenset(number(place) for place in skip))


def moved(places: list[ranges.Place], plan: ranges.Plan) -> list[ranges.Place]:
    """The line after the plan was done."""
    held = {place.photo.shot.capture_id: place.photo for place in places if place.photo}
    owner = {key: plan.moves.get(key, known.student_id) for key, known in held.items()}
    of = {student_id: key for key, student_id in owner.items()}
    return [
        replace(place, photo=replace(held[of[place.student_id]], student_id=place.student_id))
        if place.student_id in of
        else replace(place, photo=None)
        for place in places
    ]


def codes(plan: ranges.Plan) -> list[str]:
    return [fault.code for fault in plan.faults]


def test_a_class_that_slipped_by_one_is_put_right() -> None:
    """The holder of 2 walked off unseen, so each photo from 2 on shows the next one; the last has none."""
    plan = ranges.plan(line(5, frozenset({5})), shift(2, 4, 1))
    assert not plan.faults
    assert {key.int - 5000: value.int - 1000 for key, value in plan.moves.items()} == {2: 3, 3: 4, 4: 5}
    assert [(row.ticket, row.before is None, row.after is None) for row in plan.rows] == [
        ("A-0002", False, True), ("A-0003", False, False), ("A-0004", False, False), ("A-0005", True, False),
    ]  # fmt: skip


def test_numbers_that_nobody_used_are_stepped_over() -> None:
    """3 was released at the desk: the photo of 2 moves on to 4."""
    plan = ranges.plan(line(5, frozenset({3, 5})), shift(2, 4, 1, 3))
    assert {key.int - 5000: value.int - 1000 for key, value in plan.moves.items()} == {2: 4, 4: 5}


def test_looking_moves_nothing() -> None:
    """Zero places show the range as it is."""
    plan = ranges.plan(line(4), shift(1, 4, 0))
    assert (plan.moves, plan.faults, len(plan.rows)) == ({}, (), 4)
    assert not any(row.changes for row in plan.rows)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (shift(1, 3, 1), "range-place-taken"),
        (shift(2, 5, 1), "range-runs-out"),
        (shift(1, 4, -1), "range-runs-out"),
        (shift(4, 2, 1), "range-too-long"),
        (shift(1, 9, 1), "range-ticket-unknown"),
        (shift(1, 2, 1, 2), "range-ticket-unknown"),
        (shift(1, 5, 51), "range-too-far"),
    ],
)
def test_what_cannot_be_done_is_said(asked: ranges.Shift, code: str) -> None:
    """A place taken, no place at all, numbers that are not there: each its own fault."""
    assert codes(ranges.plan(line(5), asked))[0] == code


def test_what_is_not_settled_is_not_moved() -> None:
    """A photo in inspection would land on the wrong one afterwards; one of another desk does not go along."""
    places = line(4, frozenset({4}))
    assert codes(ranges.plan([places[0], replace(places[1], waiting=True), *places[2:]], shift(1, 3, 1))) == [
        "range-not-settled"
    ]
    elsewhere = replace(places[1], photo=photo(2, 2, ids.DeskId(UUID(int=8))))
    assert codes(ranges.plan([places[0], elsewhere, *places[2:]], shift(1, 3, 1))) == ["range-photo-of-another-desk"]


def test_a_change_shows_in_the_lines() -> None:
    """Another version of one photo, or another holder, and the preview is not the same any more."""
    places, asked = line(4, frozenset({4})), shift(1, 3, 1)
    before = list(ranges.plan(places, asked).lines())
    changed = places[1].photo
    assert changed
    newer = [places[0], replace(places[1], photo=replace(changed, version=2)), *places[2:]]
    assert list(ranges.plan(newer, asked).lines()) != before
    assert list(ranges.plan(places, asked).lines()) == before


@given(
    count=st.integers(1, 12),
    without=st.frozensets(st.integers(1, 12)),
    first=st.integers(1, 12),
    length=st.integers(1, 12),
    by=st.integers(-4, 4),
)
@settings(deadline=None)
def test_nothing_vanishes_and_back_is_as_before(
    count: int, without: frozenset[int], first: int, length: int, by: int
) -> None:
    """A shift without faults gives nobody two photos, loses none, and the opposite shift puts all back."""
    places = line(count, without)
    plan = ranges.plan(places, shift(first, first + length - 1, by))
    if plan.faults:
        return
    assert len(set(plan.moves.values())) == len(plan.moves)
    after = moved(places, plan)
    assert sum(place.photo is not None for place in after) == sum(place.photo is not None for place in places)
    for row in plan.rows:
        now = next(place.photo for place in after if place.ticket == row.ticket)
        assert (now.shot.capture_id if now else None) == (row.after.shot.capture_id if row.after else None)
    low, high = first + by, first + length - 1 + by
    there = [place.photo.shot.capture_id for place in after[low - 1 : high] if place.photo] if low >= 1 else []
    # Back is the opposite only where nothing else stands in the range already.
    if low >= 1 and high <= count and set(there) == set(plan.moves):
        back = ranges.plan(after, shift(low, high, -by))
        occupied = {place.ticket for place in places if place.photo}
        if not back.faults:
            assert {place.ticket for place in moved(after, back) if place.photo} == occupied
