"""Whether eyes are seen at all: the face mesh draws open eyes also where lenses, hair or a flare lie over them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from photospec import backdrop, decoding

Points = NDArray[np.float64]


@dataclass(frozen=True)
class _Eye:
    """Points of the face mesh: the outline between the lids, the iris's middle and four on its edge."""

    outline: tuple[int, ...]
    iris: int
    ring: tuple[int, int, int, int]


_EYES = (
    _Eye((33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7), 468, (469, 470, 471, 472)),
    _Eye((263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249), 473, (474, 475, 476, 477)),
)
#: The iris is looked at inside this share of its radius, the white outside of that one: the edge belongs to neither.
_IRIS, _WHITE = 0.8, 1.1
#: Both are looked at this much finer than the picture, so that an eye of few pixels has an outline all the same.
_FINER = 4
_LEAST = 12


def contrast(window: decoding.Pixels, points: Points) -> float | None:
    """How much lighter (L*) the white of the eye is than the iris, in the eye where it is less; None with no room.

    `points` of the mesh in the window's pixels. Nought where something covers an eye; less where hair does.
    """
    found = [_contrast(window, points, eye) for eye in _EYES]
    known = [value for value in found if value is not None]
    return min(known) if len(known) == len(found) else None


def _contrast(window: decoding.Pixels, points: Points, eye: _Eye) -> float | None:
    outline = points[list(eye.outline)]
    low = np.maximum(np.floor(outline.min(axis=0)).astype(int) - 1, 0)
    high = np.ceil(outline.max(axis=0)).astype(int) + 2
    part = window[low[1] : max(low[1], high[1]), low[0] : max(low[0], high[0])]
    if min(part.shape[:2]) < 3:
        return None
    lightness = backdrop.to_lab(part)[..., 0]
    finer = cv2.resize(lightness, None, fx=_FINER, fy=_FINER, interpolation=cv2.INTER_LINEAR)
    return _white_over_iris(finer, (points - low + 0.5) * _FINER - 0.5, eye)


def _white_over_iris(lightness: cv2.typing.MatLike, points: Points, eye: _Eye) -> float | None:
    inside = np.zeros(lightness.shape, np.uint8)
    cv2.fillPoly(inside, [np.round(points[list(eye.outline)]).astype(np.int32)], 1)
    middle = points[eye.iris]
    radius = float(np.linalg.norm(points[list(eye.ring)] - middle, axis=1).mean())
    rows, columns = np.ogrid[0 : lightness.shape[0], 0 : lightness.shape[1]]
    away = np.hypot(columns - middle[0], rows - middle[1]) / max(radius, 1e-6)
    iris, white = lightness[(inside > 0) & (away < _IRIS)], lightness[(inside > 0) & (away > _WHITE)]
    if len(iris) < _LEAST or len(white) < _LEAST:
        return None
    return float(np.median(white) - np.median(iris))
