"""Cases over HTTP and through time: answers, windows, make-up, deadlines, and facts in any order."""

import asyncio
import random
from uuid import UUID

import pytest

from gradphoto_contracts import ids, scheduler
from gradphoto_contracts import verify as said
from tests.integration.verify import conftest as school
from tests.integration.verify.conftest import CID, Verify, results, sealed, student
from tests.unit.verify import cases

BODY = {"campaign_id": CID}


def missed(place: int) -> scheduler.StudentMissedV1:
    return scheduler.StudentMissedV1(
        version=1, student_id=student(place), campaign_id=cases.CAMPAIGN, class_id=cases.CLASS, checked_in=False
    )


@pytest.fixture
async def published(verify: Verify) -> Verify:
    """S0's class: 0, 1, 2 shown by CHSI in July 2017, 3 missed the day."""
    await verify.hear(school.opened(cases.S0), school.registered(), *(school.enrolled(n) for n in range(4)))
    await verify.photograph(0, 1, 2)
    await verify.hear(missed(3))
    await verify.ask("POST", f"/v1/campaigns/{CID}/batches")
    verify.watch.moment = cases.at("2017-07-20 09:00")
    shown = results(*((school.capture_id(n), "已显示", "") for n in range(3)))
    await verify.ask("POST", f"/v1/campaigns/{CID}/results", file=shown)
    return verify


async def _as_student(verify: Verify, place: int, act: str, by: int | None = None, **more: str) -> tuple[int, str]:
    scope = {"student": [str(student(place if by is None else by))], "campaign": [CID]}
    answer = await verify.ask("POST", f"/v1/students/{student(place)}/{act}", BODY | more, role="student", scope=scope)
    return answer.status_code, answer.json().get("code") or answer.json().get("state")


async def test_s0_from_november_to_april(published: Verify) -> None:
    """The whole of S0's calendar: one confirms, one reports an error and is corrected, one is silent, one made up."""
    assert await published.states() == {"makeup_required": 1, "published": 3}
    book = {**BODY, "place_zh": "新华社陕西分社"}
    await published.tick("2017-10-29")
    assert (await published.ask("POST", f"/v1/students/{student(3)}/makeup", book)).json()["state"] == "makeup_booked"
    done = await published.ask("PUT", f"/v1/students/{student(3)}/makeup/done", BODY)
    assert done.json()["state"] == "makeup_done"
    assert await _as_student(published, 0, "confirmation") == (409, "verify-proofreading-not-open")
    await published.tick("2017-11-01")
    assert await _as_student(published, 0, "confirmation") == (200, "confirmed")
    assert await _as_student(published, 1, "dispute", cause="wrong_person") == (409, "verify-reporting-not-open")
    await published.tick("2018-03-16 10:00")
    assert await _as_student(published, 1, "dispute", cause="wrong_person") == (200, "disputed")
    assert await _as_student(published, 2, "confirmation") == (409, "verify-proofreading-not-open")
    corrected = await published.ask("POST", f"/v1/students/{student(1)}/correction", BODY)
    assert corrected.json()["state"] == "corrected"
    await published.tick("2018-03-31")
    assert await published.states() == {"confirmed": 1, "corrected": 1, "defaulted": 1, "makeup_done": 1}
    (silent,) = await published.said(said.PhotoDefaultedV1)
    assert (silent["student_id"], silent["outcome"]) == (str(student(2)), "deemed_correct")
    await _deadlines_are_closed(published)


async def _deadlines_are_closed(verify: Verify) -> None:
    items = (await verify.ask("GET", f"/v1/campaigns/{CID}/deadlines")).json()["items"]
    assert [item["students"] for item in items] == [0] * len(items)
    outcomes = {(item["deadline"], item["due_at"][:10]): item["outcomes"] for item in items}
    assert outcomes == {
        ("publish", "2017-07-26"): {"published": 3},
        ("makeup", "2017-10-31"): {"makeup_done": 1},
        ("proofreading", "2018-03-15"): {"confirmed": 1, "silent": 2},
        ("reporting", "2018-03-30"): {"disputed": 1, "deemed_correct": 1},
        ("recheck", "2018-03-23"): {"corrected": 1},
    }


async def test_deadline_is_announced_once_when_near(published: Verify) -> None:
    """Three days before, with the number of students who have no outcome and the role that must act; never again."""
    await published.tick("2017-10-28 23:59")
    assert not await published.said(said.DeadlineNearV1)
    for moment in ("2017-10-29", "2017-10-29 00:01", "2017-10-31 23:59"):
        await published.tick(moment)
    (near,) = await published.said(said.DeadlineNearV1)
    assert (near["deadline"], near["students"], near["owner"]) == ("makeup", 1, "student")


async def test_jump_over_everything_gives_every_deadline_an_outcome(published: Verify) -> None:
    """A clock that jumps years leaves nobody without outcome."""
    await published.tick("2020-01-01")
    assert await published.states() == {"defaulted": 3, "makeup_expired": 1}
    items = (await published.ask("GET", f"/v1/campaigns/{CID}/deadlines")).json()["items"]
    assert all(not item["students"] and not item["overdue"] for item in items)


