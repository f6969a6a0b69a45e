"""Files as schools send them."""

import io

import pytest
import xlsxwriter

from kit import errors
from services.roster.api import workbook
from services.roster.domain import rows
from tests.unit.roster import drawn


def xlsx(cells: list[list[object]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(cells):
            sheet.write_row(at, 0, row)
    return file.getvalue()


def test_a_workbook_keeps_texts_and_row_numbers() -> None:
    """Texts come as texts, numbers as numbers, and an empty first row still counts."""
    sheet = workbook.read(xlsx([[], ["学号"], ["0001"], [12.0]]))
    assert [list(row) for row in sheet.cells] == [[""], ["学号"], ["0001"], [12.0]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_in_every_encoding_of_excel(encoding: str) -> None:
    """The same rows come out of every encoding, rare characters included where the encoding has them."""
    text = "学号,姓名\r\n0001,䶮三\r\n"
    assert workbook.read(text.encode(encoding)).cells == [["学号", "姓名"], ["0001", "䶮三"]]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0broken", b"\xff\xff\x00\x01"])
def test_what_is_no_roster_is_refused(data: bytes) -> None:
    """An empty or damaged file is refused with a code."""
    with pytest.raises(errors.Invalid) as refused:
        workbook.read(data)
    assert refused.value.code in ("roster-file-empty", "roster-file-unreadable")


def test_what_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file that would fill the memory is refused before it is unpacked."""
    monkeypatch.setattr(workbook, "UNPACKED_LIMIT_BYTES", 100)
    with pytest.raises(errors.Invalid, match="roster-file-too-large"):
        workbook.read(xlsx([["学号"]]))


def test_excel_numbers_are_refused_not_repaired() -> None:
    """A document number that Excel kept as a number has lost digits: the row is refused."""
    row = drawn.a_row(1, 身份证号=float(drawn.id_number(1)[:17] + "0"), 学号=2026000001)
    found = rows.check(workbook.read(xlsx([list(drawn.HEADERS), row])), drawn.a_campaign()).faults
    assert [(fault.column, fault.code) for fault in found] == [
        ("学号", "roster-row-number-cell"),
        ("身份证号", "roster-row-number-cell"),
    ]
