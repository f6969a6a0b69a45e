"""Rows of a roster: every cell checked, every fault reported, nothing repaired.

Work is done a column at a time, and once a distinct value where values repeat: twenty thousand rows are common.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from gradphoto_contracts import ids
from services.roster.domain import campaigns, documents, names, sheets

_STUDENT_NO = re.compile(r"[0-9A-Za-z-]{1,20}", re.ASCII)
_PHONE = re.compile(r"1[3-9][0-9]{9}|\+?[0-9-]{6,20}", re.ASCII)
SEXES = ("男", "女")
_AS_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]+|[0-9]+\.0", re.ASCII)


class Row(NamedTuple):
    """A student as one row of a roster says, each value exactly as written."""

    row: int
    student_no: str
    name: str
    sex: str
    document_type: str
    document_no: str
    college_zh: str
    label: str
    campus_id: ids.CampusId
    level: str
    cohort: str
    phone: str | None
    eligible: bool


class Checked(NamedTuple):
    """The rows without an error, and every fault; `total` counts all rows that hold anything."""

    rows: list[Row]
    faults: list[sheets.Fault]
    total: int


def check(sheet: sheets.Sheet, campaign: campaigns.Campaign) -> Checked:
    """Check a whole sheet against a campaign's campuses and cohorts."""
    layout = sheets.lay_out(sheet)
    if isinstance(layout, list):
        return Checked([], layout, 0)
    body = sheets.body(sheet, layout)
    if not body:
        return Checked([], [sheets.Fault(layout.header_at + 1, "", "", "roster-sheet-empty", {})], 0)
    table = _Table(body, layout)
    _check_columns(table, campaign)
    _check_together(table, campaign)
    faults = sorted(table.faults, key=lambda fault: (fault.row, fault.column))
    return Checked(_rows(table, campaign), faults, len(body))


class _Table:
    """The columns of a body as texts, and the faults found so far."""

    def __init__(self, body: Sequence[tuple[int, Sequence[Any]]], layout: sheets.Layout) -> None:
        self.numbers = [number for number, _ in body]
        self.faults: list[sheets.Fault] = []
        self.bad: set[tuple[int, str]] = set()
        self.columns = {column.field: self._texts(column, body, layout) for column in sheets.COLUMNS}

    def _texts(
        self, column: sheets.Column, body: Sequence[tuple[int, Sequence[Any]]], layout: sheets.Layout
    ) -> list[str]:
        place = layout.places.get(column.field)
        if place is None:
            return [""] * len(body)
        raw = [cells[place] if place < len(cells) else "" for _, cells in body]
        if column.verbatim:
            texts = [cell if cell.__class__ is str else self._lossy(at, column, cell) for at, cell in enumerate(raw)]
        else:
            texts = [cell.strip() if cell.__class__ is str else _as_text(cell) for cell in raw]
        self._check_lengths(column, texts)
        return texts

    def _lossy(self, at: int, column: sheets.Column, cell: Any) -> str:
        if cell is None or cell == "":
            return ""
        self.fault(at, column, _as_text(cell), "roster-row-number-cell")
        return _as_text(cell)

    def _check_lengths(self, column: sheets.Column, texts: Sequence[str]) -> None:
        for at, text in enumerate(texts):
            if not text:
                if column.required:
                    self.fault(at, column, "", "roster-row-missing")
            elif len(text) > column.longest:
                self.fault(at, column, text, "roster-row-too-long", longest=column.longest)

    def fault(self, at: int, column: sheets.Column, value: str, code: str, **params: str | int) -> None:
        """Report a fault at the body's row `at`; a cell already faulty is not reported again."""
        if (at, column.field) not in self.bad:
            self.bad.add((at, column.field))
            self.faults.append(sheets.Fault(self.numbers[at], column.header, shown(column, value), code, params))

    def warn(self, at: int, column: sheets.Column, value: str, code: str) -> None:
        self.faults.append(sheets.Fault(self.numbers[at], column.header, shown(column, value), code, {}, warning=True))

    def good(self, field: str) -> Iterable[tuple[int, str]]:
        """The filled cells of a column that have no fault yet."""
        texts = self.columns[field]
        if not self.bad:
            return [(at, text) for at, text in enumerate(texts) if text]
        return [(at, text) for at, text in enumerate(texts) if text and (at, field) not in self.bad]


_COLUMN = {column.field: column for column in sheets.COLUMNS}


def shown(column: sheets.Column, value: str) -> str:
    """A value as it may be shown: names and numbers of persons masked."""
    if column.field == "name":
        return names.masked(value)
    return names.masked_number(value) if column.field in ("document_no", "phone") and value else value[:60]


