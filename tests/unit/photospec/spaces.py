"""Colour profiles as cameras and phones embed them, and pictures whose numbers mean those colours."""

import struct

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.unit.photospec import nasty

_SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
_ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
_LIKE_SRGB = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(65536 * value) for value in values))


def _profile(columns: tuple[tuple[float, ...], ...], curve: bytes, space: bytes = b"RGB ") -> bytes:
    """ICC version 2 or 4: header, table of tags, tags."""
    tags = {
        name: b"XYZ " + bytes(4) + _fixed(*xyz) for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)
    }
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve + bytes(-len(curve) % 4))
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for name, tag in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(tag))
        body += tag
    header = bytes(16) + space + b"XYZ " + bytes(12) + b"acsp" + bytes(88)
    return header + struct.pack(">I", len(tags)) + table + body


_PARA = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + _fixed(*_LIKE_SRGB)
_TABLE = b"curv" + bytes(4) + struct.pack(">I1024H", 1024, *(
    round(65535 * (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4)) for x in np.linspace(0, 1, 1024)
))  # fmt: skip
_GAMMA = b"curv" + bytes(4) + struct.pack(">IH", 1, 563)

SRGB = _profile(_SRGB, _TABLE)
DISPLAY_P3 = _profile(_P3, _PARA)
ADOBE_RGB = _profile(_ADOBE, _GAMMA)
#: Sound, and of a kind that is not read: numbers looked up in a table of many dimensions.
BY_TABLE = _profile(_SRGB, _TABLE).replace(b"rXYZ", b"A2B0")
_COLUMNS = {"p3": _P3, "adobe": _ADOBE}


def tagged(data: bytes, profile: bytes) -> bytes:
    """The same file with a profile, in two pieces."""
    half = len(profile) // 2
    second = nasty.with_segment(data, 0xE2, b"ICC_PROFILE\x00\x02\x02" + profile[half:])
    return nasty.with_segment(second, 0xE2, b"ICC_PROFILE\x00\x01\x02" + profile[:half])


def named(data: bytes, colour_space: int, index: bytes) -> bytes:
    """The same file, whose Exif block names its colour space and the index of DCF."""
    root = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0)
    inner = struct.pack("<HHHIHHHHIII", 2, 0xA001, 3, 1, colour_space, 0, 0xA005, 4, 1, 56, 0)
    interop = struct.pack("<HHHI4sI", 1, 1, 2, 4, index, 0)
    return nasty.with_segment(data, 0xE1, b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + root + inner + interop)


def shot_in(pixels: NDArray[np.uint8], space: str) -> NDArray[np.uint8]:
    """The same colours in the numbers of "p3" or "adobe", by the definition and not by the code under test."""
    level = np.arange(256, dtype=np.float32) / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)[pixels[..., ::-1]]
    matrix = np.linalg.inv(np.array(_COLUMNS[space]).T) @ np.array(_SRGB).T
    light = np.clip(light @ matrix.T.astype(np.float32), 0, 1)
    curved = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    numbers = curved if space == "p3" else light ** (256 / 563)
    return np.asarray(np.round(255 * numbers[..., ::-1]).astype(np.uint8))


def saved(pixels: NDArray[np.uint8]) -> bytes:
    """As a camera would write it."""
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 93])[1].tobytes()
