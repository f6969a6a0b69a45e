"""Sharpness and light of a finished photo."""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from photospec import backdrop, decoding

T = TypeVar("T", bound=np.generic)

_CLIPPED = 250


@dataclass(frozen=True)
class Light:
    """`glare`: burnt-out share of the face, 0 to 1. `side_difference`: of the cheeks' L*, over its mean."""

    glare: float
    side_difference: float


def sharpness(photo: decoding.Pixels, left_eye: tuple[float, float], right_eye: tuple[float, float]) -> float:
    """Variance of the Laplacian over the eyes' region of a finished photo (0 blurred … 3000 crisp)."""
    apart = right_eye[0] - left_eye[0]
    x0, x1 = left_eye[0] - 0.45 * apart, right_eye[0] + 0.45 * apart
    y = (left_eye[1] + right_eye[1]) / 2
    patch = _patch(photo, x0, y - 0.4 * apart, x1, y + 0.3 * apart)
    if patch.size < 300:
        return 0.0
    grey = cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def light(photo: decoding.Pixels, lab: backdrop.Lab, head: backdrop.Placed) -> Light:
    """How the light falls on the face."""
    half, tall = head.face_width_px / 2, head.chin_y - head.eyes_y
    upper, lower = head.eyes_y + 0.25 * tall, head.eyes_y + 0.6 * tall
    left = _patch(lab, head.centre_x - 0.75 * half, upper, head.centre_x - 0.3 * half, lower)
    right = _patch(lab, head.centre_x + 0.3 * half, upper, head.centre_x + 0.75 * half, lower)
    face = _patch(photo, head.centre_x - 0.8 * half, head.eyes_y - 0.6 * tall, head.centre_x + 0.8 * half, head.chin_y)
    if not (left.size and right.size and face.size):
        return Light(0.0, 0.0)
    a, b = float(left[..., 0].mean()), float(right[..., 0].mean())
    return Light(float((face.min(axis=2) >= _CLIPPED).mean()), 2 * abs(a - b) / max(a + b, 1.0))


def _patch(pixels: NDArray[T], x0: float, y0: float, x1: float, y1: float) -> NDArray[T]:
    height, width = pixels.shape[:2]
    rows = slice(max(0, int(y0)), min(height, int(y1)))
    return pixels[rows, max(0, int(x0)) : min(width, int(x1))]
