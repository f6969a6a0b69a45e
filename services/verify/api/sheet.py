"""Reading a result file into verdicts: csv in UTF-8 or GB18030, or a workbook; faults name row, column and value."""

import csv
import io
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import python_calamine

from gradphoto_contracts import ids
from kit import errors
from services.verify.domain import chsi
from services.verify.handlers import results

COLUMNS = ("图像编号", "结果", "原因")
SHOWN, SENT_BACK = "已显示", "退回"
#: Rows of one file; a campaign of the largest university is below it.
MOST_ROWS = 100_000
_XLSX_MAGIC = b"PK\x03\x04"


def read(data: bytes) -> list[chsi.Verdict]:
    """The verdicts of a file, in its order.

    Raises:
        errors.Invalid: the file cannot be read, lacks a column, or has faulty rows (all of them are named).
    """
    table = _workbook(data) if data.startswith(_XLSX_MAGIC) else _text(data)
    if not table:
        raise errors.Invalid("verify-results-empty")
    places = _places([cell.strip() for cell in table[0]])
    rows = [(number, row) for number, row in enumerate(table[1:], start=2) if any(cell.strip() for cell in row)]
    if not rows:
        raise errors.Invalid("verify-results-empty")
    if len(rows) > MOST_ROWS:
        raise errors.Invalid("verify-results-too-long", count=len(rows), most=MOST_ROWS)
    return _verdicts(rows, places)


def _workbook(data: bytes) -> list[list[str]]:
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        rows: Sequence[Sequence[Any]] = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, IndexError, ValueError):
        raise errors.Invalid("verify-results-unreadable") from None
    return [[str(cell) for cell in row] for row in rows]


def _text(data: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error:
            break
    raise errors.Invalid("verify-results-unreadable")


def _places(header: list[str]) -> list[int]:
    missing = [column for column in COLUMNS if column not in header]
    unknown = [column for column in header if column and column not in COLUMNS]
    if missing or unknown or len(set(header)) != len(header):
        raise errors.Invalid("verify-results-columns", missing="、".join(missing), unknown="、".join(unknown)[:200])
    return [header.index(column) for column in COLUMNS]


def _verdicts(rows: list[tuple[int, list[str]]], places: list[int]) -> list[chsi.Verdict]:
    verdicts, faults = [], []
    for number, row in rows:
        cells = [row[place].strip() if place < len(row) else "" for place in places]
        read_row = _verdict(number, *cells)
        if isinstance(read_row, chsi.Verdict):
            verdicts.append(read_row)
        else:
            faults.append(read_row)
    results.refuse_faults(faults)
    return verdicts


def _verdict(number: int, capture: str, result: str, reason: str) -> chsi.Verdict | dict[str, Any]:
    try:
        capture_id = ids.CaptureId(UUID(capture))
    except ValueError:
        return results.fault(number, COLUMNS[0], capture, "verify-result-not-an-id")
    if result not in (SHOWN, SENT_BACK):
        return results.fault(number, COLUMNS[1], result, "verify-result-unknown-word")
    if result == SENT_BACK and not reason:
        return results.fault(number, COLUMNS[2], reason, "verify-result-reason-missing")
    return chsi.Verdict(number, capture_id, result == SHOWN, reason[:200])
