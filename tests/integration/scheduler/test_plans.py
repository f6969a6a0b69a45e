"""Plans through the door, on a real database."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from gradphoto_contracts import roster
from kit import db, errors
from services.scheduler import store
from services.scheduler.handlers import missing
from tests.integration.scheduler import told
from tests.integration.scheduler.conftest import MORNING, Scheduler

PLANS = f"/v1/campaigns/{told.CAMPAIGN}/plans"
IN_FORCE = f"/v1/campaigns/{told.CAMPAIGN}/plan"
MISSED = f"/v1/campaigns/{told.CAMPAIGN}/missed"


def window(*labels: str, after_minutes: int = 0, minutes: int = 60) -> dict[str, Any]:
    starts_at = MORNING + timedelta(minutes=after_minutes)
    return {
        "group": "A",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(minutes=minutes)).isoformat(),
        "classes": [{"label": label, "college_zh": "", "order_code": None} for label in labels],
    }


def a_plan(*windows: dict[str, Any]) -> dict[str, Any]:
    group = {"code": "A", "campus_code": "N", "site_zh": "会展中心", "room_zh": "二层", "desks": 2}
    return {"groups": [group | {"planned_per_hour": 100}], "windows": list(windows)}


async def publish(scheduler: Scheduler, *windows: dict[str, Any]) -> Any:
    draft = await scheduler.post(PLANS, a_plan(*windows), status=201)
    return await scheduler.post(f"/v1/plans/{draft['plan_id']}/publish")


async def known(scheduler: Scheduler, classes: int = 3, **more: Any) -> None:
    await scheduler.tell(told.campaign(**more), *(told.school_class(number) for number in range(classes)))


async def test_migrations_lead_to_the_tables(scheduler: Scheduler) -> None:
    """A migrated database has the tables that the code declares."""
    assert await db.differences(scheduler.database.url, store.METADATA) == []


async def test_a_plan_is_drafted_published_and_said(scheduler: Scheduler) -> None:
    """A draft says nothing; published, the floor and every slot are said once, however often it is published."""
    await known(scheduler)
    await scheduler.get(IN_FORCE, status=404)
    draft = await scheduler.post(PLANS, a_plan(window("班0", "班1", "班2")), status=201)
    assert (draft["state"], draft["findings"], len(draft["slots"])) == ("draft", [], 3)
    assert await scheduler.said("slot.assigned") == []
    path = f"/v1/plans/{draft['plan_id']}/publish"
    first, second = await asyncio.gather(scheduler.post(path), scheduler.post(path))
    assert first == second
    plan = await scheduler.get(IN_FORCE)
    assert [slot["slot_id"] for slot in plan["slots"]] == [slot["slot_id"] for slot in draft["slots"]]
    assert [slot["order_code"] for slot in plan["slots"]] == ["A1", "A2", "A3"]
    assert [desk["code"] for desk in plan["desks"]] == ["A01", "A02"]
    assert [len(await scheduler.said(kind)) for kind in ("plan.published", "slot.assigned", "slot.moved")] == [1, 3, 0]


async def test_a_plan_with_errors_is_not_published(scheduler: Scheduler) -> None:
    """Findings are named with group, hour and class, in both languages; publishing is refused with them."""
    await known(scheduler)
    draft = await scheduler.post(PLANS, a_plan(window("班0", "班9")), status=201)
    assert {(one["code"], one["where"]) for one in draft["findings"]} == {
        ("plan-class-unknown", "A · 05-27 09:00 · 班9"),
        ("plan-class-missing", "北校区 · 医学院 班1"),
        ("plan-class-missing", "北校区 · 医学院 班2"),
    }
    assert all(one["zh"] and one["en"] for one in draft["findings"])
    problem = await scheduler.post(f"/v1/plans/{draft['plan_id']}/publish", status=422)
    assert (problem["code"], len(problem["rows"])) == ("plan-has-errors", 3)
    await scheduler.get(IN_FORCE, status=404)


async def test_publishing_checks_against_the_roster_as_it_is(scheduler: Scheduler) -> None:
    """A class that came after the draft is missing in it when it is published."""
    await known(scheduler, 1)
    draft = await scheduler.post(PLANS, a_plan(window("班0")), status=201)
    await scheduler.tell(told.school_class(5))
    problem = await scheduler.post(f"/v1/plans/{draft['plan_id']}/publish", status=422)
    assert [row["code"] for row in problem["rows"]] == ["plan-class-missing"]


async def test_a_revision_says_only_what_is_different(scheduler: Scheduler) -> None:
    """Hours swapped between two classes are two moves; ids stay; the older revision cannot be published any more."""
    await known(scheduler)
    old = await scheduler.post(PLANS, a_plan(window("班0", "班1", "班2")), status=201)
    first = await publish(scheduler, window("班0", "班1", "班2"))
    second = await publish(scheduler, window("班1", "班0", "班2"))
    assert (first["revision"], second["revision"]) == (2, 3)
    assert {one["class_id"]: one["slot_id"] for one in first["slots"]} == {
        one["class_id"]: one["slot_id"] for one in second["slots"]
    }
    assert [desk["desk_id"] for desk in first["desks"]] == [desk["desk_id"] for desk in second["desks"]]
    assert [one["version"] for one in await scheduler.said("slot.moved")] == [2, 2]
    assert len(await scheduler.said("slot.assigned")) == 3
    third = await scheduler.post(f"/v1/plans/{old['plan_id']}/publish")
    assert third["revision"] == 1
    superseded = await scheduler.post(f"/v1/plans/{second['plan_id']}/publish", status=409)
    assert superseded["code"] == "plan-superseded"


async def test_a_class_that_went_is_cancelled(scheduler: Scheduler) -> None:
    """A class without students may be left out of a revision: its slot is cancelled."""
    await known(scheduler)
    await publish(scheduler, window("班0", "班1", "班2"))
    await scheduler.tell(told.school_class(2, heads=0, version=2))
    await publish(scheduler, window("班0", "班1"))
    assert len(await scheduler.said("slot.cancelled")) == 1


async def test_the_database_refuses_overlapping_slots(scheduler: Scheduler) -> None:
    """Whatever the code would let through, two slots of a group never overlap and no class has two."""
    await known(scheduler)
    await publish(scheduler, window("班0", "班1", "班2"))

    async def change(what: str) -> None:
        async with scheduler.database.transaction() as tx:
            await tx.execute(sa.text(f"update scheduler.slots set {what}"))

    for what in ("ends_at = ends_at + interval '1 s'", "order_code = 'A1'", f"class_id = '{told.class_id(0)}'"):
        with pytest.raises(sa.exc.IntegrityError):
            await change(what)


async def test_a_delay_moves_later_slots_once(scheduler: Scheduler) -> None:
    """A late crew: the slots ahead move, it is announced once, and the same request again moves nothing."""
    await known(scheduler)
    plan = await publish(scheduler, window("班0", "班1", "班2"))
    scheduler.time.set(MORNING + timedelta(minutes=25))
    path = f"/v1/groups/{plan['groups'][0]['group_id']}/delays"
    body = {"delay_id": str(uuid4()), "minutes": 10, "reason": "crew_late"}
    assert len((await scheduler.post(path, body))["moved"]) == 2
    assert (await scheduler.post(path, body))["moved"] == []
    assert [one["version"] for one in await scheduler.said("delay.announced")] == [2]
    starts = [datetime.fromisoformat(slot["starts_at"]) for slot in (await scheduler.get(IN_FORCE))["slots"]]
    assert [(at - MORNING) // timedelta(minutes=1) for at in starts] == [0, 20, 50]
    assert len(await scheduler.said("slot.moved")) == 2


async def test_cash_before_the_turn_gives_priority(scheduler: Scheduler) -> None:
    """Cash before the plan, and cash before the turn, give priority; cash after it has begun does not."""
    await known(scheduler)
    await scheduler.tell(told.cash(2))
    await publish(scheduler, window("班0", "班1", "班2"))
    scheduler.time.set(MORNING + timedelta(minutes=5))
    await scheduler.tell(told.cash(0), told.cash(1))
    plan = await scheduler.get(IN_FORCE)
    assert [slot["priority"] for slot in plan["slots"]] == [False, True, True]
    assert [one["priority"] for one in await scheduler.said("slot.moved")] == [True]


async def test_where_the_school_pays_nobody_goes_first(scheduler: Scheduler) -> None:
    """Priority is a rule of the cash mode alone."""
    await known(scheduler, fee="school_pays")
    await publish(scheduler, window("班0", "班1", "班2"))
    await scheduler.tell(told.cash(0))
    assert await scheduler.said("slot.moved") == []


async def test_who_missed_it_is_said_once(scheduler: Scheduler) -> None:
    """Half an hour after the last slot: eligible and without a photo in force. Once, whatever comes later."""
    await known(scheduler)
    await publish(scheduler, window("班0", "班1", "班2"))
    taken_back, stays = told.photo(3, 1), told.photo(4, 1)
    await scheduler.tell(
        *(told.student(number, 0) for number in range(3)),
        told.student(3, 1),
        told.student(4, 1),
        told.student(5, 2, eligible=False),
        told.withdrawn(2, 0),
        told.photo_withdrawn(taken_back),
        taken_back,
        stays,
        told.checkin(1, 0),
    )

    async def look(minutes: int) -> int:
        scheduler.time.set(MORNING + timedelta(minutes=minutes))
        async with scheduler.unit() as work:
            return await missing.find_missed(work)

    assert await look(85) == 0
    assert sorted(await asyncio.gather(look(91), look(91))) == [0, 3]
    said = await scheduler.said("student.missed")
    assert [(one["student_id"], one["checked_in"]) for one in said] == [
        (str(told.student_id(0)), False),
        (str(told.student_id(1)), True),
        (str(told.student_id(3)), False),
    ]
    await scheduler.tell(told.photo(0, 0))
    assert await look(200) == 0
    listed = (await scheduler.get(MISSED))["items"]
    assert [one["photographed"] for one in listed] == [True, False, False]


async def test_a_delay_holds_the_missed_back(scheduler: Scheduler) -> None:
    """While the last slot, moved by a delay, is not over, nobody has missed it."""
    await known(scheduler, 1)
    plan = await publish(scheduler, window("班0"))
    await scheduler.tell(told.student(0, 0))
    scheduler.time.set(MORNING - timedelta(minutes=1))
    group = plan["groups"][0]["group_id"]
    await scheduler.post(f"/v1/groups/{group}/delays", {"minutes": 120, "reason": "crew_late"})
    scheduler.time.set(MORNING + timedelta(minutes=100))
    async with scheduler.unit() as work:
        assert await missing.find_missed(work) == 0


async def test_events_may_come_in_any_order(scheduler: Scheduler) -> None:
    """An older state never overwrites a newer one, and a student may come before the class and the campaign."""
    await scheduler.tell(told.withdrawn(0, 0), told.student(0, 0), told.student(1, 0), told.checkin(1, 0))
    await scheduler.tell(told.school_class(0, heads=9, version=3), told.school_class(0, heads=1, version=2))
    await scheduler.tell(told.campaign())
    listed = await scheduler.get(f"/v1/campaigns/{told.CAMPAIGN}/classes")
    assert [one["headcount"] for one in listed["items"]] == [9]
    slot = (await publish(scheduler, window("班0")))["slots"][0]
    assert (slot["headcount"], slot["checked_in"], slot["photographed"]) == (9, 1, 0)


async def test_a_closed_campaign_takes_no_plan(scheduler: Scheduler) -> None:
    """Closed before it is known: tried again. Closed: refused."""
    closed = roster.CampaignClosedV1(campaign_id=told.CAMPAIGN, version=2)
    with pytest.raises(errors.Unavailable):
        await scheduler.tell(closed)
    await known(scheduler)
    await scheduler.tell(closed, told.campaign())
    assert (await scheduler.post(PLANS, a_plan(window("班0")), status=409))["code"] == "plan-campaign-closed"


async def test_an_order_card_says_all_that_a_contact_needs(scheduler: Scheduler) -> None:
    """Code, class, hour, place; for the class's own contact, and no other's."""
    await known(scheduler)
    await publish(scheduler, window("班0", "班1", "班2"))
    path = f"/v1/classes/{told.class_id(1)}/order-card"
    contact = scheduler.token("class_contact", **{"class": [str(told.class_id(1))]})
    card = await scheduler.get(path, headers=contact)
    assert (card["order_code"], card["site_zh"], card["headcount"]) == ("A2", "会展中心", 2)
    for part in ("A2", "班1", "2030-05-27 09:20", "北校区 会展中心 二层"):
        assert part in card["text"]
    await scheduler.get(f"/v1/classes/{told.class_id(0)}/order-card", headers=contact, status=403)
    seen = await scheduler.get(IN_FORCE, headers=contact)
    assert [slot["label_zh"] for slot in seen["slots"]] == ["班1"]


async def test_who_may_not_plan_is_refused(scheduler: Scheduler) -> None:
    """A class contact reads and does not plan; a planner of another campaign does not plan this one."""
    await known(scheduler)
    for headers in (
        scheduler.token("class_contact"),
        scheduler.token("registrar", campaign=[str(uuid4())]),
        scheduler.token("crew_lead", college=["医学院"]),
    ):
        answer = await scheduler.door.post(PLANS, json=a_plan(window("班0")), headers=headers)
        assert answer.status_code == 403