def _as_text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _check_columns(table: _Table, campaign: campaigns.Campaign) -> None:
    _each(table, "student_no", _student_no_fault)
    _each(table, "name", names.fault)
    _each(table, "phone", lambda text: None if _PHONE.fullmatch(text) else "roster-row-phone-form")
    _distinct(table, "sex", SEXES.__contains__, "roster-row-sex", known="、".join(SEXES))
    _distinct(
        table,
        "document_type",
        documents.FAULTS.__contains__,
        "roster-row-document-type",
        known="、".join(documents.FAULTS),
    )
    campuses = "、".join(campus.name_zh for campus in campaign.campuses)
    _distinct(
        table, "campus", lambda text: campaign.campus_named(text) is not None, "roster-row-campus", known=campuses
    )
    cohorts = "、".join(cohort.title_zh for cohort in campaign.policy.cohorts)
    _distinct(table, "cohort", lambda text: campaign.cohort_named(text) is not None, "roster-row-cohort", known=cohorts)
    _check_documents(table)
    for at, name in table.good("name"):
        if not name.isascii() and names.has_private_glyph(name):
            table.warn(at, _COLUMN["name"], name, "roster-row-name-private-glyph")


def _each(table: _Table, field: str, fault: Callable[[str], str | None]) -> None:
    for at, text in table.good(field):
        code = fault(text)
        if code is not None:
            table.fault(at, _COLUMN[field], text, code)


def _distinct(table: _Table, field: str, is_known: Callable[[str], bool], code: str, **params: str | int) -> None:
    wrong = {text for text in set(table.columns[field]) if text and not is_known(text)}
    if wrong:
        for at, text in table.good(field):
            if text in wrong:
                table.fault(at, _COLUMN[field], text, code, **params)


def _student_no_fault(text: str) -> str | None:
    if text != text.strip():
        return "roster-row-blank-around"
    if _AS_NUMBER.fullmatch(text):
        return "roster-row-number-cell"
    return None if _STUDENT_NO.fullmatch(text) else "roster-row-student-no-form"


def _check_documents(table: _Table) -> None:
    types, sexes = table.columns["document_type"], table.columns["sex"]
    for at, number in table.good("document_no"):
        kind = types[at] or documents.DEFAULT_TYPE
        if kind not in documents.FAULTS:
            continue
        code = _document_fault(kind, number)
        if code is not None:
            table.fault(at, _COLUMN["document_no"], number, code, kind=kind)
        elif sexes[at] in SEXES and documents.sex_of(kind, number) not in (None, sexes[at]):
            table.warn(at, _COLUMN["sex"], sexes[at], "roster-row-sex-differs")


def _document_fault(kind: str, number: str) -> str | None:
    code = documents.FAULTS[kind](number)
    if code is None:
        return None
    if number != number.strip():
        return "roster-row-blank-around"
    return "roster-row-number-cell" if _AS_NUMBER.fullmatch(number) else code


def _check_together(table: _Table, campaign: campaigns.Campaign) -> None:
    _unique(table, "student_no", str, "roster-row-student-no-twice")
    _unique(table, "document_no", documents.normalised, "roster-row-id-twice")
    classes = list(zip(table.columns["college"], table.columns["label"], strict=True))
    places = {text: campaign.campus_named(text) for text in set(table.columns["campus"])}
    first: dict[tuple[str, str], int] = {}
    for at, campus in table.good("campus"):
        seen = first.setdefault(classes[at], at)
        if places[table.columns["campus"][seen]] != places[campus]:
            table.fault(at, _COLUMN["campus"], campus, "roster-row-class-two-campuses", first=table.numbers[seen])


def _unique(table: _Table, field: str, normal: Callable[[str], str], code: str) -> None:
    first: dict[str, int] = {}
    for at, text in table.good(field):
        seen = first.setdefault(normal(text), at)
        if seen != at:
            table.fault(at, _COLUMN[field], text, code, first=table.numbers[seen])


def _rows(table: _Table, campaign: campaigns.Campaign) -> list[Row]:
    """The rows without a fault; `Row` has the fields of our columns in their order."""
    campuses = {text: campaign.campus_named(text) for text in set(table.columns["campus"])}
    cohorts = {text: campaign.cohort_named(text) for text in set(table.columns["cohort"])}
    whos = [cohorts[text] for text in table.columns["cohort"]]
    columns: dict[str, Sequence[Any]] = {
        **table.columns,
        "document_type": [text or documents.DEFAULT_TYPE for text in table.columns["document_type"]],
        "campus": [where and where.campus_id for where in map(campuses.__getitem__, table.columns["campus"])],
        "cohort": [who and who.code for who in whos],
        "phone": [text or None for text in table.columns["phone"]],
    }
    bad = {at for at, _ in table.bad}
    lines = zip(table.numbers, *columns.values(), (who and who.eligible for who in whos), strict=True)
    return [Row._make(line) for at, line in enumerate(lines) if at not in bad]