async def test_students_speak_for_themselves_only(published: Verify) -> None:
    """A student's token answers for that student; a reader's answers for nobody; a secretary for the own college."""
    await published.tick("2017-11-02")
    assert await _as_student(published, 0, "confirmation", by=1) == (403, "out-of-scope")
    path = f"/v1/students/{student(0)}/confirmation"
    contact = await published.ask("POST", path, BODY, role="class_contact")
    assert contact.status_code == 403
    other = await published.ask("POST", path, BODY, role="secretary", scope={"college": ["药学院"]})
    assert other.status_code == 403
    own = await published.ask("POST", path, BODY, role="secretary", scope={"college": ["中医系"]})
    assert own.json()["state"] == "confirmed"
    assert (await published.client.post(path, json=BODY)).status_code == 401


async def test_students_see_their_own_case_only(published: Verify) -> None:
    """One's own case is shown with its deadline and owner; another's is refused, and lists are not for students."""
    scope = {"student": [str(student(0))]}
    own = await published.ask("GET", f"/v1/students/{student(0)}/case", role="student", scope=scope)
    assert (own.json()["deadline"], own.json()["owner"]) == ("proofreading", "student")
    other = await published.ask("GET", f"/v1/students/{student(1)}/case", role="student", scope=scope)
    assert other.status_code == 403
    listed = await published.ask("GET", f"/v1/campaigns/{CID}/cases", role="student", scope=scope)
    assert listed.status_code == 403


async def test_cases_are_listed_page_by_page(published: Verify) -> None:
    """Pages follow each other by student; a state narrows them."""
    first = (await published.ask("GET", f"/v1/campaigns/{CID}/cases?limit=3")).json()
    rest = (await published.ask("GET", f"/v1/campaigns/{CID}/cases?limit=3&after={first['next']}")).json()
    found = [case["student_id"] for case in first["items"] + rest["items"]]
    assert found == [str(student(n)) for n in range(4)]
    assert rest["next"] is None
    narrowed = (await published.ask("GET", f"/v1/campaigns/{CID}/cases?state=makeup_required")).json()
    assert [case["student_id"] for case in narrowed["items"]] == [str(student(3))]


async def test_second_answer_is_refused_where_there_is_one_chance(verify: Verify) -> None:
    """S2 over HTTP: of twenty answers at once, one counts."""
    await verify.hear(school.opened(cases.S2), school.enrolled(0))
    await verify.photograph(0)
    await verify.ask("POST", f"/v1/campaigns/{CID}/batches")
    await verify.ask("POST", f"/v1/campaigns/{CID}/results", file=results((school.capture_id(0), "已显示", "")))
    await verify.tick("2017-07-10 12:00")
    answers = await asyncio.gather(*(_as_student(verify, 0, "confirmation") for _ in range(20)))
    assert sorted(status for status, _ in answers) == [200] + [409] * 19
    assert {code for status, code in answers if status == 409} == {"verify-one-chance-used"}
    assert len(await verify.said(said.PhotoConfirmedV1)) == 1


async def test_later_photo_of_a_missed_student_is_the_makeup(published: Verify) -> None:
    """Who was missed and photographed after all needs no make-up, and is delivered with the next batch."""
    await published.photograph(3)
    assert len(await published.said(said.MakeupDoneV1)) == 1
    batch = (await published.ask("POST", f"/v1/campaigns/{CID}/batches")).json()
    assert batch["photos"] == 1


@pytest.mark.parametrize("seed", range(3))
async def test_facts_in_any_order_and_twice(verify: Verify, seed: int) -> None:
    """Policy, class, students, photos and their moves at once, some twice: every case stands where it should."""
    facts = [school.opened(cases.S0), school.registered(), *(school.enrolled(n) for n in range(6))]
    facts += [*(school.accepted(n) for n in range(4)), school.withdrawn(0), school.accepted(9, 0)]
    envelopes = [sealed(fact) for fact in [*facts, school.accepted(1, 4, version=2), missed(5)]]
    dice = random.Random(seed)
    envelopes += dice.sample(envelopes, 5)
    dice.shuffle(envelopes)
    await verify.hear_at_once(envelopes)
    assert await verify.states() == {"enrolled": 1, "makeup_required": 1, "photographed": 4}
    async with verify.unit() as work:
        held = {n: await work.cases.get(ids.StudentId(student(n))) for n in range(6)}
    captures = {n: case.capture_id for n, case in held.items() if case and case.capture_id}
    assert captures == {n: school.capture_id(c) for n, c in {0: 9, 2: 2, 3: 3, 4: 1}.items()}
    assert all(case and (case.deadline is not None) == (case.state != "enrolled") for case in held.values())


async def test_unknown_student_is_not_found(published: Verify) -> None:
    """An answer for nobody is 404."""
    answer = await published.ask("POST", f"/v1/students/{UUID(int=4711)}/confirmation", BODY)
    assert (answer.status_code, answer.json()["code"]) == (404, "verify-case-unknown")
