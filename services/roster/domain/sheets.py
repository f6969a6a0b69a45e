"""A sheet as it was read from a file: its cells, where its header stands, and which of our columns are in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

#: Rows searched for the header: a title and a note often stand above it.
HEADER_WITHIN_ROWS = 10


class Fault(NamedTuple):
    """What is wrong at one place of a sheet. `row` counts as the sheet does, from 1; `value` is masked if personal."""

    row: int
    column: str
    value: str
    code: str
    params: dict[str, str | int]
    warning: bool = False


@dataclass(frozen=True)
class Column:
    """One of our columns. In a `verbatim` one nothing may be lost: no numbers for text, no blanks trimmed."""

    field: str
    header: str
    aliases: tuple[str, ...] = ()
    verbatim: bool = False
    required: bool = True
    longest: int = 60


COLUMNS = (
    Column("student_no", "学号", verbatim=True, longest=20),
    Column("name", "姓名", verbatim=True),
    Column("sex", "性别"),
    Column("document_type", "证件类型", required=False),
    Column("document_no", "身份证号", ("证件号码", "证件号", "身份证号码", "身份证件号"), verbatim=True, longest=18),
    Column("college", "学院", ("学院名称", "院系"), longest=100),
    Column("label", "班级", ("班级名称",), longest=100),
    Column("campus", "校区", ("拍摄校区",)),
    Column("level", "培养层次", ("学历层次", "学历类别")),
    Column("cohort", "学生类别"),
    Column("phone", "手机号", ("手机", "联系手机"), verbatim=True, required=False, longest=20),
)
#: Columns whose header begins so are the school's own notes: they are not read.
NOTE = "备注"

_BY_HEADER = {name: column for column in COLUMNS for name in (column.header, *column.aliases)}


@dataclass(frozen=True)
class Sheet:
    """The cells of a file's first sheet; `cells[0]` is row 1. An empty cell is None or an empty text."""

    cells: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Layout:
    """Where the header stands (0-based) and at which index each field's column is."""

    header_at: int
    places: dict[str, int]


def lay_out(sheet: Sheet) -> Layout | list[Fault]:
    """Find the header and our columns under it; every missing, repeated or unknown column is named."""
    at = _header_row(sheet)
    if at is None:
        return [Fault(1, "", "", "roster-sheet-no-header", {"rows": HEADER_WITHIN_ROWS})]
    headers = [_header(cell) for cell in sheet.cells[at]]
    faults = _header_faults(headers, at + 1)
    places = {_BY_HEADER[name].field: index for index, name in enumerate(headers) if name in _BY_HEADER}
    return faults or Layout(at, places)


def body(sheet: Sheet, layout: Layout) -> list[tuple[int, Sequence[Any]]]:
    """The rows below the header with their numbers, without the empty ones."""
    first = layout.header_at + 1
    return [(first + 1 + index, cells) for index, cells in enumerate(sheet.cells[first:]) if any(map(_filled, cells))]


def _filled(cell: Any) -> bool:
    return cell is not None and cell != ""


def _header_row(sheet: Sheet) -> int | None:
    for index, cells in enumerate(sheet.cells[:HEADER_WITHIN_ROWS]):
        if {"学号", "姓名"} & {_header(cell) for cell in cells}:
            return index
    return None


def _header(cell: Any) -> str:
    return "".join(str(cell).split()) if _filled(cell) else ""


def _header_faults(headers: Sequence[str], row: int) -> list[Fault]:
    found = [_BY_HEADER[name].field for name in headers if name in _BY_HEADER]
    missing = [column for column in COLUMNS if column.required and column.field not in found]
    repeated = [name for name in headers if name in _BY_HEADER and found.count(_BY_HEADER[name].field) > 1]
    unknown = [name for name in headers if name and name not in _BY_HEADER and not name.startswith(NOTE)]
    return [
        *(Fault(row, column.header, "", "roster-sheet-column-missing", {}) for column in missing),
        *(Fault(row, name, "", "roster-sheet-column-repeated", {}) for name in repeated),
        *(Fault(row, name, "", "roster-sheet-column-unknown", {"note": NOTE}) for name in unknown),
    ]
