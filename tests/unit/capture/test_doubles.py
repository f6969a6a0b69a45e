"""A student taken at two desks: both are kept, it is called out once, and policy or a person decides."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradphoto_contracts import ids
from gradphoto_contracts.policy import DoubleRule
from kit import errors
from services.capture.domain import checkins, floor, photos
from services.capture.handlers import binding, desk, doubles, inspection
from tests.unit.capture.twins import World

RULES: list[DoubleRule] = ["first_received", "first_shot", "last_shot", "person"]


async def ruled_by(world: World, rule: DoubleRule) -> None:
    """Let the campaign's policy say so."""
    campaign = await world.floor.campaign(world.campaign_id)
    assert campaign
    await world.floor.put_campaign(replace(campaign, double_rule=rule, version=campaign.version + 1))


async def check_in(world: World, student_id: ids.StudentId, ticket: str, *, apart: bool = False) -> checkins.Checkin:
    told = checkins.Checkin(
        checkin_id=ids.CheckinId(world.new_id()),
        campaign_id=world.campaign_id,
        student_id=student_id,
        class_id=world.class_id,
        desk_id=world.desk_id,
        station_id=world.station_id,
        ticket=ticket,
        checked_in_at=world.now,
        recorded_at=world.now,
        apart=apart,
    )
    return await desk.record_checkin(world.work(), told)


async def take_in(world: World, shot: photos.Shot) -> None:
    """Receive a frame and have it inspected."""
    await desk.receive_capture(world.unit, world.objects, shot)
    while await inspection.inspect_next(world.unit, world.objects, world.inspector):
        pass


async def shot_twice(world: World) -> tuple[ids.StudentId, list[photos.Shot]]:
    """A student whom two desks photographed while they were cut off; the frames in the order of the shutters."""
    student_id = await world.enrol_student()
    shots = []
    for number in (1, 2):
        checkin = await check_in(world, student_id, f"A1-000{number}", apart=True)
        shots.append(world.shot(student_id, checkin_id=checkin.checkin_id, ticket=checkin.ticket))
        world.pass_time(seconds=30)
    return student_id, shots


def in_force(world: World, student_id: ids.StudentId) -> list[ids.CaptureId]:
    return [key for key, row in world.photos.rows.items() if row.student_id == student_id and row.state == "accepted"]


@pytest.mark.parametrize(("rule", "order"), list(itertools.product(RULES, [(0, 1), (1, 0)])))
async def test_policy_decides_which_is_in_force(world: World, rule: DoubleRule, order: tuple[int, int]) -> None:
    """One photo is in force, both are kept; by the shutter it is the same one whichever came in first."""
    await ruled_by(world, rule)
    student_id, shots = await shot_twice(world)
    for place in order:
        await take_in(world, shots[place])
    wanted = {"first_shot": 0, "last_shot": 1}.get(rule, order[0])
    assert in_force(world, student_id) == [shots[wanted].capture_id]
    assert len(world.photos.rows) == 2
    double = world.doubles.rows[student_id]
    assert (double.apart, len(double.checkin_ids)) == (True, 2)
    assert double.settled_by == (None if rule == "person" else "policy")
    assert world.said.count("double.found") == 1


@pytest.mark.parametrize("kept", [0, 1])
async def test_a_person_decides(world: World, kept: int) -> None:
    """Whoever may rebind names the photo; named again, nothing more is said."""
    await ruled_by(world, "person")
    student_id, shots = await shot_twice(world)
    for shot in shots:
        await take_in(world, shot)
    act = binding.Act("registrar", "crew_lead", "similarity")
    for _ in range(2):
        settled = await doubles.settle_double(world.work(), student_id, shots[kept].capture_id, act)
    assert (settled.settled_by, settled.kept_capture_id) == ("person", shots[kept].capture_id)
    assert in_force(world, student_id) == [shots[kept].capture_id]
    assert world.said.count("double.settled") == 1


async def test_only_the_student_s_own_photo_can_be_named(world: World) -> None:
    """Another student's photo settles nothing."""
    student_id, shots = await shot_twice(world)
    other = world.shot(await world.enrol_student())
    for shot in (*shots, other):
        await take_in(world, shot)
    with pytest.raises(errors.NotFound, match="double-not-known"):
        await doubles.settle_double(world.work(), student_id, other.capture_id, binding.Act("x", "crew_lead", "y"))


async def test_who_walked_off_and_came_again_is_no_double(world: World) -> None:
    """A released check-in does not count, also when its release comes after the second check-in."""
    student_id = await world.enrol_student()
    first = await check_in(world, student_id, "A1-0001")
    await doubles.release_checkin(world.work(), first.checkin_id, world.now)
    await check_in(world, student_id, "A1-0002")
    assert world.doubles.rows == {}
    late = await world.enrol_student()
    first = await check_in(world, late, "A1-0003")
    await check_in(world, late, "A1-0004")
    assert world.doubles.rows[late].settled_by is None
    await doubles.release_checkin(world.work(), first.checkin_id, world.now)
    await doubles.release_checkin(world.work(), first.checkin_id, world.now + timedelta(seconds=9))
    assert world.doubles.rows[late].settled_by == "released"
    assert world.said.count("double.settled") == 1


async def test_who_was_refused_and_came_again_is_no_double(world: World) -> None:
    """A check-in that came to a refused photo does not count against the next."""
    student_id = await world.enrol_student()
    first = await check_in(world, student_id, "A1-0001")
    world.inspector.verdict = "reject"
    await take_in(world, world.shot(student_id, checkin_id=first.checkin_id, ticket=first.ticket))
    await check_in(world, student_id, "A1-0002")
    assert world.doubles.rows == {}


async def test_a_release_waits_for_its_checkin(world: World) -> None:
    """Told too early, it is to be told again."""
    with pytest.raises(errors.Unavailable, match="checkin-not-known-yet"):
        await doubles.release_checkin(world.work(), ids.CheckinId(world.new_id()), world.now)


async def test_a_desk_tells_of_a_checkin_of_its_hall(world: World) -> None:
    """The ticket says whose it is; told by both desks it is one check-in; another group's is refused."""
    known = await world.floor.desk(world.desk_id)
    assert known
    other = replace(known, desk_id=ids.DeskId(world.new_id()), code="A2")
    far = replace(known, desk_id=ids.DeskId(world.new_id()), code="B1", group_id=ids.GroupId(world.new_id()))
    await world.floor.put_desks([other, far])
    student_id = await world.enrol_student()
    told = await check_in(world, student_id, "A2-0001")
    assert told.desk_id == other.desk_id
    again = replace(told, desk_id=other.desk_id, station_id=ids.StationId(world.new_id()))
    assert (await desk.record_checkin(world.work(), again)).station_id == told.station_id
    with pytest.raises(errors.Invalid, match="ticket-of-another-desk"):
        await check_in(world, student_id, "B1-0001")


@given(st.permutations([0, 1, 2]), st.sampled_from(["first_shot", "last_shot"]))
async def test_of_three_photos_policy_takes_the_same_in_any_order(order: list[int], rule: DoubleRule) -> None:
    """What is in force does not hang on which upload was quickest."""
    world = World()
    await world.open()
    await ruled_by(world, rule)
    student_id, shots = await shot_twice(world)
    shots.append(world.shot(student_id))
    for place in order:
        await take_in(world, shots[place])
    assert in_force(world, student_id) == [shots[0 if rule == "first_shot" else 2].capture_id]


def test_the_policy_is_kept_with_the_campaign() -> None:
    """The copy of the campaign has room for every rule of the contract."""
    assert floor.Campaign.__dataclass_fields__["double_rule"].type is DoubleRule
