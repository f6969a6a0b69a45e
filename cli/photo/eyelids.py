"""Eyes shut in part, made of open ones: the lids pressed together, or the upper lid drawn down over the eye."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from photospec import faces

Pixels = NDArray[np.uint8]
Line = NDArray[np.float64]


@dataclass(frozen=True)
class _Eye:
    """Points of the face mesh: corners, upper lid, lower lid, lower edge of the brow."""

    corners: tuple[int, int]
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    brow: tuple[int, ...]


_EYES = (
    _Eye((33, 133), (246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155), (46, 53, 52, 65, 55)),
    _Eye(
        (263, 362), (466, 388, 387, 386, 385, 384, 398), (249, 390, 373, 374, 380, 381, 382), (276, 283, 282, 295, 285)
    ),
)
#: The mesh's lid runs above the lashes; they come down with the skin. Share of the opening.
_LASHES = 0.08


def pressed(pixels: Pixels, face: faces.Face, left_open: float) -> Pixels:
    """The eyes' opening pressed together to a share of itself: a slit that shows a squeezed eye."""
    rows, columns = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]].astype(np.float32)
    down = rows.copy()
    apart = face.right_eye[0] - face.left_eye[0]
    half = max(2.0, face.eye_openness * 0.24 * apart)
    for x, y in (face.left_eye, face.right_eye):
        dy = rows - y
        distance = np.abs(dy)
        inner = distance / left_open
        outer = half + (distance - left_open * half) * 2 * half / (3 * half - left_open * half)
        source = np.where(distance <= left_open * half, inner, outer)
        weight = np.clip(2.5 - np.abs(columns - x) / (0.22 * apart), 0, 1) * (distance < 3 * half)
        down += (np.sign(dy) * source - dy) * weight
    return cv2.remap(pixels, columns, down.astype(np.float32), cv2.INTER_LINEAR).astype(np.uint8)


def lowered(pixels: Pixels, face: faces.Face, share: float) -> Pixels:
    """The upper lid with its lashes down by a share of the opening: it hides the eye behind it, as real lids do."""
    rows, columns = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]].astype(np.float32)
    down = rows.copy()
    across = np.arange(pixels.shape[1], dtype=np.float64)
    for eye in _EYES:
        upper, lower, brow = (
            _line(face, points, across) for points in (eye.corners + eye.upper, eye.corners + eye.lower, eye.brow)
        )
        ends = sorted(float(face.points[corner, 0]) for corner in eye.corners)
        inside = (across >= ends[0]) & (across <= ends[1])
        opening = np.where(inside, np.maximum(lower - upper, 0), 0)
        edge = upper + _LASHES * opening
        brow = np.minimum(brow, edge - 1)
        shut = edge + share * (1 - _LASHES) * opening
        source = brow + (rows - brow) * (edge - brow) / (shut - brow)
        down = np.where(inside & (rows >= brow) & (rows <= shut), source, down)
    return cv2.remap(pixels, columns, down.astype(np.float32), cv2.INTER_LINEAR).astype(np.uint8)


def _line(face: faces.Face, points: tuple[int, ...], across: Line) -> Line:
    """The height of a line through mesh points at each column."""
    along = face.points[list(points)]
    along = along[np.argsort(along[:, 0])]
    return np.interp(across, along[:, 0], along[:, 1])
