"""Files that a school sends: .xlsx, .xls, .ods, and .csv in UTF-8, UTF-16 or GB18030. Nothing is repaired."""

import csv
import io
import zipfile

import python_calamine

from kit import errors
from services.roster.domain import sheets

#: A workbook that unpacks to more than this is refused before it is unpacked.
UNPACKED_LIMIT_BYTES = 256 * 1024 * 1024
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def read(data: bytes) -> sheets.Sheet:
    """The first sheet of a file.

    Raises:
        Invalid: the file is empty, is no such file, or is damaged.
    """
    if not data:
        raise errors.Invalid("roster-file-empty")
    if data.startswith((_ZIP, _OLE)):
        return _workbook(data)
    return _csv(data)


def _workbook(data: bytes) -> sheets.Sheet:
    _check_unpacked(data)
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        cells = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, OSError, ValueError, IndexError):
        raise errors.Invalid("roster-file-unreadable") from None
    return sheets.Sheet(cells)


def _check_unpacked(data: bytes) -> None:
    if not data.startswith(_ZIP):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile:
        raise errors.Invalid("roster-file-unreadable") from None
    if unpacked > UNPACKED_LIMIT_BYTES:
        raise errors.Invalid("roster-file-too-large", limit_bytes=UNPACKED_LIMIT_BYTES)


def _csv(data: bytes) -> sheets.Sheet:
    text = _decoded(data)
    if "\0" in text:
        raise errors.Invalid("roster-file-unreadable")
    try:
        return sheets.Sheet(list(csv.reader(io.StringIO(text, newline=""))))
    except csv.Error:
        raise errors.Invalid("roster-file-unreadable") from None


def _decoded(data: bytes) -> str:
    """UTF-16 shows itself by its mark, UTF-8 by being valid; what is left is what Chinese Excel writes."""
    encodings = ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise errors.Invalid("roster-file-unreadable")
