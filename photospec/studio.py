"""The empty seat: what backdrop and lamps of this studio look like before the first student sits.

Measured with the same colours, limits and words as the photos will be (`photospec.backdrop`, rules B1, B2, E1).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from photospec import backdrop, decoding, profiles

_WORKING_SIDE_PX = 300
_ZONES = 3
#: Which part of the picture the photo can be cut from; corners beyond it are never delivered.
_LEFT, _RIGHT = 0.1, 0.9


@dataclass(frozen=True)
class Limit:
    """One rule held against the backdrop. `measured` in the rule's unit."""

    rule_id: str
    measured: float
    unit: str
    limit: str
    passed: bool
    reason_zh: str
    reason_en: str
    advice_zh: str
    advice_en: str


@dataclass(frozen=True)
class Studio:
    """What the backdrop looks like. `zones` is L* in three rows of three; offsets are measured minus standard."""

    rgb: tuple[int, int, int]
    standard_rgb: tuple[int, int, int]
    zones: tuple[tuple[float, ...], ...]
    lightness_offset: float
    green_red_offset: float
    blue_yellow_offset: float
    limits: tuple[Limit, ...]

    @property
    def passed(self) -> bool:
        """Whether every limit is kept."""
        return all(limit.passed for limit in self.limits)


def measure(data: bytes, profile: profiles.Profile) -> Studio:
    """Measure a picture of the backdrop without anybody before it. Raises: decoding.UnreadableImage."""
    header = decoding.check(data)
    side = min(decoding.upright_size(header))
    pixels = decoding.decode(data, header, decoding.reduction_for(side, _WORKING_SIDE_PX)).pixels
    width = pixels.shape[1]
    lab = backdrop.to_lab(pixels[:, int(_LEFT * width) : int(_RIGHT * width)])
    typical = np.median(lab.reshape(-1, 3), axis=0)
    aim = np.array(profile.backdrop.lab())
    offset = typical - aim
    zones = _zones(lab)
    values = {
        "backdrop_difference": float(np.linalg.norm(offset)),
        "backdrop_unevenness": max(map(max, zones)) - min(map(min, zones)),
        "backdrop_lightness_offset": float(offset[0]),
    }
    standard = profile.backdrop
    return Studio(
        rgb=_rgb(typical),
        standard_rgb=(standard.red, standard.green, standard.blue),
        zones=zones,
        lightness_offset=round(float(offset[0]), 1),
        green_red_offset=round(float(offset[1]), 1),
        blue_yellow_offset=round(float(offset[2]), 1),
        limits=tuple(_limit(rule, values[rule.measure]) for rule in profile.rules if rule.measure in values),
    )


def _zones(lab: backdrop.Lab) -> tuple[tuple[float, ...], ...]:
    rows = np.array_split(lab[:, :, 0], _ZONES, axis=0)
    cells = [np.array_split(row, _ZONES, axis=1) for row in rows]
    return tuple(tuple(round(float(np.median(cell)), 1) for cell in row) for row in cells)


def _limit(rule: profiles.Rule, measured: float) -> Limit:
    low = -np.inf if rule.low is None else rule.low
    high = np.inf if rule.high is None else rule.high
    return Limit(
        rule_id=rule.id,
        measured=round(measured, 1),
        unit=rule.unit,
        limit=rule.limit,
        passed=bool(low <= measured <= high),
        reason_zh=rule.reason_zh,
        reason_en=rule.reason_en,
        advice_zh=rule.advice_zh,
        advice_en=rule.advice_en,
    )


def _rgb(lab: NDArray[np.float32]) -> tuple[int, int, int]:
    pixel = np.asarray(lab, np.float32).reshape(1, 1, 3)
    blue, green, red = cv2.cvtColor(pixel, cv2.COLOR_LAB2BGR)[0, 0]
    return _byte(red), _byte(green), _byte(blue)


def _byte(share: float) -> int:
    return int(np.clip(round(float(share) * 255), 0, 255))
