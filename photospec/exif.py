"""What a camera writes about a shot: how it was held, when it was, how dense and in which colours the pixels are."""

import struct
from dataclasses import dataclass
from datetime import date
from typing import Literal

#: "unsaid": no word of it, which everybody reads as sRGB. "uncalibrated": something else, and not said what.
Colours = Literal["unsaid", "srgb", "adobe", "uncalibrated"]

_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_EXIF_DIRECTORY, _TAKEN_AT, _COLOUR_SPACE, _INTEROP_DIRECTORY, _INTEROP_INDEX = 0x8769, 0x9003, 0xA001, 0xA005, 1
_Entries = dict[int, bytes]


@dataclass(frozen=True)
class Exif:
    """The first Exif block of a file; what is broken or absent says nothing. `densities_dpi`: across and down."""

    orientation: int = 1
    densities_dpi: tuple[float, float] | None = None
    taken_on: date | None = None
    colours: Colours = "unsaid"


def read(tiff: bytes) -> Exif:
    """Read the TIFF structure behind `Exif\\0\\0`; a broken one says nothing at all."""
    try:
        order = {b"II": "<", b"MM": ">"}[tiff[:2]]
        entries = _entries(tiff, order, struct.unpack_from(order + "I", tiff, 4)[0])
        inner = _below(tiff, order, entries, _EXIF_DIRECTORY)
        orientation = _short(order, entries.get(_ORIENTATION), 1)
        densities = _densities(tiff, order, entries)
        taken_on = _taken_on(tiff, order, inner)
        colours = _colours(tiff, order, inner)
    except (KeyError, struct.error):
        return Exif()
    return Exif(orientation if 1 <= orientation <= 8 else 1, densities, taken_on, colours)


def _entries(tiff: bytes, order: str, offset: int) -> _Entries:
    """Tag to the four bytes that hold its value, or the offset of it."""
    (count,) = struct.unpack_from(order + "H", tiff, offset)
    rows = (struct.unpack_from(order + "HHI4s", tiff, offset + 2 + 12 * index) for index in range(min(count, 256)))
    return {tag: raw for tag, _, _, raw in rows}


def _below(tiff: bytes, order: str, entries: _Entries, tag: int) -> _Entries:
    return _entries(tiff, order, struct.unpack(order + "I", entries[tag])[0]) if tag in entries else {}


def _taken_on(tiff: bytes, order: str, inner: _Entries) -> date | None:
    """The camera writes `2026:05:17 09:30:00`, by its own clock."""
    if _TAKEN_AT not in inner:
        return None
    (at,) = struct.unpack(order + "I", inner[_TAKEN_AT])
    year, month, day = (tiff[at + a : at + b] for a, b in ((0, 4), (5, 7), (8, 10)))
    if not (year.isdigit() and month.isdigit() and day.isdigit()):
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _colours(tiff: bytes, order: str, inner: _Entries) -> Colours:
    """DCF: Adobe RGB is written as "uncalibrated", with the index R03 in the interoperability directory."""
    if _COLOUR_SPACE not in inner:
        return "unsaid"
    if _short(order, inner[_COLOUR_SPACE], 1) == 1:
        return "srgb"
    index = _below(tiff, order, inner, _INTEROP_DIRECTORY).get(_INTEROP_INDEX, b"")
    return "adobe" if index[:3] == b"R03" else "uncalibrated"


def _short(order: str, raw: bytes | None, default: int) -> int:
    return default if raw is None else int(struct.unpack(order + "H", raw[:2])[0])


def _densities(tiff: bytes, order: str, entries: _Entries) -> tuple[float, float] | None:
    if _X_RESOLUTION not in entries:
        return None
    # Exif counts units from 2 (inch), JFIF from 1.
    unit = _short(order, entries.get(_RESOLUTION_UNIT), 2) - 1
    tags = (_X_RESOLUTION, _Y_RESOLUTION if _Y_RESOLUTION in entries else _X_RESOLUTION)
    ratios = [struct.unpack_from(order + "II", tiff, struct.unpack(order + "I", entries[tag])[0]) for tag in tags]
    across, down = (dpi(unit, round(above / below)) if below else None for above, below in ratios)
    return None if across is None or down is None else (across, down)


def dpi(unit: int, density: int) -> float | None:
    """Pixels an inch; `unit` as JFIF counts them: 1 inch, 2 centimetre, else only a proportion."""
    return {1: float(density), 2: density * 2.54}.get(unit)
