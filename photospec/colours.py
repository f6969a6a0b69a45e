"""Colours as a file means them: what its profile says is brought to sRGB, in which every rule and every portal thinks.

Only profiles of three curves and a matrix are read, which is what cameras and phones write (sRGB, Adobe RGB, Display
P3, ProPhoto). A profile that is broken is taken for none, as every reader does.
"""

import functools
import struct
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Curve = NDArray[np.float32]

#: Red, green and blue of sRGB as columns, in XYZ of D50 (ICC's own sRGB profile).
_SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
#: The same of Adobe RGB (1998), for files that name it without carrying its profile, and its exponent.
_ADOBE = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
_ADOBE_EXPONENT = 2.19921875
#: From this greatest ΔE on, colours are converted; the many profiles that all mean sRGB differ by less.
SAME = 2.0
_LEVELS = 16384
_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}


class Unknown(ValueError):
    """A profile that is sound, and of a kind that is not read."""


@dataclass(frozen=True, eq=False)
class Space:
    """What the numbers of a file mean: three curves to light, and a matrix to sRGB's light.

    `shift`: the greatest ΔE between what is meant and what a reader sees that takes the numbers for sRGB.
    """

    curves: Curve
    matrix: NDArray[np.float32]
    shift: float

    def to_srgb(self, pixels: Pixels) -> Pixels:
        """(H, W, 3) uint8 BGR; the very same where it is sRGB."""
        return pixels if self.shift < SAME else _converted(self.curves, self.matrix, pixels)


def adobe() -> Space:
    """Adobe RGB (1998)."""
    return _adobe()


@functools.cache
def _adobe() -> Space:
    curve = (np.arange(256) / 255) ** _ADOBE_EXPONENT
    return _space(np.stack([curve] * 3), _ADOBE)


@functools.lru_cache(8)
def read(profile: bytes) -> Space | None:
    """The space of an ICC profile; None where it is broken. Raises: Unknown."""
    try:
        return _read(profile)
    except (struct.error, KeyError, IndexError):
        return None


def _read(profile: bytes) -> Space | None:
    if profile[36:40] != b"acsp":
        return None
    (count,) = struct.unpack_from(">I", profile, 128)
    tags = {}
    for index in range(min(count, 100)):
        name, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        tags[name] = profile[offset : offset + size]
    if profile[16:20] != b"RGB " or profile[20:24] != b"XYZ " or b"rXYZ" not in tags:
        raise Unknown("not of three curves and a matrix")
    columns = [struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    curves = np.stack([_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")])
    return _space(curves, np.array(columns).T / 65536)


def _curve(tag: bytes) -> NDArray[np.float64]:
    """256 numbers, 0 to 1: light by level."""
    level = np.arange(256) / 255
    if tag[:4] == b"para":
        return _parametric(tag, level)
    if tag[:4] != b"curv":
        raise Unknown("a kind of curve that is not read")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return level
    values = np.array(struct.unpack_from(f">{min(count, 65536)}H", tag, 12), np.float64)
    if count == 1:
        return np.asarray(level ** (values[0] / 256))
    return np.interp(level, np.linspace(0, 1, len(values)), values / 65535)


def _parametric(tag: bytes, level: NDArray[np.float64]) -> NDArray[np.float64]:
    """ICC.1, parametricCurveType: g a b c d e f."""
    kind = struct.unpack_from(">H", tag, 8)[0]
    numbers = [value / 65536 for value in struct.unpack_from(f">{_PARAMETERS[kind]}i", tag, 12)]
    g, a, b, c, d, e, f = (numbers + [0.0] * 7)[:7]
    if kind == 0:
        a, d = 1.0, 0.0
    elif kind in (1, 2):
        d, e, f, c = (-b / a if a else 0.0), (c if kind == 2 else 0.0), (c if kind == 2 else 0.0), 0.0
    above = np.maximum(a * level + b, 0) ** g + e
    return np.asarray(np.clip(np.where(level >= d, above, c * level + f), 0, 1))


def _space(curves: NDArray[np.float64], to_xyz: NDArray[np.float64]) -> Space:
    curves32, matrix = curves.astype(np.float32), (np.linalg.inv(_SRGB) @ to_xyz).astype(np.float32)
    steps = np.array([0, 64, 128, 192, 255], np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    meant, taken = (_lab(colours) for colours in (_converted(curves32, matrix, grid), grid))
    return Space(curves32, matrix, float(np.linalg.norm(meant - taken, axis=2).max()))


def _converted(curves: Curve, matrix: NDArray[np.float32], pixels: Pixels) -> Pixels:
    # OpenCV's order is blue, green, red; so are the rows of what it looks up and multiplies by.
    light = cv2.transform(cv2.LUT(pixels, curves[::-1].T[None]), matrix[::-1, ::-1])
    index = np.multiply(np.clip(light, 0, 1), _LEVELS - 1, dtype=np.float32).round().astype(np.uint16)
    return _srgb_levels()[index]


@functools.cache
def _srgb_levels() -> Pixels:
    """sRGB's level by light."""
    light = np.linspace(0, 1, _LEVELS)
    level = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    return np.round(255 * level).astype(np.uint8)


def _lab(colours: Pixels) -> NDArray[np.float32]:
    return cv2.cvtColor(colours.astype(np.float32) / np.float32(255), cv2.COLOR_BGR2LAB).astype(np.float32)
