"""Sharpness and light of a finished photo."""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from photospec import backdrop, decoding

T = TypeVar("T", bound=np.generic)

_CLIPPED = 250


#: Share of an eye's distance within which the pupil lies.
_PUPIL = 0.1
#: A pupil is red where red is so many times the other channels, and not merely dark.
_RED_OVER, _RED_LEAST = 1.7, 70
#: A coarse picture is steeper from pixel to pixel: so much, that down to half the size no face blurred by 0.8 finished
#: px comes out sharp.
_COARSENESS = 2.3
#: A frame is looked for this near to the edges, its line must be this even, and it must stand out by so much.
_FRAME_PX, _FRAME_SPREAD, _FRAME_STEP = 30, 8.0, 25.0

Box = tuple[int, int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Light:
    """`glare`: burnt-out share of the face, 0 to 1. `side_difference`: of the cheeks' L*, over its mean.

    `chroma`: how coloured the cheeks are (L*a*b*; 0 in a black-and-white picture).
    """

    glare: float
    side_difference: float
    chroma: float


def eye_window(left: Point, right: Point) -> Box:
    """x0, y0, x1, y1 about both eyes, in the pixels of the finished photo."""
    apart = right[0] - left[0]
    y = (left[1] + right[1]) / 2
    return (
        int(left[0] - 0.45 * apart),
        int(y - 0.4 * apart),
        int(right[0] + 0.45 * apart),
        int(y + 0.3 * apart),
    )


def sharpness(eyes: decoding.Pixels, share: float = 1.0) -> float:
    """Variance of the Laplacian over the eyes' window of a finished photo (0 blurred … 3000 crisp).

    Where the window is only at `share` of that size, what it would be at full size, erring downward: enlarging first
    would make every picture look blurred.
    """
    if eyes.shape[0] * eyes.shape[1] < 100:
        return 0.0
    grey = cv2.cvtColor(eyes, cv2.COLOR_BGR2GRAY) if eyes.ndim == 3 else eyes
    return float(cv2.Laplacian(grey, cv2.CV_32F).var() * share**_COARSENESS)


def red_share(eyes: decoding.Pixels, irises: list[Point]) -> float:
    """Red pixels of the redder pupil, 0 to 1; `irises` in the window's pixels."""
    radius = _PUPIL * abs(irises[1][0] - irises[0][0])
    patches = [_patch(eyes, x - radius, y - radius, x + radius, y + radius).astype(np.int16) for x, y in irises]
    return max((float(_red(patch).mean()) for patch in patches if patch.size), default=0.0)


def _red(patch: NDArray[np.int16]) -> NDArray[np.bool_]:
    others = np.maximum(patch[..., 0], patch[..., 1])
    return np.asarray((patch[..., 2] > _RED_LEAST) & (patch[..., 2] > _RED_OVER * others))


def framed_sides(photo: decoding.Pixels) -> int:
    """On how many sides of a finished photo a straight, even band ends in a step along the whole side."""
    turned = (photo, photo[::-1], photo.transpose(1, 0, 2), photo[:, ::-1].transpose(1, 0, 2))
    return sum(_framed(side[:_FRAME_PX].astype(np.float32)) for side in turned)


def _framed(lines: NDArray[np.float32]) -> bool:
    """Whether the first line, even from end to end, differs from a later one nearly everywhere."""
    first = lines[1]
    if first.std(axis=0).max() > _FRAME_SPREAD:
        return False
    steps = np.abs(lines[3:] - lines[1:-2]).max(axis=2) > _FRAME_STEP
    return bool((steps.mean(axis=1) > 0.9).any())


def light(photo: decoding.Pixels, lab: backdrop.Lab, head: backdrop.Placed) -> Light:
    """How the light falls on the face."""
    half, tall = head.face_width_px / 2, head.chin_y - head.eyes_y
    upper, lower = head.eyes_y + 0.25 * tall, head.eyes_y + 0.6 * tall
    left = _patch(lab, head.centre_x - 0.75 * half, upper, head.centre_x - 0.3 * half, lower)
    right = _patch(lab, head.centre_x + 0.3 * half, upper, head.centre_x + 0.75 * half, lower)
    face = _patch(photo, head.centre_x - 0.8 * half, head.eyes_y - 0.6 * tall, head.centre_x + 0.8 * half, head.chin_y)
    if not (left.size and right.size and face.size):
        return Light(0.0, 0.0, 0.0)
    cheeks = np.concatenate([left.reshape(-1, 3), right.reshape(-1, 3)])
    chroma = float(np.hypot(cheeks[:, 1], cheeks[:, 2]).mean())
    a, b = float(left[..., 0].mean()), float(right[..., 0].mean())
    return Light(float((face.min(axis=2) >= _CLIPPED).mean()), 2 * abs(a - b) / max(a + b, 1.0), chroma)


def _patch(pixels: NDArray[T], x0: float, y0: float, x1: float, y1: float) -> NDArray[T]:
    height, width = pixels.shape[:2]
    rows = slice(max(0, int(y0)), min(height, int(y1)))
    return pixels[rows, max(0, int(x0)) : min(width, int(x1))]
