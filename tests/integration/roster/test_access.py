"""Who may see what, what is masked, and what is on record."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from gradphoto_contracts import capture, catalogue, ids
from gradphoto_contracts.envelope import Envelope, Event
from kit import inbox
from services.roster import handlers
from tests.integration.roster.conftest import Roster
from tests.integration.roster.test_imports import import_rows, open_campaign
from tests.unit.roster import drawn

HASH = "0" * 64


async def two_colleges(roster: Roster) -> tuple[str, list[dict[str, Any]]]:
    campaign_id = await open_campaign(roster)
    await import_rows(roster, campaign_id, [drawn.a_row(1, 姓名="欧阳娜", 学院="医"), drawn.a_row(2, 学院="文")])
    return campaign_id, (await roster.get(f"/v1/campaigns/{campaign_id}/students"))["items"]


async def test_lists_are_masked(roster: Roster) -> None:
    """A list shows 欧* and the ends of the number."""
    _, students = await two_colleges(roster)
    number = drawn.id_number(1)
    assert (students[0]["name_masked"], students[0]["document_masked"]) == ("欧*", f"{number[:4]}****{number[-4:]}")


async def test_a_reveal_is_on_record_for_ever(roster: Roster) -> None:
    """Unmasked data are shown for a reason; who, when, what and why cannot be changed afterwards by anybody."""
    _, students = await two_colleges(roster)
    path = f"/v1/students/{students[0]['student_id']}/reveal"
    shown = await roster.post(path, {"fields": ["name", "document_no", "phone"], "reason": "核对学籍"})
    assert shown["fields"] == {"name": "欧阳娜", "document_no": drawn.id_number(1), "phone": None}
    await roster.post(path, {"fields": ["name"]}, status=422)
    audit = await roster.get("/v1/audit", headers=roster.token("auditor"))
    assert [(one["by"], one["role"], one["fields"], one["reason"]) for one in audit["items"]] == [
        ("registrar-1", "registrar", ["name", "document_no", "phone"], "核对学籍")
    ]
    for statement in ("update roster.reveals set role = ''", "delete from roster.reveals"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            async with roster.database.transaction() as tx:
                await tx.execute(sa.text(statement))


async def test_a_sealed_value_opens_for_its_student_alone(roster: Roster) -> None:
    """Rows of the vault swapped in the database do not open: a name is never shown as another's."""
    _, students = await two_colleges(roster)
    first, second = (one["student_id"] for one in students)
    async with roster.database.transaction() as tx:
        await tx.execute(
            sa.text(
                "update roster.vault v set name_sealed = o.name_sealed from roster.vault o "
                f"where v.student_id = '{first}' and o.student_id = '{second}'"
            )
        )
    answer = await roster.door.get(f"/v1/students/{first}", headers=roster.token("registrar"))
    assert (answer.status_code, answer.json()["code"]) == (500, "sealed-data-unreadable")


async def test_a_secretary_sees_the_own_college(roster: Roster) -> None:
    """Classes, students and single students of another college are out of a secretary's scope; changes of all too."""
    campaign_id, students = await two_colleges(roster)
    secretary = roster.token("secretary", campaign=[campaign_id], college=["医"])
    seen = await roster.get(f"/v1/campaigns/{campaign_id}/students", headers=secretary)
    assert [one["student_id"] for one in seen["items"]] == [students[0]["student_id"]]
    classes = await roster.get(f"/v1/campaigns/{campaign_id}/classes", headers=secretary)
    assert [one["college_zh"] for one in classes["items"]] == ["医"]
    problem = await roster.get(f"/v1/students/{students[1]['student_id']}", headers=secretary, status=403)
    assert problem["code"] == "out-of-scope"
    body = {"codes": [{"student_no": "1", "payload": "x"}]}
    refused = await roster.door.post(f"/v1/campaigns/{campaign_id}/codes", json=body, headers=secretary)
    assert refused.status_code == 403


async def test_a_class_contact_sees_the_own_class(roster: Roster) -> None:
    """A class contact's list is one class, and another campaign is none of it."""
    campaign_id, students = await two_colleges(roster)
    contact = roster.token("class_contact", campaign=[campaign_id], **{"class": [students[1]["class_id"]]})
    seen = await roster.get(f"/v1/campaigns/{campaign_id}/students", headers=contact)
    assert [one["student_id"] for one in seen["items"]] == [students[1]["student_id"]]
    await roster.get(f"/v1/campaigns/{uuid4()}/students", headers=contact, status=403)


@pytest.mark.parametrize(("role", "path"), [("operator", "students"), ("cashier", "students"), ("student", "classes")])
async def test_other_roles_see_nobody(roster: Roster, role: str, path: str) -> None:
    """Who has no business with the roster is refused."""
    problem = await roster.get(f"/v1/campaigns/{uuid4()}/{path}", headers=roster.token(role), status=403)
    assert problem["code"] == "not-permitted"


