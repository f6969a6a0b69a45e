"""Two transactions at the same moment, held where they would hurt each other."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from gradphoto_contracts import ids
from kit import ids as kit_ids
from services.capture import ports, store
from services.capture.domain import checkins, photos
from services.capture.handlers import desk, doubles, inspection
from services.capture.store import desk as desk_store
from tests.integration.capture.conftest import Capture
from tests.integration.capture.test_doubles import told

FOUND = photos.Inspection("accept", (), "chsi-2017-99 1", b"composed")


async def until_somebody_waits(capture: Capture) -> None:
    """Until a transaction of this database waits for a lock that another holds."""
    waiting = sa.text(
        "select count(*) from pg_locks where not granted and locktype = 'advisory'"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    until = time.monotonic() + 120
    while time.monotonic() < until:
        async with capture.database.read() as tx:
            if (await tx.execute(waiting)).scalar_one():
                return
        await asyncio.sleep(0.02)
    raise AssertionError("nobody waits")


async def test_walk_off_and_roster_do_not_overwrite_each_other(capture: Capture) -> None:
    """A release that has read the check-in, and waits, does not put back what roster says meanwhile."""
    student_id = ids.StudentId(kit_ids.new())
    checkin = checkins.Checkin(**{**vars(told(capture, student_id, "A1-0001", capture.desk_id)), "class_id": None})
    async with capture.unit() as work:
        await desk.record_checkin(work, checkin)

    async def release() -> None:
        async with capture.unit() as work:
            await doubles.release_checkin(work, checkin.checkin_id, capture.clock.now())

    async with capture.unit() as work:
        await work.doubles.lock(student_id)
        leaving = asyncio.create_task(release())
        await until_somebody_waits(capture)
        await capture.hear(capture.student(student_id))
    await leaving
    (row,) = await capture.rows(store.CHECKINS)
    assert (row["class_id"], row["released_at"] is None) == (capture.class_id, False)
    assert await capture.said() == ["checkin.recorded"]


async def contradicting(capture: Capture) -> tuple[checkins.Checkin, ports.Claim]:
    """A check-in that has not come, and the claim of a frame that names it and says another student."""
    students = [await capture.enrol_student(number) for number in (1, 2)]
    checkin = told(capture, students[0], "A1-0001", capture.desk_id)
    shot = await capture.shoot(students[1], checkin_id=checkin.checkin_id, ticket=checkin.ticket)
    await desk.receive_capture(capture.unit, capture.objects, shot)
    async with capture.unit() as work:
        claim = await work.photos.claim(300)
    assert claim
    return checkin, claim


@asynccontextmanager
async def deciding(capture: Capture, claim: ports.Claim) -> AsyncIterator[None]:
    """The frame is decided in a transaction that has not ended yet."""
    async with capture.unit() as work:
        decided = await inspection.decide_photo(work, claim, FOUND, "0" * 64)
        assert decided
        assert decided.state == "accepted"
        yield


async def record(capture: Capture, checkin: checkins.Checkin) -> None:
    async with capture.unit() as work:
        await desk.record_checkin(work, checkin)


async def test_a_checkin_and_its_frame_do_not_pass_each_other(capture: Capture) -> None:
    """Decided and recorded at once, neither seeing the other: the check-in waits, and then sees the photo."""
    checkin, claim = await contradicting(capture)
    async with deciding(capture, claim):
        recording = asyncio.create_task(record(capture, checkin))
        await until_somebody_waits(capture)
    await recording
    (row,) = await capture.rows(store.CAPTURES)
    assert (row["state"], row["cause"]) == ("withdrawn", "checkin")
    assert (await capture.said())[1:] == ["photo.accepted", "checkin.recorded", "photo.withdrawn", "drift.suspected"]


async def test_without_the_lock_they_do(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: recorded before the decision is there to be seen, and the wrong photo is in force."""

    async def no_lock(_self: desk_store.Checkins, _checkin_id: ids.CheckinId) -> None:
        return None

    monkeypatch.setattr(desk_store.Checkins, "lock", no_lock)
    checkin, claim = await contradicting(capture)
    async with deciding(capture, claim):
        await record(capture, checkin)
    (row,) = await capture.rows(store.CAPTURES)
    assert row["state"] == "accepted"


async def test_a_held_photo_is_listed_for_review_and_answered(capture: Capture) -> None:
    """It survives its row, stands in the list of what a person must look at, and is nobody's photo in force."""
    checkin, claim = await contradicting(capture)
    await record(capture, checkin)
    async with capture.unit() as work:
        await inspection.decide_photo(work, claim, FOUND, "0" * 64)
    async with capture.unit() as work:
        (listed,) = await work.reports.captures(capture.campaign_id, ports.Scope(), None, 10, review=True)
        assert await work.reports.photos(capture.campaign_id, ports.Scope(), None, 10) == []
        drift = await work.sessions.drift(ids.DriftId(claim.photo.shot.capture_id))
    assert (listed["state"], listed["cause"]) == ("withdrawn", "checkin")
    assert drift
    assert (drift.cue, drift.expected) == ("checkin_unlike", "A1-0001")
