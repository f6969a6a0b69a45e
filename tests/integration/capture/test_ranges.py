"""A range of photos is shifted on the real database: previewed, all or nothing, once, and never on what has changed."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from gradphoto_contracts import ids
from kit import errors
from kit import ids as kit_ids
from services.capture import ports, store
from services.capture.domain import checkins, photos, ranges
from services.capture.handlers import binding, desk, range_rebind
from tests.integration.capture.callers import Doors
from tests.integration.capture.conftest import Capture
from tests.integration.capture.test_doors import doors  # noqa: F401 - a fixture
from tests.integration.capture.test_store import inspect_all, receive

NUMBERS = 6
LEAD = binding.Act("lead", "crew_lead", "queue_drift")


@dataclass
class Line:
    """Six with numbers A1-0001…; the holder of 2 walked off unseen: from 2 on each photo shows the next one."""

    capture: Capture
    students: list[ids.StudentId]
    #: By the place of the number under which it was taken: 1 to 5.
    shots: dict[int, ids.CaptureId]

    def asked(self, **other: Any) -> dict[str, Any]:
        return {"first_ticket": "A1-0002", "last_ticket": "A1-0005", "places": 1, **other}

    @property
    def shift(self) -> ranges.Shift:
        return ranges.Shift(self.capture.desk_id, "A1-0002", "A1-0005", 1)

    async def owners(self) -> dict[int, int]:
        """Place of the number by which a photo was taken → place of whose it is now."""
        place_of = {student_id: place for place, student_id in enumerate(self.students, 1)}
        rows = {row["capture_id"]: row for row in await self.capture.rows(store.CAPTURES)}
        return {place: place_of[rows[key]["student_id"]] for place, key in self.shots.items()}

    async def digest(self) -> str:
        async with self.capture.unit() as work:
            return (await range_rebind.preview(work, self.shift)).digest

    async def apply(self, rebind_id: UUID, digest: str) -> ports.RangeRebind:
        async with self.capture.unit() as work:
            return await range_rebind.apply(work, rebind_id, self.shift, digest, LEAD, anybody)


AS_TAKEN = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5}
AS_IT_IS = {1: 1, 2: 3, 3: 4, 4: 5, 5: 6}


async def anybody(_work: ports.Work, _photo: photos.Photo) -> None:
    """Whoever asks may."""


async def check_in(capture: Capture, student_id: ids.StudentId, place: int) -> checkins.Checkin:
    """Give a student the number of this place."""
    checkin = checkins.Checkin(
        checkin_id=ids.CheckinId(kit_ids.new()),
        campaign_id=capture.campaign_id,
        student_id=student_id,
        class_id=capture.class_id,
        desk_id=capture.desk_id,
        station_id=ids.StationId(UUID(int=1)),
        ticket=f"A1-{place:04d}",
        checked_in_at=capture.clock.now(),
        recorded_at=capture.clock.now(),
    )
    async with capture.unit() as work:
        return await desk.record_checkin(work, checkin)


@pytest.fixture
async def line(capture: Capture) -> Line:
    """Five photos in force, each but the first on the one before."""
    students = [await capture.enrol_student(place) for place in range(1, NUMBERS + 1)]
    shots: dict[int, ids.CaptureId] = {}
    for place, student_id in enumerate(students, 1):
        checkin = await check_in(capture, student_id, place)
        if place < NUMBERS:
            shot = await capture.shoot(student_id, ticket=checkin.ticket, checkin_id=checkin.checkin_id)
            await receive(capture, shot)
            shots[place] = shot.capture_id
    await inspect_all(capture)
    return Line(capture, students, shots)


async def test_a_range_is_looked_at_and_then_moved(line: Line, doors: Doors) -> None:  # noqa: F811
    """Pictures before and after; then all photos move, with history, an event each, and who looked and who did it."""
    capture = line.capture
    preview = await doors.staff("POST", f"/v1/desks/{capture.desk_id}/range-preview", line.asked())
    assert preview.status_code == 200, preview.text
    told = preview.json()
    assert (told["moves"], told["faults"], told["left_without"]) == (4, [], ["A1-0002"])
    assert [row["changes"] for row in told["rows"]] == [True] * 5
    assert told["rows"][1]["after"] == told["rows"][0]["before"]
    async with httpx.AsyncClient(trust_env=False) as plain:
        assert (await plain.get(told["rows"][0]["before"]["url"])).content == b"composed"
    assert await line.owners() == AS_TAKEN
    assert {view["subject_id"] for view in await capture.rows(store.VIEWS)} == {line.shots[n] for n in (2, 3, 4, 5)}

    rebind_id = uuid4()
    body = line.asked(desk_id=str(capture.desk_id), digest=told["digest"], reason="queue_drift")
    done = await doors.staff("PUT", f"/v1/range-rebinds/{rebind_id}", body)
    assert done.status_code == 200, done.text
    assert await line.owners() == AS_IT_IS
    assert (await capture.said()).count("photo.rebound") == 4
    notes = [row for row in await capture.rows(store.HISTORY) if row["act"] == "rebound"]
    assert [row["author"] for row in notes] == ["somebody"] * 4
    assert all(row["reason_sealed"] and b"queue_drift" not in row["reason_sealed"] for row in notes)

    again = await doors.staff("PUT", f"/v1/range-rebinds/{rebind_id}", body)
    assert again.json() == done.json()
    assert (await capture.said()).count("photo.rebound") == 4
    other = await doors.staff("PUT", f"/v1/range-rebinds/{rebind_id}", {**body, "last_ticket": "A1-0004"})
    assert (other.status_code, other.json()["code"]) == (409, "range-differs")
    (listed,) = (await doors.staff("GET", f"/v1/desks/{capture.desk_id}/range-rebinds")).json()["items"]
    assert (listed["author"], listed["reason"]) == ("somebody", "queue_drift")
    paged = (await doors.staff("GET", f"/v1/desks/{capture.desk_id}/range-rebinds?limit=1")).json()
    rest = await doors.staff("GET", f"/v1/desks/{capture.desk_id}/range-rebinds?limit=1&after={paged['next']}")
    assert (paged["next"], rest.json()) == (listed["rebind_id"], {"items": [], "next": None})
    assert (listed["places"], len(listed["moves"])) == (1, 4)


async def test_what_has_changed_since_is_not_moved(line: Line) -> None:
    """A photo withdrawn, or rebound by itself, after the preview: refused, and nothing has moved."""
    digest = await line.digest()
    async with line.capture.unit() as work:
        await binding.withdraw_photo(work, line.shots[4], LEAD)
    with pytest.raises(errors.Conflict, match="range-preview-stale"):
        await line.apply(uuid4(), digest)
    assert await line.owners() == AS_TAKEN
    assert await line.capture.rows(store.RANGE_REBINDS) == []


async def test_two_staff_at_once_move_it_once(line: Line) -> None:
    """Both looked at the same range: one moves it, the other is told that it has changed."""
    digest = await line.digest()
    found = await asyncio.gather(*(line.apply(uuid4(), digest) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(each, ports.RangeRebind) for each in found) == 1
    refused = [each for each in found if isinstance(each, errors.Conflict)]
    assert [each.code for each in refused] == ["range-preview-stale"] * 3
    assert await line.owners() == AS_IT_IS


async def test_one_act_sent_many_times_at_once_is_one(line: Line) -> None:
    """The same id by a double click or a lost answer: done once, answered each time alike."""
    digest, rebind_id = await line.digest(), uuid4()
    found = await asyncio.gather(*(line.apply(rebind_id, digest) for _ in range(4)))
    assert all(each == found[0] for each in found)
    assert (await line.capture.said()).count("photo.rebound") == 4
    assert await line.owners() == AS_IT_IS


async def test_without_the_digest_a_stale_look_undoes_another_s_work(line: Line) -> None:
    """The control: what was looked at before is done although somebody has put one photo right meanwhile."""
    free = await line.capture.enrol_student(7)
    async with line.capture.unit() as work:
        seen = await range_rebind.preview(work, line.shift)
    async with line.capture.unit() as work:
        await binding.rebind_photos(work, {line.shots[5]: binding.Move(free, line.students[4])}, LEAD)
    async with line.capture.unit() as work:
        holders = {key: (await binding.locked(work, key)).student_id for key in seen.plan.moves}
        moves = {key: binding.Move(to, holder) for key, to in seen.plan.moves.items() if (holder := holders[key])}
        await binding.rebind_photos(work, moves, LEAD)
    (row,) = await line.capture.rows(store.CAPTURES, store.CAPTURES.c.capture_id == line.shots[5])
    assert row["student_id"] == line.students[5] != free


async def test_a_single_rebind_in_between_waits_and_is_seen(line: Line) -> None:
    """A single rebind that holds its row makes the shift wait; then the shift sees it and is refused."""
    digest = await line.digest()
    free = await line.capture.enrol_student(7)
    holding = asyncio.Event()
    let_go = asyncio.Event()

    async def single() -> None:
        async with line.capture.unit() as work:
            await binding.rebind_photos(work, {line.shots[5]: binding.Move(free, line.students[4])}, LEAD)
            holding.set()
            await let_go.wait()

    one = asyncio.create_task(single())
    await holding.wait()
    shifting = asyncio.create_task(line.apply(uuid4(), digest))
    await asyncio.sleep(0.2)
    assert not shifting.done()
    let_go.set()
    await one
    with pytest.raises(errors.Conflict, match="range-preview-stale"):
        await shifting


async def test_all_or_nothing(line: Line) -> None:
    """Whoever may not touch the last photo of the range moves none of it."""
    seen = 0

    async def but_the_last(_work: ports.Work, _photo: photos.Photo) -> None:
        nonlocal seen
        seen += 1
        if seen == 8:
            raise errors.Refused("out-of-scope", dimension="class")

    digest = await line.digest()
    with pytest.raises(errors.Refused):
        async with line.capture.unit() as work:
            await range_rebind.apply(work, uuid4(), line.shift, digest, LEAD, but_the_last)
    assert seen == 8
    assert await line.owners() == AS_TAKEN
    assert "photo.rebound" not in await line.capture.said()


async def test_who_may_not_rebind_may_not_look(line: Line, doors: Doors) -> None:  # noqa: F811
    """Role and scope are asked at each door; no picture is shown before."""
    capture = line.capture
    where = f"/v1/desks/{capture.desk_id}/range-preview"
    assert (await doors.staff("POST", where, line.asked(), role="operator")).status_code == 403
    elsewhere = await doors.staff("POST", where, line.asked(), role="crew_lead", class_=uuid4())
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (403, "out-of-scope")
    digest = await line.digest()
    body = line.asked(desk_id=str(capture.desk_id), digest=digest, reason="queue_drift")
    moved = await doors.staff("PUT", f"/v1/range-rebinds/{uuid4()}", body, role="crew_lead", class_=uuid4())
    assert moved.status_code == 403
    assert await line.owners() == AS_TAKEN
    assert await capture.rows(store.VIEWS) == []


async def test_what_cannot_be_done_is_said_with_the_number(line: Line, doors: Doors) -> None:  # noqa: F811
    """A place taken, and a photo still in inspection: shown in the preview in words, refused when applied."""
    capture = line.capture
    short = line.asked(last_ticket="A1-0004")
    told = (await doors.staff("POST", f"/v1/desks/{capture.desk_id}/range-preview", short)).json()
    (fault,) = told["faults"]
    assert (fault["code"], fault["ticket"]) == ("range-place-taken", "A1-0005")
    assert "A1-0005" in fault["zh"]
    body = {**short, "desk_id": str(capture.desk_id), "digest": told["digest"], "reason": "queue_drift"}
    refused = await doors.staff("PUT", f"/v1/range-rebinds/{uuid4()}", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "range-place-taken")
    await receive(capture, await capture.shoot(line.students[2], ticket="A1-0003"))
    told = (await doors.staff("POST", f"/v1/desks/{capture.desk_id}/range-preview", line.asked())).json()
    assert [fault["code"] for fault in told["faults"]] == ["range-not-settled"]


async def test_the_page_is_served_and_holds_nothing(line: Line, doors: Doors) -> None:  # noqa: F811
    """The page and its modules come without a token, load nothing from elsewhere but pictures, and contain no data."""
    page = await doors.client.get("/staff/")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for module in ("main.js", "doors.js", "markup.js", "staff.css"):
        assert (await doors.client.get(f"/web/staff/{module}")).status_code == 200
    assert (await doors.client.get("/web/staff/../console/main.js")).status_code == 404
    assert (await doors.client.get("/web/console/main.js")).status_code == 404
    assert (await doors.client.post(f"/v1/desks/{line.capture.desk_id}/range-preview", json={})).status_code == 401
