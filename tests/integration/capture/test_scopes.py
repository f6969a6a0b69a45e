"""How far a token reaches: photos by the class of their student now, desks by whole campuses. Who looked is told."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from gradphoto_contracts import ids
from kit import ids as kit_ids
from services.capture import store
from tests.integration.capture import callers
from tests.integration.capture.callers import Doors, Station, journalled, taken
from tests.integration.capture.conftest import Capture
from tests.integration.capture.test_store import inspect_all, receive


@dataclass
class School:
    """Two classes: the fixture's own, and one of another campus and college."""

    capture: Capture
    doors: Doors
    elsewhere: UUID
    other_class: ids.ClassId

    async def enrol(self, *, elsewhere: bool = False) -> ids.StudentId:
        student_id = await self.capture.enrol_student()
        if elsewhere:
            await self.move_away(student_id)
        return student_id

    async def move_away(self, student_id: ids.StudentId) -> None:
        """Roster says that the student is in the other class now."""
        told = self.capture.student(student_id, version=2)
        there = {"class_id": self.other_class, "campus_id": self.elsewhere}
        await self.capture.hear(told.model_copy(update=there))

    async def photograph(self, student_id: ids.StudentId, **other: Any) -> ids.CaptureId:
        shot = await self.capture.shoot(student_id, **other)
        await receive(self.capture, shot)
        await inspect_all(self.capture)
        return shot.capture_id


@pytest.fixture
async def school(capture: Capture) -> AsyncIterator[School]:
    """Capture's doors over two classes."""
    other_class, elsewhere = ids.ClassId(kit_ids.new()), kit_ids.new()
    told = capture.class_registered(other_class, "历史 20-1")
    await capture.hear(told.model_copy(update={"campus_id": elsewhere, "college_zh": "历史学院"}))
    async with callers.served(capture) as doors:
        yield School(capture, doors, elsewhere, other_class)


async def test_a_photo_is_moved_within_one_s_scope_alone(school: School) -> None:
    """Neither to a student of another campus nor away from one; whose photo it is stays as it was."""
    doors, here = school.doors, school.capture.campus_id
    own, other = await school.enrol(), await school.enrol(elsewhere=True)
    photo = await school.photograph(own)
    moves = {
        "moves": [{"capture_id": str(photo), "student_id": str(other), "from_student_id": str(own)}],
        "reason": "wrong_person",
    }
    one = {"student_id": str(other), "from_student_id": str(own), "reason": "wrong_person"}
    for path, body in ((f"/v1/captures/{photo}/rebind", one), ("/v1/rebindings", moves)):
        refused = await doors.staff("POST", path, body, role="crew_lead", campus=here)
        assert (refused.status_code, refused.json()["code"]) == (403, "out-of-scope")
    back = await doors.staff("POST", f"/v1/captures/{photo}/rebind", one, role="crew_lead", campus=school.elsewhere)
    assert back.status_code == 403
    (row,) = await school.capture.rows(store.CAPTURES)
    assert row["student_id"] == own
    assert (await doors.staff("POST", f"/v1/captures/{photo}/rebind", one, role="crew_lead")).is_success


async def test_who_may_see_a_photo_follows_its_student(school: School) -> None:
    """After a change of class the new class's contact sees it in every list and alone; the old one in none."""
    doors, campaign = school.doors, f"/v1/campaigns/{school.capture.campaign_id}"
    student = await school.enrol()
    photo = await school.photograph(student)
    await school.move_away(student)
    single = [f"/v1/captures/{photo}/image", f"/v1/captures/{photo}", f"/v1/students/{student}/captures"]
    for class_id, status, count in ((school.capture.class_id, 403, 0), (school.other_class, 200, 1)):
        contact: dict[str, Any] = {"role": "class_contact", "class_": class_id}
        assert [(await doors.staff("GET", path, **contact)).status_code for path in single] == [status] * 3
        for path in (f"{campaign}/photos", f"{campaign}/captures"):
            assert len((await doors.staff("GET", path, **contact)).json()["items"]) == count
    assert (await doors.staff("GET", single[0], role="class_contact", student=uuid4())).status_code == 403


async def test_a_student_s_list_leaves_out_what_is_another_s_now(school: School) -> None:
    """A capture that was moved to somebody out of scope is not told of under its first student; pages follow."""
    own, other = await school.enrol(), await school.enrol(elsewhere=True)
    moved = await school.photograph(own)
    said = {"student_id": str(other), "from_student_id": str(own), "reason": "wrong_person"}
    assert (await school.doors.staff("POST", f"/v1/captures/{moved}/rebind", said)).is_success
    kept = await school.photograph(own, decision="retake")
    path = f"/v1/students/{own}/captures"
    narrow = (await school.doors.staff("GET", path, campus=school.capture.campus_id)).json()
    assert [row["capture_id"] for row in narrow["items"]] == [str(kept)]
    first = (await school.doors.staff("GET", f"{path}?limit=1")).json()
    rest = (await school.doors.staff("GET", f"{path}?limit=1&after={first['next']}")).json()
    assert {row["capture_id"] for row in first["items"] + rest["items"]} == {str(moved), str(kept)}


