"""Where to cut: one crop that meets the geometry rules together, by crop and scale alone.

With s the output pixels a source pixel and t the crown's distance from the output's upper edge, the rules are
intervals: face width fixes s, head room is t, the eyes lie at t + s·(eyes − crown). For a given s every rule is an
interval of t, so the search is one dimension of s and exact in t.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

#: One coordinate, or those of many points.
Along = TypeVar("Along", float, NDArray[np.float64])

#: Backdrop that is left above high hair, so that it is seen to end there.
_HAIR_MARGIN_PX = 8.0
#: What a pixel costs by which a rule is broken, and a pixel of high hair that is cut off: rules first, then hair, then
#: what is merely tidy. Hair that weighed as much as a rule would break the rule.
_BROKEN, _HAIR_CUT = 1000.0, 3.0


@dataclass(frozen=True)
class Interval:
    """Closed; empty where `low` > `high`."""

    low: float
    high: float

    def meet(self, other: "Interval") -> "Interval":
        return Interval(max(self.low, other.low), min(self.high, other.high))

    def shifted(self, by: float) -> "Interval":
        return Interval(self.low + by, self.high + by)

    def nearest(self, value: float) -> float:
        """The point of the interval nearest to `value`; the middle of the gap where it is empty."""
        if self.low > self.high:
            return (self.low + self.high) / 2
        return min(max(value, self.low), self.high)

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def misses(self, value: float) -> float:
        """How far outside `value` lies; 0 inside."""
        return max(0.0, self.low - value, value - self.high)

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


@dataclass(frozen=True)
class Target:
    """The output's size and the geometry rules, in output pixels."""

    width_px: int
    height_px: int
    head_room_px: Interval
    eyes_px: Interval
    face_width_px: Interval


@dataclass(frozen=True)
class Subject:
    """Where the head is in the source picture of `width_px` × `height_px`, in source pixels.

    `hair_y` is where high hair ends above the crown; it is not to be cut off where the rules leave room for it.
    """

    width_px: int
    height_px: int
    crown_y: float
    eyes_y: float
    face_width_px: float
    centre_x: float
    hair_y: float | None = None


@dataclass(frozen=True)
class Crop:
    """A rectangle of the source, in source pixels, of the output's proportions and never outside the picture.

    `scale` is output pixels a source pixel; above 1 the picture is enlarged.
    """

    x: float
    y: float
    width: float
    height: float
    scale: float

    def across(self, x: Along) -> Along:
        """A source position as output pixels from the left edge."""
        return (x - self.x) * self.scale

    def down(self, y: Along) -> Along:
        """A source position as output pixels from the upper edge."""
        return (y - self.y) * self.scale


def whole(width_px: int, height_px: int) -> Crop:
    """The crop that leaves a finished photo as it is."""
    return Crop(0.0, 0.0, float(width_px), float(height_px), 1.0)


def plan(subject: Subject, target: Target) -> Crop:
    """The best crop; where the rules can't all be met it breaks them as little as it can, but stays in the picture."""
    smallest = max(target.width_px / subject.width_px, target.height_px / subject.height_px)
    by_width = Interval(
        target.face_width_px.low / subject.face_width_px, target.face_width_px.high / subject.face_width_px
    )
    candidates = np.linspace(max(by_width.low, smallest), max(by_width.high, smallest), 65)
    scale = min((float(scale) for scale in candidates), key=lambda scale: _cost(subject, target, scale)[0])
    _, head_room = _cost(subject, target, scale)
    return _crop(subject, target, scale, head_room)


def _cost(subject: Subject, target: Target, scale: float) -> tuple[float, float]:
    """How bad the best head room at this scale is, and that head room in output pixels."""
    below_crown = scale * (subject.eyes_y - subject.crown_y)
    inside = Interval(target.height_px - scale * (subject.height_px - subject.crown_y), scale * subject.crown_y)
    rules = target.head_room_px.meet(target.eyes_px.shifted(-below_crown))
    hair = 0.0 if subject.hair_y is None else _HAIR_MARGIN_PX + scale * (subject.crown_y - subject.hair_y)
    head_room = inside.nearest(rules.nearest(max(hair, target.head_room_px.middle)))
    broken = target.head_room_px.misses(head_room) + target.eyes_px.misses(head_room + below_crown)
    tidy = abs(head_room - target.head_room_px.middle) + abs(head_room + below_crown - target.eyes_px.middle)
    tidy += abs(scale * subject.face_width_px - target.face_width_px.middle)
    return _BROKEN * broken + _HAIR_CUT * max(0.0, hair - head_room) + tidy, head_room


def _crop(subject: Subject, target: Target, scale: float, head_room: float) -> Crop:
    width, height = target.width_px / scale, target.height_px / scale
    x = min(max(subject.centre_x - width / 2, 0.0), max(subject.width_px - width, 0.0))
    y = min(max(subject.crown_y - head_room / scale, 0.0), max(subject.height_px - height, 0.0))
    return Crop(x, y, width, height, scale)
