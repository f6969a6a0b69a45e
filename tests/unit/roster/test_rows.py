"""Rows of a roster: every fault is found where it stands, and nothing is repaired."""

from typing import Any

import pytest

from kit import messages
from services.roster.domain import names, rows, sheets
from tests.unit.roster import drawn


def faults_of(*changes: dict[str, Any]) -> list[sheets.Fault]:
    sheet = drawn.a_sheet([drawn.a_row(number, **change) for number, change in enumerate(changes)])
    return rows.check(sheet, drawn.a_campaign()).faults


def test_good_rows_come_back_as_written() -> None:
    """A good row has no fault, and its values are those of the cells."""
    checked = rows.check(drawn.a_sheet([drawn.a_row(7)]), drawn.a_campaign())
    assert checked.faults == []
    row = checked.rows[0]
    assert (row.row, row.student_no, row.name, row.cohort, row.eligible, row.phone) == (
        2,
        "2026000007",
        "张三",
        "fresh",
        True,
        None,
    )
    assert row.campus_id == drawn.a_campaign().campuses[0].campus_id
    assert row.document_type == "居民身份证"


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("学号", None, "roster-row-missing"),
        ("学号", 2.026e9, "roster-row-number-cell"),
        ("学号", "2.026E+09", "roster-row-number-cell"),
        ("学号", "2026 0001", "roster-row-student-no-form"),
        ("学号", "20260001 ", "roster-row-blank-around"),
        ("学号", "1" * 21, "roster-row-too-long"),
        ("姓名", "张 三", "roster-row-name-blank"),
        ("姓名", "张　三", "roster-row-name-blank"),
        ("姓名", " 张三", "roster-row-blank-around"),
        ("姓名", "张?", "roster-row-name-lost-glyph"),
        ("姓名", "张\u200b三", "roster-row-name-invisible"),
        ("性别", "M", "roster-row-sex"),
        ("身份证号", 6.10404199901010e17, "roster-row-number-cell"),
        ("身份证号", "6.10404E+17", "roster-row-number-cell"),
        ("身份证号", "610404199901010000", "roster-row-id-precision"),
        ("校区", "东校区", "roster-row-campus"),
        ("学生类别", "博士后", "roster-row-cohort"),
    ],
)
def test_each_fault_has_its_code(header: str, value: Any, code: str) -> None:
    """A bad cell is reported once, with row, header and code."""
    found = [fault for fault in faults_of({}, {header: value}) if not fault.warning]
    assert [(fault.row, fault.column, fault.code) for fault in found] == [(3, header, code)]


def test_all_bad_rows_are_reported() -> None:
    """Not the first bad row alone, but every one, in the order of the sheet."""
    found = faults_of({"姓名": "张 三"}, {}, {"性别": "?"}, {"校区": ""}, {"学号": ""})
    assert [(fault.row, fault.column) for fault in found] == [(2, "姓名"), (4, "性别"), (5, "校区"), (6, "学号")]


def test_personal_values_are_masked() -> None:
    """A fault shows enough of a value to find it, and not enough to know the person."""
    number = drawn.id_number(0)
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    found = faults_of({"身份证号": wrong, "姓名": "欧阳 明"})
    assert {fault.value for fault in found} == {f"{wrong[:4]}****{wrong[-4:]}", "欧*"}


def test_duplicates_name_the_first_row() -> None:
    """The second 学号 or document of a file is refused, and the first row is named."""
    found = faults_of({"学号": "1"}, {"学号": "1"}, {"身份证号": drawn.id_number(0)})
    assert [(fault.row, fault.code, fault.params["first"]) for fault in found if not fault.warning] == [
        (3, "roster-row-student-no-twice", 2),
        (4, "roster-row-id-twice", 2),
    ]


def test_lower_case_x_is_the_same_document() -> None:
    """…x and …X are one number: the second is a duplicate."""
    number = next(one for one in map(drawn.id_number, range(200)) if one.endswith("X"))
    found = faults_of({"身份证号": number}, {"身份证号": number.lower()})
    assert "roster-row-id-twice" in [fault.code for fault in found]


def test_a_class_is_on_one_campus() -> None:
    """A class that stands on two campuses is refused where the second begins."""
    found = faults_of({}, {"校区": "南校区"})
    assert [(fault.row, fault.code) for fault in found] == [(3, "roster-row-class-two-campuses")]


def test_sex_against_number_is_a_warning() -> None:
    """A sex unlike the number's warns of shifted rows, and refuses nothing."""
    sex = {"男": "女", "女": "男"}[drawn.a_row(0)[2]]
    checked = rows.check(drawn.a_sheet([drawn.a_row(0, 性别=sex)]), drawn.a_campaign())
    assert [(fault.code, fault.warning) for fault in checked.faults] == [("roster-row-sex-differs", True)]
    assert len(checked.rows) == 1


def test_header_faults_are_all_named() -> None:
    """Missing, repeated and unknown columns are named together; notes are let through."""
    headers = [*drawn.HEADERS[:-2], "学号", "导师", "备注2"]
    found = rows.check(drawn.a_sheet([], headers), drawn.a_campaign()).faults
    assert {(fault.column, fault.code) for fault in found} == {
        ("培养层次", "roster-sheet-column-missing"),
        ("学生类别", "roster-sheet-column-missing"),
        ("学号", "roster-sheet-column-repeated"),
        ("导师", "roster-sheet-column-unknown"),
    }


def test_a_title_above_the_header_keeps_row_numbers() -> None:
    """Rows count as the sheet does, whatever stands above the header and however many rows are empty."""
    cells = [["名单"], [], drawn.HEADERS, [""] * 9, drawn.a_row(1, 性别="")]
    found = rows.check(sheets.Sheet(cells), drawn.a_campaign()).faults
    assert [(fault.row, fault.code) for fault in found] == [(5, "roster-row-missing")]


def test_an_empty_sheet_and_one_without_header_are_refused() -> None:
    """Neither is taken for a roster of nobody."""
    empty = rows.check(drawn.a_sheet([]), drawn.a_campaign())
    headless = rows.check(sheets.Sheet([["甲", "乙"]]), drawn.a_campaign())
    assert [fault.code for fault in (*empty.faults, *headless.faults)] == [
        "roster-sheet-empty",
        "roster-sheet-no-header",
    ]


@pytest.mark.parametrize(
    "other", ["阿卜杜•热依木", "阿卜杜．热依木", "阿卜杜。热依木", "阿卜杜・热依木", "阿卜杜.热依木"]
)
def test_dots_in_names_are_one(other: str) -> None:
    """However the dot is typed, it is the same name; what was written is kept."""
    assert names.normalised(other) == names.normalised("阿卜杜·热依木")
    assert names.fault(other) is None


def test_rare_and_private_glyphs_are_kept() -> None:
    """A rare character passes; a private one passes with a warning."""
    found = faults_of({"姓名": "䶮𠮷"}, {"姓名": "张\ue123"})
    assert [(fault.row, fault.code, fault.warning) for fault in found] == [(3, "roster-row-name-private-glyph", True)]


def test_every_fault_has_words_and_a_remedy() -> None:
    """Whatever a row can be accused of, the registrar reads what to do in both languages."""
    codes = {code for code in messages.catalogue() if code.startswith(("roster-row-", "roster-sheet-"))}
    for code in (code for code in codes if not code.endswith("-remedy")):
        if code != "roster-rows-refused":
            assert f"{code}-remedy" in codes, code