async def sealed(station: Station) -> UUID:
    """A session that is refused, since a frame of it is nowhere."""
    session_id, student_id = kit_ids.new(), kit_ids.new()
    seal = {"camera_frames": 1, "journalled": [journalled(kit_ids.new(), taken(student_id, b"frame"))]}
    assert (await station.seal(session_id, seal)).json()["state"] == "refused"
    return session_id


async def test_a_token_below_its_campus_has_no_say_over_desks(school: School) -> None:
    """Fleet, invitation, sessions, ranges, a dead desk's work and revocation: refused, and nothing has happened."""
    doors, capture = school.doors, school.capture
    station = await callers.enrolled(doors)
    session, reason = await sealed(station), {"reason": "checked"}
    one, desk = f"/v1/stations/{station.station_id}", f"/v1/desks/{capture.desk_id}"
    dead = f"/v1/imports/{station.station_id}"
    invitation = {"campaign_id": str(capture.campaign_id), "desk_id": str(capture.desk_id), "label": "2"}
    shift = {"first_ticket": "A1-0001", "last_ticket": "A1-0002", "places": 1}
    upload = {"capture_id": str(uuid4()), "sha256": "0" * 64, "size_bytes": 1}
    asked: list[tuple[str, str, Any]] = [
        *(("GET", path, None) for path in ("/v1/stations", f"/v1/sessions/{session}", f"{desk}/range-rebinds")),
        ("POST", "/v1/stations", invitation),
        ("POST", f"{desk}/range-preview", shift),
        ("POST", f"/v1/sessions/{session}/settle", reason),
        ("POST", f"{dead}/uploads", upload),
        ("POST", f"{dead}/keys", {"manifest": "{}", "signature": "", "recipient": "0" * 64}),
        ("POST", f"{one}/revoke", None),
    ]
    for scope in ({"college": "软件学院"}, {"class_": capture.class_id}, {"campus": school.elsewhere}):
        for method, path, body in asked:
            answer = await doors.staff(method, path, body, role="registrar", **scope)
            told = (answer.status_code, answer.json().get("code", answer.json().get("items")))
            assert told == (403, "out-of-scope") or (path == "/v1/stations" and told == (200, [])), (path, scope)
    # Behind a dead desk's keys lie pictures: operations, who may revoke it, may not open them.
    opening = next(body for _, path, body in asked if path == f"{dead}/keys")
    refused = await doors.staff("POST", f"{dead}/keys", opening, role="ops")
    assert (refused.status_code, refused.json()["params"]["permission"]) == (403, "capture.read")
    (row,) = await capture.rows(store.STATIONS)
    assert row["state"] == "enrolled"
    whole: dict[str, Any] = {"role": "registrar", "campus": capture.campus_id}
    assert len((await doors.staff("GET", "/v1/stations", **whole)).json()["items"]) == 1
    assert (await doors.staff("POST", f"{one}/revoke", **whole)).is_success


async def test_the_fleet_comes_in_pages(school: School) -> None:
    """One after another, without gap or repeat."""
    capture = school.capture
    invitation = {"campaign_id": str(capture.campaign_id), "desk_id": str(capture.desk_id)}
    for number in range(3):
        assert (await school.doors.staff("POST", "/v1/stations", {**invitation, "label": str(number)})).is_success
    seen: list[str] = []
    page = (await school.doors.staff("GET", "/v1/stations?limit=2")).json()
    while page["items"] and len(seen) < 4:
        seen += [row["label"] for row in page["items"]]
        after = page["next"] or page["items"][-1]["station_id"]
        page = (await school.doors.staff("GET", f"/v1/stations?limit=2&after={after}")).json()
    assert sorted(seen) == ["0", "1", "2"]


async def test_who_looked_is_told_to_who_watches(school: School) -> None:
    """Of a photo and of a student, in pages, oldest first, in scope; by an index and not by reading all looks."""
    doors = school.doors
    student, other = await school.enrol(), await school.enrol()
    photo, strange = await school.photograph(student), await school.photograph(other)
    for path in (f"captures/{photo}/image", f"captures/{photo}/image?kind=original", f"captures/{photo}"):
        assert (await doors.staff("GET", f"/v1/{path}")).is_success
    assert (await doors.staff("GET", f"/v1/students/{student}/history")).is_success
    assert (await doors.staff("GET", f"/v1/captures/{strange}/image")).is_success
    of_photo, of_student = f"/v1/captures/{photo}/views", f"/v1/students/{student}/views"
    watcher: dict[str, Any] = {"role": "auditor", "class_": school.capture.class_id}
    told = (await doors.staff("GET", of_photo, **watcher)).json()["items"]
    assert [(one["viewer"], one["what"]) for one in told] == [
        ("somebody", what) for what in ("photo", "original", "history")
    ]
    first = (await doors.staff("GET", f"{of_student}?limit=3", **watcher)).json()
    rest = (await doors.staff("GET", f"{of_student}?limit=3&after={first['next']}", **watcher)).json()
    assert [one["what"] for one in first["items"] + rest["items"]] == ["photo", "original", "history", "student"]
    for path in (of_photo, of_student):
        assert (await doors.staff("GET", path, role="class_contact")).status_code == 403
        assert (await doors.staff("GET", path, role="auditor", class_=school.other_class)).status_code == 403
