"""Check-ins, drifts, seals and stations."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gradphoto_contracts import catalogue, ids
from kit import errors
from services.capture import handlers
from services.capture.domain import checkins, sessions, stations
from services.capture.handlers import desk
from services.capture.handlers import stations as acts
from tests.unit.capture.twins import World

MINUTE = timedelta(seconds=60)


def test_everything_that_capture_hears_has_a_handler() -> None:
    """The routing and the catalogue name the same events."""
    assert set(handlers.HEARS) == {entry.event for entry in catalogue.heard_by("capture")}


def checkin(world: World, student_id: ids.StudentId, ticket: str = "A1-0001") -> checkins.Checkin:
    return checkins.Checkin(
        checkin_id=ids.CheckinId(world.new_id()),
        campaign_id=world.campaign_id,
        student_id=student_id,
        class_id=world.class_id,
        desk_id=world.desk_id,
        station_id=world.station_id,
        ticket=ticket,
        checked_in_at=world.now,
        recorded_at=world.now,
    )


async def test_checkin_is_recorded_once(world: World) -> None:
    """The same check-in again, later and from another worker, is announced once."""
    told = checkin(world, await world.enrol_student())
    await desk.record_checkin(world.work(), told)
    await desk.record_checkin(world.work(), replace(told, recorded_at=world.now + MINUTE))
    assert world.said == ["checkin.recorded"]


@pytest.mark.parametrize("ticket", ["0001", "A1-1", "A1-00001", "A2-0001", "A1-0001 "])
async def test_foreign_or_malformed_ticket_is_refused(world: World, ticket: str) -> None:
    """A 拍摄号 is this desk's code, a dash and four digits."""
    with pytest.raises(errors.Invalid, match="ticket-"):
        await desk.record_checkin(world.work(), checkin(world, await world.enrol_student(), ticket))


async def test_ticket_is_given_once_at_a_desk(world: World) -> None:
    """Two check-ins cannot hold one 拍摄号."""
    await desk.record_checkin(world.work(), checkin(world, await world.enrol_student()))
    with pytest.raises(errors.Conflict, match="ticket-taken"):
        await desk.record_checkin(world.work(), checkin(world, await world.enrol_student()))


async def test_checkin_that_says_otherwise_is_refused(world: World) -> None:
    """A check-in never changes its student."""
    told = checkin(world, await world.enrol_student())
    await desk.record_checkin(world.work(), told)
    with pytest.raises(errors.Conflict, match="checkin-differs"):
        await desk.record_checkin(world.work(), replace(told, student_id=await world.enrol_student()))


async def test_student_may_check_in_at_two_desks(world: World) -> None:
    """After a split two desks may have taken one student: both check-ins are kept, and called out."""
    student_id = await world.enrol_student()
    await desk.record_checkin(world.work(), checkin(world, student_id, "A1-0001"))
    await desk.record_checkin(world.work(), checkin(world, student_id, "A1-0002"))
    assert world.said == ["checkin.recorded", "checkin.recorded", "double.found"]


def drift(world: World, resolution: sessions.Resolution | None = None) -> sessions.Drift:
    return sessions.Drift(
        drift_id=ids.DriftId(world.campaign_id),
        campaign_id=world.campaign_id,
        desk_id=world.desk_id,
        station_id=world.station_id,
        sign="ticket_skipped",
        expected="A1-0003",
        seen="A1-0004",
        suspected_at=world.now,
        resolution=resolution,
    )


@pytest.mark.parametrize("order", [(None, "seen"), ("seen", None), (None, None, "seen", None)])
async def test_drift_ends_resolved_in_any_order(world: World, order: tuple[sessions.Resolution | None, ...]) -> None:
    """A resolution stays, though the older word about the drift comes late or twice."""
    for resolution in order:
        noted = await desk.tell_drift(world.work(), drift(world, resolution))
    assert noted.resolution == "seen"
    versions = [event.version for event in world.events.said]
    assert versions == list(range(1, len(versions) + 1))


async def test_drift_is_not_resolved_twice_differently(world: World) -> None:
    """The first resolution stands."""
    await desk.tell_drift(world.work(), drift(world, "seen"))
    with pytest.raises(errors.Conflict, match="drift-resolved-otherwise"):
        await desk.tell_drift(world.work(), drift(world, "dismiss"))
    with pytest.raises(errors.Conflict, match="drift-differs"):
        await desk.tell_drift(world.work(), replace(drift(world), seen="A1-0009"))


async def invite(world: World) -> tuple[stations.Station, str]:
    return await acts.invite_station(world.work(), acts.InviteStation(world.campaign_id, world.desk_id, "笔记本 1"))


async def test_code_enrols_one_key(world: World) -> None:
    """A one-time code takes one key; that key may ask again for a lost answer, and the code is nowhere in clear."""
    _, code = await invite(world)
    enrolled, _ = await acts.enrol_station(world.work(), code.lower(), "key one")
    await acts.enrol_station(world.work(), code, "key one")
    assert enrolled.public_key_pem == "key one"
    assert code.encode() not in enrolled.code_index
    assert world.said == ["station.enrolled"]
    with pytest.raises(errors.Refused, match="enrolment-code-used"):
        await acts.enrol_station(world.work(), code, "key two")


async def test_expired_unknown_and_revoked_codes_are_refused(world: World) -> None:
    """A code is good for a day, if it is ours and its station is not shut out."""
    invited, code = await invite(world)
    with pytest.raises(errors.Refused, match="enrolment-code-unknown"):
        await acts.enrol_station(world.work(), "ZZZZZZZZZZ", "key")
    world.pass_time(hours=24)
    with pytest.raises(errors.Refused, match="enrolment-code-expired"):
        await acts.enrol_station(world.work(), code, "key")
    await acts.revoke_station(world.work(), invited.station_id)
    with pytest.raises(errors.Refused, match="station-revoked"):
        await acts.enrol_station(world.work(), code, "key")


async def test_desk_that_no_plan_has_gets_no_station(world: World) -> None:
    """A station serves a desk of the published plan."""
    command = acts.InviteStation(world.campaign_id, ids.DeskId(world.new_id()), "笔记本 1")
    with pytest.raises(errors.NotFound, match="desk-not-planned"):
        await acts.invite_station(world.work(), command)


async def test_station_is_seen_lost_and_seen_again(world: World) -> None:
    """Heartbeats are news only after silence, and silence is news once."""
    invited, code = await invite(world)
    await acts.enrol_station(world.work(), code, "key")
    for _ in range(3):
        await acts.note_heartbeat(world.work(), invited.station_id, stations.Health(backlog=3))
    assert await acts.mark_lost_stations(world.work(), 60) == 0
    world.stations.silent = True
    assert await acts.mark_lost_stations(world.work(), 60) == 1
    assert await acts.mark_lost_stations(world.work(), 60) == 0
    await acts.note_heartbeat(world.work(), invited.station_id, stations.Health())
    assert world.said == ["station.enrolled", "station.seen", "station.lost", "station.seen"]
    assert [event.version for event in world.events.said] == [2, 3, 4, 5]
