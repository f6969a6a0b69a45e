"""What only the real database can show: constraints, races, claims, queries."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

import pytest
import sqlalchemy as sa

from gradphoto_contracts import ids, roster
from kit import db, errors, metrics
from kit import ids as kit_ids
from services.capture import ports, store
from services.capture.domain import floor, photos, stations
from services.capture.handlers import binding, desk, inspection
from services.capture.handlers import stations as station_acts
from tests.integration.capture.conftest import Capture

FOUND = photos.Inspection("accept", (), "chsi-2017-99 1", b"composed")


class Instant:
    """Finds every image good at once."""

    async def inspect(self, original: bytes, profile: str, *, compose_refused: bool) -> photos.Inspection:
        return FOUND


async def receive(capture: Capture, shot: photos.Shot) -> photos.Photo:
    return await desk.receive_capture(capture.unit, capture.objects, shot)


async def inspect_all(capture: Capture) -> None:
    while await inspection.inspect_next(capture.unit, capture.objects, Instant()):
        pass


async def test_migrations_lead_to_the_tables(fresh_database: Callable[..., str], postgres_url: str) -> None:
    """Nothing stands between the migrated schema and the metadata."""
    name = urlsplit(fresh_database("capture")).path
    url = urlunsplit(urlsplit(postgres_url)._replace(path=name))
    assert await db.differences(url, store.METADATA) == []


async def test_twenty_same_puts_at_once_are_one(capture: Capture) -> None:
    """However many workers take the same frame at the same moment, it is stored and announced once."""
    shot = await capture.shoot(await capture.enrol_student())
    taken = await asyncio.gather(*(receive(capture, shot) for _ in range(20)))
    assert {photo.shot.capture_id for photo in taken} == {shot.capture_id}
    assert await capture.said() == ["photo.received"]


async def test_photo_survives_the_way_through_its_row(capture: Capture) -> None:
    """A photo read back is the photo that was written, to the last field."""
    shot = await capture.shoot(
        await capture.enrol_student(),
        decision="override",
        desk_rules=("H2", "X4"),
    )
    override = desk.Override("registrar", "戴镜习惯", capture.clock.now())
    written = await desk.receive_capture(capture.unit, capture.objects, shot, override)
    async with capture.unit() as work:
        read = await work.photos.get(shot.capture_id)
    assert read == written


async def decide_both(capture: Capture, claims: list[ports.Claim]) -> None:
    """Accept two photos in two transactions that run at the same time."""
    gate = asyncio.Barrier(len(claims))

    async def accept(claim: ports.Claim) -> None:
        async with capture.unit() as work:
            await gate.wait()
            await inspection.decide_photo(work, claim, FOUND, "0" * 64)

    await asyncio.gather(*(accept(claim) for claim in claims))


async def two_claims(capture: Capture) -> list[ports.Claim]:
    student_id = await capture.enrol_student()
    for _ in range(2):
        await receive(capture, await capture.shoot(student_id))
    claims = []
    for _ in range(2):
        async with capture.unit() as work:
            claim = await work.photos.claim(30)
        assert claim is not None
        claims.append(claim)
    return claims


async def test_two_photos_of_one_student_accepted_at_once_leave_one_in_force(capture: Capture) -> None:
    """Whoever races, exactly one photo is in force; the other is a duplicate, and both are kept."""
    await decide_both(capture, await two_claims(capture))
    rows = await capture.rows(store.CAPTURES)
    assert sorted((row["state"], row["cause"]) for row in rows) == [("accepted", None), ("rejected", "duplicate")]
    photos_told = [said for said in await capture.said() if said.startswith("photo.")]
    assert sorted(photos_told[2:]) == ["photo.accepted", "photo.rejected"]


async def test_without_the_index_two_would_be_in_force(capture: Capture) -> None:
    """Negative control: it is the index, and nothing else, that keeps the second photo out."""
    async with capture.database.transaction() as tx:
        await tx.execute(sa.text("drop index capture.uq_captures_in_force"))
    await decide_both(capture, await two_claims(capture))
    assert [row["state"] for row in await capture.rows(store.CAPTURES)] == ["accepted", "accepted"]


async def test_claims_are_exclusive_until_the_lease_runs_out(capture: Capture) -> None:
    """One worker a photo; a worker that was killed loses it when its lease ends, and its late word is dropped."""
    await receive(capture, await capture.shoot(await capture.enrol_student()))

    async def claim(lease_s: float = 30) -> ports.Claim | None:
        async with capture.unit() as work:
            return await work.photos.claim(lease_s)

    first = await claim(lease_s=0.2)
    assert first is not None
    assert await claim() is None
    await asyncio.sleep(0.3)
    second = await claim()
    assert second is not None
    assert second.attempt == 2
    async with capture.unit() as work:
        assert await inspection.decide_photo(work, first, FOUND, "0" * 64) is None
        decided = await inspection.decide_photo(work, second, FOUND, "0" * 64)
    assert decided is not None
    assert decided.state == "accepted"


async def test_many_workers_share_the_work(capture: Capture) -> None:
    """Ten workers on thirty photos inspect each once."""
    for ordinal in range(1, 31):
        await receive(capture, await capture.shoot(await capture.enrol_student(ordinal)))
    await asyncio.gather(*(inspect_all(capture) for _ in range(10)))
    rows = await capture.rows(store.CAPTURES)
    assert {(row["state"], row["attempts"]) for row in rows} == {("accepted", 1)}
    assert (await capture.said()).count("photo.accepted") == 30


async def test_swap_passes_the_index(capture: Capture) -> None:
    """Two photos change their students in one transaction though the index never allows two on one."""
    students = [await capture.enrol_student(number) for number in (1, 2)]
    shots = [await capture.shoot(student_id) for student_id in students]
    for shot in shots:
        await receive(capture, shot)
    await inspect_all(capture)
    act = binding.Act("lead", "crew_lead", "wrong_person")
    whose = {shots[0].capture_id: students[1], shots[1].capture_id: students[0]}
    moves = {key: binding.Move(one, other) for (key, one), other in zip(whose.items(), students, strict=True)}
    async with capture.unit() as work:
        await binding.rebind_photos(work, moves, act)
    rows = {row["capture_id"]: row for row in await capture.rows(store.CAPTURES)}
    assert {key: row["student_id"] for key, row in rows.items()} == whose
    assert rows[shots[0].capture_id]["shot_student_id"] == students[0]
    third = await capture.enrol_student(3)
    with pytest.raises(errors.Conflict, match="student-has-photo"):
        async with capture.unit() as work:
            await binding.rebind_photos(work, {key: binding.Move(third, one) for key, one in whose.items()}, act)
    after = {row["capture_id"]: row["student_id"] for row in await capture.rows(store.CAPTURES)}
    assert after == whose


async def test_history_only_grows(capture: Capture) -> None:
    """The database itself refuses to change or delete a line of the history, and to empty a table that only grows."""
    student_id = await capture.enrol_student()
    shot = await capture.shoot(student_id)
    await receive(capture, shot)
    await inspect_all(capture)
    async with capture.unit() as work:
        await binding.withdraw_photo(work, shot.capture_id, binding.Act("lead", "crew_lead", "bad_photo"))
    growing = ("history", "views", "derivatives", "let_in", "consents")
    changes = ("update capture.history set act = 'x'", "delete from capture.history")
    for statement in (*changes, *(f"truncate capture.{table}" for table in growing)):
        with pytest.raises(sa.exc.DBAPIError, match="only grows"):
            async with capture.database.transaction() as tx:
                await tx.execute(sa.text(statement))


async def test_older_word_about_a_student_is_ignored(capture: Capture) -> None:
    """Events that come late or out of order change nothing that is newer; a withdrawal that comes first stays."""
    student_id = ids.StudentId(kit_ids.new())
    gone = roster.StudentWithdrawnV1(
        student_id=student_id, campaign_id=capture.campaign_id, class_id=capture.class_id, version=2
    )
    await capture.hear(gone)
    await capture.hear(capture.student(student_id))
    await capture.hear(gone)
    (row,) = await capture.rows(store.STUDENTS, store.STUDENTS.c.student_id == student_id)
    assert (row["withdrawn"], row["version"]) == (True, 2)


async def test_newer_plan_changes_a_desk_and_an_older_one_does_not(capture: Capture) -> None:
    """The desk is as the newest revision says, whatever comes last."""
    await capture.hear(capture.plan(revision=3, per_hour=120))
    await capture.hear(capture.plan(revision=2, per_hour=60))
    (row,) = await capture.rows(store.DESKS)
    assert (row["planned_per_hour"], row["revision"]) == (120, 3)


async def test_waiting_photo_is_resolved_by_the_sweep(capture: Capture) -> None:
    """A photo whose student became known without being told of it goes on at the next sweep."""
    student_id = ids.StudentId(kit_ids.new())
    shot = await capture.shoot(student_id)
    await receive(capture, replace(shot, checkin_id=ids.CheckinId(kit_ids.new())))
    async with capture.unit() as work:
        assert list(await work.photos.awaited(10)) == []
        known = capture.student(student_id).model_dump(exclude={"campus_id", "cohort"})
        await work.floor.put_student(floor.Student(**known, withdrawn=False))
        (student,) = await work.photos.awaited(10)
    assert student.student_id == student_id


async def _enrolled_station(capture: Capture) -> ids.StationId:
    async with capture.unit() as work:
        command = station_acts.InviteStation(capture.campaign_id, capture.desk_id, "笔记本")
        invited, code = await station_acts.invite_station(work, command)
        await station_acts.enrol_station(work, code, "key")
    return invited.station_id


async def _shown(capture: Capture) -> list[str]:
    """What /metrics tells of the fleet after a look at the database."""
    async with capture.unit() as work:
        await station_acts.show_fleet(work)
    told = metrics.exposition().decode().splitlines()
    return [line for line in told if line.startswith(("gradphoto_station_online{", "gradphoto_station_backlog{"))]


async def test_fleet_is_shown_from_the_database(capture: Capture) -> None:
    """A process that did not hear the station itself tells the same of it: heard, lost, gone when revoked or closed."""
    station_id = await _enrolled_station(capture)
    async with capture.unit() as work:
        await station_acts.note_heartbeat(work, station_id, stations.Health(backlog=7))
    place = '{campus="boda",desk="A1"}'
    assert await _shown(capture) == [f"gradphoto_station_backlog{place} 7.0", f"gradphoto_station_online{place} 1.0"]
    async with capture.unit() as work:
        assert await station_acts.mark_lost_stations(work, 0) == 1
    assert f"gradphoto_station_online{place} 0.0" in await _shown(capture)
    async with capture.unit() as work:
        await station_acts.revoke_station(work, station_id)
    assert await _shown(capture) == []
    another = await _enrolled_station(capture)
    async with capture.unit() as work:
        await station_acts.note_heartbeat(work, another, stations.Health())
    assert f"gradphoto_station_online{place} 1.0" in await _shown(capture)
    await capture.hear(roster.CampaignClosedV1(campaign_id=capture.campaign_id, version=2))
    assert await _shown(capture) == []
