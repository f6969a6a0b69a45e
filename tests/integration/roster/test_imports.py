"""Imports through the door, on a real database."""

import asyncio
import io
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import xlsxwriter

from gradphoto_contracts import ids
from kit import db
from services.roster import store
from services.roster.domain import sheets
from services.roster.handlers import importing
from tests.integration.roster.conftest import Roster
from tests.unit.roster import drawn


def workbook(rows: list[list[Any]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([drawn.HEADERS, *rows]):
            sheet.write_row(at, 0, row)
    return file.getvalue()


async def open_campaign(roster: Roster, mode: Any = "capture_code", code: str = "2030") -> str:
    body = {
        "code": code,
        "title_zh": "某大学2030届",
        "school_code": "10999",
        "graduation_year": 2030,
        "policy": drawn.a_policy(mode).model_dump(mode="json"),
        "campuses": [{"code": "N", "name_zh": "北校区"}, {"code": "S", "name_zh": "南校区"}],
    }
    return str((await roster.post("/v1/campaigns", body, status=201))["campaign_id"])


async def import_rows(roster: Roster, campaign_id: str, rows: list[list[Any]]) -> Any:
    preview = await roster.upload(campaign_id, workbook(rows))
    assert preview["errors"] == []
    return await roster.post(f"/v1/imports/{preview['import_id']}/apply")


async def said(roster: Roster) -> Counter[str]:
    found = await roster.rows("select type, count(*) as times from roster.outbox group by type")
    return Counter({row["type"].removeprefix("roster.").removesuffix(".v1"): row["times"] for row in found})


async def test_migrations_lead_to_the_tables(roster: Roster) -> None:
    """A migrated database has the tables that the code declares."""
    assert await db.differences(roster.settings.database_url.get_secret_value(), store.METADATA) == []


async def test_two_thousand_rows_twice(roster: Roster) -> None:
    """The first import enrols everybody; the same file again changes nothing and says nothing."""
    campaign_id = await open_campaign(roster)
    rows = [drawn.a_row(number) for number in range(2000)]
    assert await import_rows(roster, campaign_id, rows) | {"import_id": ""} == {
        "import_id": "",
        "state": "applied",
        "new": 2000,
        "changed": 0,
        "unchanged": 0,
    }
    first = await said(roster)
    assert first == {"campaign.opened": 1, "class.registered": 40, "student.enrolled": 2000}
    again = await import_rows(roster, campaign_id, rows)
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 2000)
    assert await said(roster) == first
    ordinals = await roster.rows("select min(ordinal) as least, max(ordinal) as most from roster.students")
    assert ordinals == [{"least": 1, "most": 50}]


async def test_what_changed_is_said_and_nothing_else(roster: Roster) -> None:
    """One student moves class: that student, those who close up or make room, and both classes change. Nobody else."""
    campaign_id = await open_campaign(roster)
    rows = [drawn.a_row(number) for number in range(150)]
    await import_rows(roster, campaign_id, rows)
    before = await said(roster)
    rows[48] = drawn.a_row(48, 班级="班0001")
    rows[149] = drawn.a_row(149, 学生类别="延期")
    done = await import_rows(roster, campaign_id, rows)
    assert (done["changed"], done["unchanged"]) == (2, 148)
    # 48 leaves class 0 (49 closes up) and stands first in class 1 (its fifty move back); 149 stays in place.
    assert await said(roster) - before == {"student.changed": 1 + 1 + 50 + 1, "class.changed": 3}
    heads = await roster.get(f"/v1/campaigns/{campaign_id}/classes")
    assert [one["headcount"] for one in heads["items"]] == [49, 51, 49]


async def test_a_refused_file_leaves_nothing(roster: Roster) -> None:
    """A file with errors names every one with its remedy, and cannot be applied."""
    campaign_id = await open_campaign(roster)
    rows = [drawn.a_row(1), drawn.a_row(2, 姓名="李 四"), drawn.a_row(3, 身份证号=6.1e17)]
    preview = await roster.upload(campaign_id, workbook(rows))
    assert preview["state"] == "refused"
    assert [(one["row"], one["column"], one["code"]) for one in preview["errors"]] == [
        (3, "姓名", "roster-row-name-blank"),
        (4, "身份证号", "roster-row-number-cell"),
    ]
    assert all(one["zh"] and one["en"] and one["remedy_zh"] and one["remedy_en"] for one in preview["errors"])
    problem = await roster.post(f"/v1/imports/{preview['import_id']}/apply", status=409)
    assert problem["code"] == "roster-import-refused"
    assert await roster.rows("select 1 from roster.students union all select 1 from roster.staged") == []


async def test_an_import_is_applied_once(roster: Roster) -> None:
    """Two who apply the same preview at once: both get the same answer, and it happened once."""
    campaign_id = await open_campaign(roster)
    preview = await roster.upload(campaign_id, workbook([drawn.a_row(number) for number in range(60)]))
    path = f"/v1/imports/{preview['import_id']}/apply"
    first, second = await asyncio.gather(roster.post(path), roster.post(path))
    assert first == second
    assert (await said(roster))["student.enrolled"] == 60


async def test_a_stale_preview_is_refused(roster: Roster) -> None:
    """Of two previews of the same roster one can be applied; the other was compared with what is no more."""
    campaign_id = await open_campaign(roster)
    one = await roster.upload(campaign_id, workbook([drawn.a_row(1)]))
    other = await roster.upload(campaign_id, workbook([drawn.a_row(2)]))
    await roster.post(f"/v1/imports/{one['import_id']}/apply")
    problem = await roster.post(f"/v1/imports/{other['import_id']}/apply", status=409)
    assert problem["code"] == "roster-import-stale"


async def test_an_apply_that_is_rolled_back_leaves_nothing(roster: Roster) -> None:
    """A process that dies before the commit leaves neither students nor events; the preview can still be applied."""
    campaign_id = await open_campaign(roster)
    preview = await roster.upload(campaign_id, workbook([drawn.a_row(number) for number in range(200)]))
    before = await said(roster)

    async def apply_and_die() -> None:
        async with roster.unit() as work:
            await importing.apply_import(work, ids.ImportId(UUID(preview["import_id"])))
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        await apply_and_die()
    assert await said(roster) == before
    assert await roster.rows("select 1 from roster.students union all select 1 from roster.vault") == []
    assert (await roster.post(f"/v1/imports/{preview['import_id']}/apply"))["new"] == 200


@pytest.mark.parametrize("mode", ["id_card", "student_no", "campus_card"])
async def test_other_modes_register_codes_from_the_roster(roster: Roster, mode: str) -> None:
    """Where the desk reads a document or a number, the import registers its digest; versions tell the order."""
    campaign_id = await open_campaign(roster, mode)
    await import_rows(roster, campaign_id, [drawn.a_row(1), drawn.a_row(2)])
    events = await roster.rows(
        "select type, (envelope->'data'->>'version')::int as version from roster.outbox order by seq"
    )
    assert [(row["type"], row["version"]) for row in events][2:] == [
        ("roster.student.enrolled.v1", 1),
        ("roster.student.enrolled.v1", 1),
        ("roster.code.registered.v1", 2),
        ("roster.code.registered.v1", 2),
    ]
    async with roster.unit() as work:
        scanned = drawn.id_number(1).lower() if mode == "id_card" else "2026000001"
        digest = work.vault.digest(ids.CampaignId(UUID(campaign_id)), mode, scanned)
    assert {"digest": digest} in await roster.rows("select digest from roster.codes")


async def test_no_event_carries_who_a_student_is(roster: Roster) -> None:
    """Names, numbers, phones and 学号 are in no event, and in no table in the clear."""
    campaign_id = await open_campaign(roster, "id_card")
    await import_rows(roster, campaign_id, [drawn.a_row(1, 姓名="欧阳独一")])
    for table in ("outbox", "imports", "staged", "vault"):
        for row in await roster.rows(f"select t::text as text from roster.{table} t"):
            assert "欧阳" not in row["text"]
            assert drawn.id_number(1) not in row["text"]
            assert "欧阳".encode().hex() not in row["text"]
    for row in await roster.rows("select envelope::text as text from roster.outbox"):
        assert "2026000001" not in row["text"]


async def test_absent_students_are_listed_and_stay(roster: Roster) -> None:
    """Who is missing from a later file of the college is listed in the preview, and stays on the roster."""
    campaign_id = await open_campaign(roster)
    await import_rows(roster, campaign_id, [drawn.a_row(1), drawn.a_row(2)])
    preview = await roster.upload(campaign_id, workbook([drawn.a_row(1)]))
    assert [one["student_no"] for one in preview["absent_students"]] == ["2026000002"]
    await roster.post(f"/v1/imports/{preview['import_id']}/apply")
    assert len((await roster.get(f"/v1/campaigns/{campaign_id}/students"))["items"]) == 2


async def test_what_nobody_applied_is_forgotten(roster: Roster) -> None:
    """Staged rows of an old preview go, and it cannot be applied any more."""
    campaign_id = await open_campaign(roster)
    preview = await roster.upload(campaign_id, workbook([drawn.a_row(1)]))
    async with roster.unit() as work:
        assert await work.imports.drop_before(work.now) == 1
    assert await roster.rows("select 1 from roster.staged") == []
    problem = await roster.post(f"/v1/imports/{preview['import_id']}/apply", status=409)
    assert problem["code"] == "roster-import-dropped"


async def test_the_database_refuses_one_document_twice(roster: Roster) -> None:
    """Whatever the code would let through, two students of a campaign never share a document."""
    campaign_id = await open_campaign(roster)
    await import_rows(roster, campaign_id, [drawn.a_row(1), drawn.a_row(2)])
    with pytest.raises(sa.exc.IntegrityError):
        async with roster.database.transaction() as tx:
            await tx.execute(sa.text("update roster.vault set document_index = '\\x00'"))


async def test_a_walk_in_is_held_to_the_same_rules(roster: Roster) -> None:
    """One by hand enters as an import does, is refused as one is, and makes room in the order of the class."""
    campaign_id = await open_campaign(roster)
    await import_rows(roster, campaign_id, [drawn.a_row(number) for number in (1, 3)])
    row = dict(zip(drawn.HEADERS, drawn.a_row(2), strict=True))
    added = await roster.post(f"/v1/campaigns/{campaign_id}/students", {"row": row}, status=201)
    same = await roster.post(f"/v1/campaigns/{campaign_id}/students", {"row": row}, status=201)
    assert added == same
    students = (await roster.get(f"/v1/campaigns/{campaign_id}/students"))["items"]
    assert sorted((one["student_no"][-1], one["ordinal"]) for one in students) == [("1", 1), ("2", 2), ("3", 3)]
    bad = await roster.post(f"/v1/campaigns/{campaign_id}/students", {"row": row | {"姓名": "李 四"}}, status=422)
    assert [one["code"] for one in bad["rows"]] == ["roster-row-name-blank"]


async def test_a_withdrawn_student_comes_back_by_hand(roster: Roster) -> None:
    """Withdrawn, the class closes up; enrolled anew by hand, with a corrected document, it is the same student."""
    campaign_id = await open_campaign(roster)
    await import_rows(roster, campaign_id, [drawn.a_row(number) for number in (1, 2, 3)])
    found = await roster.post(f"/v1/campaigns/{campaign_id}/resolve", {"student_nos": ["2026000002", "?"]})
    assert found["unknown"] == ["?"]
    student_id = found["items"][0]["student_id"]
    for _ in range(2):
        gone = await roster.post(f"/v1/students/{student_id}/withdraw", {"reason": "退学"})
        assert gone["withdrawn"]
    assert (await said(roster))["student.withdrawn"] == 1
    heads = await roster.get(f"/v1/campaigns/{campaign_id}/classes")
    assert [one["headcount"] for one in heads["items"]] == [2]
    row = dict(zip(drawn.HEADERS, drawn.a_row(2, 身份证号=drawn.id_number(6)), strict=True))
    back = await roster.post(f"/v1/campaigns/{campaign_id}/students", {"row": row}, status=201)
    assert back["student_id"] == student_id
    versions = await roster.rows(
        "select type, envelope->'data'->>'version' as version from roster.outbox "
        f"where subject = '{student_id}' order by seq"
    )
    assert [(one["type"].split(".")[2], one["version"]) for one in versions] == [
        ("enrolled", "1"),
        ("withdrawn", "2"),
        ("enrolled", "3"),
    ]


async def test_a_class_that_moves_takes_its_students_along(roster: Roster) -> None:
    """A class on another campus is one change of the class and one of each student, whose events name the campus."""
    campaign_id = await open_campaign(roster)
    await import_rows(roster, campaign_id, [drawn.a_row(1), drawn.a_row(2)])
    before = await said(roster)
    await import_rows(roster, campaign_id, [drawn.a_row(1, 校区="南校区"), drawn.a_row(2, 校区="S")])
    assert await said(roster) - before == {"class.changed": 1, "student.changed": 2}


async def test_policy_decides_who_is_eligible(roster: Roster) -> None:
    """A cohort that is let in after all: its students change, and headcounts with them; one in use cannot go."""
    campaign_id = await open_campaign(roster)
    await import_rows(roster, campaign_id, [drawn.a_row(1), drawn.a_row(2, 学生类别="延期")])
    before = await said(roster)
    answer = await roster.door.put(
        f"/v1/campaigns/{campaign_id}/policy",
        json=drawn.a_policy(late_eligible=True).model_dump(mode="json"),
        headers=roster.token("registrar"),
    )
    assert answer.status_code == 200, answer.text
    assert await said(roster) - before == {"campaign.changed": 1, "class.changed": 1, "student.changed": 1}
    dropped = drawn.a_policy().model_dump(mode="json")
    dropped["cohorts"] = dropped["cohorts"][:1]
    refused = await roster.door.put(
        f"/v1/campaigns/{campaign_id}/policy", json=dropped, headers=roster.token("registrar")
    )
    assert refused.json()["code"] == "roster-cohort-in-use"


async def test_a_sheet_by_hand_is_a_sheet(roster: Roster) -> None:
    """The handler takes any sheet: the door's file formats are its own business."""
    campaign_id = ids.CampaignId(UUID(await open_campaign(roster)))
    async with roster.unit() as work:
        preview = await importing.preview_import(
            work, campaign_id, sheets.Sheet([drawn.HEADERS, drawn.a_row(1)]), "0" * 64, "test"
        )
    assert (preview.upload.new, preview.faults) == (1, [])
