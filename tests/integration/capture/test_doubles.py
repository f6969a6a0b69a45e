"""A student taken at two desks, on the real database: what only its queries and constraints can show."""

import asyncio
from datetime import timedelta

from gradphoto_contracts import ids, scheduler
from kit import ids as kit_ids
from services.capture import ports, store
from services.capture.domain import checkins, photos, stations
from services.capture.handlers import desk, doubles, inspection
from tests.integration.capture.conftest import Capture

FOUND = photos.Inspection("accept", (), "chsi-2017-99 1", b"composed")


class Instant:
    """Finds every image good at once."""

    async def inspect(self, original: bytes, profile: str, *, compose_refused: bool) -> photos.Inspection:
        return FOUND


async def with_two_desks(capture: Capture) -> ids.DeskId:
    """A second desk in the same hall."""
    second = ids.DeskId(kit_ids.new())
    plan = capture.plan(revision=2)
    other = scheduler.Desk(
        desk_id=second, group_id=capture.group_id, campus_id=capture.campus_id, code="A2", planned_per_hour=90
    )
    await capture.hear(plan.model_copy(update={"desks": (*plan.desks, other)}))
    return second


def told(
    capture: Capture, student_id: ids.StudentId, ticket: str, by: ids.DeskId, *, apart: bool = False
) -> checkins.Checkin:
    return checkins.Checkin(
        checkin_id=ids.CheckinId(kit_ids.new()),
        campaign_id=capture.campaign_id,
        student_id=student_id,
        class_id=capture.class_id,
        desk_id=by,
        station_id=ids.StationId(kit_ids.new()),
        ticket=ticket,
        checked_in_at=capture.clock.now(),
        recorded_at=capture.clock.now(),
        hall_term=None if apart else 1,
        apart=apart,
    )


async def record(capture: Capture, checkin: checkins.Checkin) -> None:
    async with capture.unit() as work:
        await desk.record_checkin(work, checkin)


async def test_after_a_split_both_are_kept_flagged_and_decided(capture: Capture) -> None:
    """Two desks tell at once of one student, each with a photo: all is kept, one is in force, it is called out."""
    second = await with_two_desks(capture)
    student_id = await capture.enrol_student()
    one = told(capture, student_id, "A1-0001", capture.desk_id)
    other = told(capture, student_id, "A2-0001", second, apart=True)
    await asyncio.gather(record(capture, one), record(capture, other))
    (double,) = await capture.rows(store.DOUBLES)
    assert (set(double["checkin_ids"]), double["apart"], double["settled_by"]) == (
        {one.checkin_id, other.checkin_id}, True, None,
    )  # fmt: skip
    for number, checkin in enumerate((one, other)):
        shot = await capture.shoot(
            student_id, bytes([number]) * 50, checkin_id=checkin.checkin_id, ticket=checkin.ticket
        )
        await desk.receive_capture(capture.unit, capture.objects, shot)
    while await inspection.inspect_next(capture.unit, capture.objects, Instant()):
        pass
    states = sorted((row["state"], row["cause"]) for row in await capture.rows(store.CAPTURES))
    assert states == [("accepted", None), ("rejected", "duplicate")]
    async with capture.unit() as work:
        (shown,) = await work.reports.doubles(capture.campaign_id, ports.Scope(), None, 10)
        assert await work.doubles.get(student_id) is not None
    assert shown["settled_by"] == "policy"
    assert len(shown["capture_ids"]) == 2
    said = await capture.said()
    assert (said.count("checkin.recorded"), said.count("double.found"), said.count("double.settled")) == (2, 1, 1)


async def test_what_counts_is_asked_of_the_rows(capture: Capture) -> None:
    """Released, or come to a refused photo only: not counted; retaken, waiting or a duplicate: counted."""
    await with_two_desks(capture)
    student_id = await capture.enrol_student()
    told_of = [told(capture, student_id, f"A1-000{number}", capture.desk_id) for number in range(1, 5)]
    for checkin in told_of:
        await record(capture, checkin)
    released, refused, retaken, waiting = told_of
    async with capture.unit() as work:
        await doubles.release_checkin(work, released.checkin_id, capture.clock.now() + timedelta(seconds=1))
    for checkin, decision in ((refused, "keep"), (retaken, "retake")):
        shot = await capture.shoot(
            student_id, checkin.ticket.encode() * 9, checkin_id=checkin.checkin_id, decision=decision
        )
        await desk.receive_capture(capture.unit, capture.objects, shot)
    async with capture.unit() as work:
        claim = await work.photos.claim(30)
        assert claim
        rejected, _ = photos.reject(claim.photo, "standard", ("P1",))
        await work.photos.save(rejected)
        live = await work.doubles.live(student_id)
    assert [checkin.checkin_id for checkin in live] == [retaken.checkin_id, waiting.checkin_id]


async def test_the_hall_s_list_names_enrolled_stations_of_its_desks(capture: Capture) -> None:
    """In the order of the desks' codes, with key and address; invited and revoked ones are no members."""
    second = await with_two_desks(capture)
    now = capture.clock.now()
    async with capture.unit() as work:
        for code, desk_id, state in (("x", second, "enrolled"), ("y", capture.desk_id, "enrolled"),
                                     ("z", second, "invited"), ("w", second, "revoked")):  # fmt: skip
            station = stations.Station(
                station_id=ids.StationId(kit_ids.new()), campaign_id=capture.campaign_id, desk_id=desk_id, label=code,
                state=state, code_index=code.encode(), code_expires_at=now, created_at=now,  # type: ignore[arg-type]
                public_key_pem=f"key {code}",
            )  # fmt: skip
            await work.stations.add(station)
            await work.stations.note_health(station.station_id, stations.Health(hall_address=f"10.0.0.1:{code}"))
        members = await work.reports.hall(capture.group_id)
    assert [(member["desk_code"], member["public_key_pem"], member["address"]) for member in members] == [
        ("A1", "key y", "10.0.0.1:y"),
        ("A2", "key x", "10.0.0.1:x"),
    ]