async def test_pages_go_on_where_they_ended(roster: Roster) -> None:
    """A list in pages is the whole list, once."""
    campaign_id = await open_campaign(roster)
    await import_rows(roster, campaign_id, [drawn.a_row(number) for number in range(25)])
    path, seen, after = f"/v1/campaigns/{campaign_id}/students?limit=10", [], ""
    while True:
        page = await roster.get(path + after)
        seen += [one["student_id"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == 25


async def test_codes_are_registered_by_digest(roster: Roster) -> None:
    """A code is registered once and kept as a digest; one payload for two is refused; a new code replaces the old."""
    campaign_id, _ = await two_colleges(roster)

    async def register(*pairs: tuple[str, str]) -> list[str]:
        codes = [{"student_no": no, "payload": payload} for no, payload in pairs]
        answer = await roster.post(f"/v1/campaigns/{campaign_id}/codes", {"codes": codes})
        return [one["outcome"] for one in answer["items"]]

    assert await register(("2026000001", "采集码甲"), ("2026000002", "采集码甲"), ("9", "乙")) == [
        "registered",
        "refused",
        "refused",
    ]
    assert await register(("2026000001", "采集码甲")) == ["unchanged"]
    assert await register(("2026000001", "采集码丙"), ("2026000002", "采集码甲")) == ["registered", "registered"]
    kept = await roster.rows("select k::text as text from roster.codes k")
    assert len(kept) == 2
    assert not [row for row in kept if "采集码" in row["text"]]


async def test_a_campaign_is_opened_once(roster: Roster) -> None:
    """The same campaign again is the same; another under its code is refused; a closed one takes no changes."""
    campaign_id = await open_campaign(roster)
    campaign = await roster.get(f"/v1/campaigns/{campaign_id}")
    body = {name: campaign[name] for name in ("code", "title_zh", "school_code", "graduation_year", "policy")}
    body["campuses"] = [{"code": one["code"], "name_zh": one["name_zh"]} for one in campaign["campuses"]]
    assert (await roster.post("/v1/campaigns", body))["campaign_id"] == campaign_id
    assert (await roster.post("/v1/campaigns", body | {"title_zh": "另"}, status=409))[
        "code"
    ] == "roster-campaign-differs"
    for _ in range(2):
        assert (await roster.post(f"/v1/campaigns/{campaign_id}/close"))["state"] == "closed"
    answer = await roster.post(
        f"/v1/campaigns/{campaign_id}/codes", {"codes": [{"student_no": "1", "payload": "x"}]}, status=409
    )
    assert answer["code"] == "roster-campaign-closed"


def accepted(student_id: str, capture_id: UUID, version: int) -> capture.PhotoAcceptedV1:
    return capture.PhotoAcceptedV1(
        capture_id=ids.CaptureId(capture_id),
        campaign_id=ids.CampaignId(uuid4()),
        student_id=ids.StudentId(UUID(student_id)),
        class_id=ids.ClassId(uuid4()),
        desk_id=ids.DeskId(uuid4()),
        version=version,
        photo_key=f"photos/{uuid4()}/x.jpg",
        photo_sha256=HASH,
        profile="chsi",
        shutter_at=datetime.now(UTC),
    )


async def test_photos_may_be_told_twice_and_out_of_order(roster: Roster) -> None:
    """A withdrawal that overtakes its acceptance holds; a rebind moves the flag; a repeat changes nothing."""
    _, students = await two_colleges(roster)
    dispatch = inbox.dispatcher(roster.unit, catalogue.read, handlers.HEARS)
    first, second = (one["student_id"] for one in students)
    photo, other = uuid4(), uuid4()
    yes = accepted(first, photo, 2)
    facts = yes.model_dump(exclude={"version", "photo_key", "photo_sha256", "profile", "overridden", "shutter_at"})
    no = capture.PhotoWithdrawnV1(**facts, version=3, reason="x")
    rebound = capture.PhotoReboundV1(
        **(facts | {"capture_id": other, "student_id": UUID(second)}),
        version=4,
        previous_student_id=yes.student_id,
        previous_class_id=yes.class_id,
        photo_key=yes.photo_key,
        photo_sha256=HASH,
        shutter_at=yes.shutter_at,
        reason="x",
    )

    async def tell(*events: Event) -> list[bool]:
        for event in events:
            sealed = Envelope.seal(event, id=uuid4(), source="capture", time=yes.shutter_at, correlation_id="c")
            await dispatch([sealed])
            await dispatch([sealed])
        return [(await roster.get(f"/v1/students/{one}"))["captured"] for one in (first, second)]

    assert await tell(no, yes) == [False, False]
    assert await tell(accepted(first, other, 2)) == [True, False]
    assert await tell(rebound, accepted(first, other, 2)) == [False, True]
