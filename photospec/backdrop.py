"""The backdrop: where the head ends before it, its colour, its evenness, and the clothes against it.

Colours are CIE L*a*b* (D65, from sRGB) and differences are ΔE*76.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from photospec import decoding, faces

Lab = NDArray[np.float32]

#: ΔE from which a pixel is head and not backdrop.
_HEAD_DIFFERENCE = 14.0
#: The head is searched at this many pixels a face width: a row is then under 2 px of the finished photo.
_SEARCH_FACE_PX = 120
#: A row still belongs to the head while this share of a face width differs from the backdrop.
_CROWN_SHARE = 0.08
#: Skin's hues (degrees, least chroma), which no backdrop and no forbidden colour has, and how near the hair's ΔE is.
_SKIN_HUES, _HAIR = (15.0, 85.0, 6.0), 12.0
#: Shares of the region by the shoulders: what must be left as clothes; what is not the backdrop; what a forbidden
#: colour is counted against at the least. And of the torso's, what is like the backdrop and therefore cloth.
_LEAST_OTHER, _LEAST_APART, _LEAST_SHARED, _LEAST_LIKE = 0.15, 0.4, 0.5, 0.3
#: Pixels by the shoulders this near to the backdrop are taken for backdrop beside them.
_BESIDE_SHOULDERS = 8.0
#: Colours of clothes in L*a*b*: hue in degrees from and to, and least chroma. Blue covers (100,197,255) at 252, denim
#: and navy at 290; skin, beige and brown lie between 30 and 85; cream and khaki are too pale to be called yellow.
HUES = {
    "yellow": (85.0, 112.0, 35.0),
    "green": (112.0, 200.0, 12.0),
    "blue": (225.0, 305.0, 12.0),
    "purple": (305.0, 345.0, 12.0),
}
#: ΔE from the typical backdrop from which something else stands there; the shading of lamps stays far below.
_FOREIGN = 20.0
#: Pixels of the reduced photo (120 × 160) below which nothing is said about backdrop or clothes.
_LEAST_BACKDROP, _LEAST_CLOTH = 150, 40


@dataclass(frozen=True)
class Colour:
    """sRGB, 0 to 255."""

    red: int
    green: int
    blue: int

    def lab(self) -> tuple[float, float, float]:
        lightness, a, b = to_lab(np.array([[[self.blue, self.green, self.red]]], np.uint8))[0, 0]
        return float(lightness), float(a), float(b)


@dataclass(frozen=True)
class Placed:
    """Where the head is in a finished photo, in its pixels."""

    crown_y: float
    eyes_y: float
    chin_y: float
    centre_x: float
    face_width_px: float

    def scaled(self, by: float) -> "Placed":
        """The same head in the same photo at another size."""
        return Placed(
            self.crown_y * by, self.eyes_y * by, self.chin_y * by, self.centre_x * by, self.face_width_px * by
        )


@dataclass(frozen=True)
class Backdrop:
    """What the backdrop of a finished photo looks like."""

    difference: float
    lightness_offset: float
    unevenness: float
    foreign_share: float


@dataclass(frozen=True)
class Clothing:
    """`contrast`: ΔE between clothes and backdrop; `hue_shares`: 0 to 1 of the clothes' pixels, by name of `HUES`."""

    contrast: float
    hue_shares: dict[str, float]


def to_lab(pixels: decoding.Pixels) -> Lab:
    """(H, W, 3) uint8 BGR to float32 L* 0…100, a*, b*."""
    return cv2.cvtColor(np.multiply(pixels, np.float32(1 / 255), dtype=np.float32), cv2.COLOR_BGR2LAB).astype(
        np.float32
    )


def crown(pixels: decoding.Pixels, face: faces.Face) -> float | None:
    """The y of the hair's upper end, in the pixels' own units; None where the backdrop can't be told from the head.

    From the forehead upward, row by row, against the backdrop beside the head at the same height, so that a backdrop
    that fades from top to bottom does no harm.
    """
    scale = min(1.0, _SEARCH_FACE_PX / face.width_px)
    left, right = face.centre_x - 1.1 * face.width_px, face.centre_x + 1.1 * face.width_px
    x0, x1 = max(0, int(left)), min(pixels.shape[1], int(right))
    y1 = max(1, int(face.eyes_y))
    if x1 - x0 < 8 / scale or y1 < 8 / scale:
        return None
    patch = decoding.shrunk(pixels[:y1, x0:x1], scale)
    lab = to_lab(patch)
    width, middle = face.width_px * scale, (face.centre_x - x0) * scale
    beside = _beside(lab, middle, width)
    if beside is None:
        return None
    inner = lab[:, max(0, int(middle - 0.45 * width)) : int(middle + 0.45 * width)]
    head = np.linalg.norm(inner - beside[:, None, :], axis=2) > _HEAD_DIFFERENCE
    enough = head.sum(axis=1) >= _CROWN_SHARE * width
    return _upper_end(enough, int(face.forehead_y * scale), scale)


def _beside(lab: Lab, middle: float, width: float) -> Lab | None:
    """(rows, 3): the backdrop's colour at the height of each row, from both sides of the head."""
    columns = np.abs(np.arange(lab.shape[1]) - middle) > 0.8 * width
    if columns.sum() < 4:
        return None
    rows = np.median(lab[:, columns], axis=1)
    return cv2.blur(rows.astype(np.float32).reshape(-1, 1, 3), (1, 9)).reshape(-1, 3).astype(np.float32)


def _upper_end(enough: NDArray[np.bool_], forehead: int, scale: float) -> float | None:
    start = min(max(forehead, 0), len(enough) - 1)
    gaps = np.flatnonzero(~enough[: start + 1])
    if not len(gaps):
        return 0.0
    top = int(gaps[-1]) + 1
    return None if top > start else top / scale


def judge(photo: Lab, head: Placed, standard: Colour) -> Backdrop | None:
    """Measure the backdrop of a finished photo, reduced or not; None where hardly any of it can be seen."""
    samples = photo[_region(photo.shape[:2], head)]
    if len(samples) < _LEAST_BACKDROP:
        return None
    typical = np.median(samples, axis=0)
    aim = np.array(standard.lab())
    low, high = np.percentile(samples[:, 0], [5, 95])
    return Backdrop(
        difference=float(np.linalg.norm(typical - aim)),
        lightness_offset=float(typical[0] - aim[0]),
        unevenness=float(high - low),
        foreign_share=float((np.linalg.norm(samples - typical, axis=1) > _FOREIGN).mean()),
    )


def clothing(photo: Lab, head: Placed) -> Clothing | None:
    """Measure the clothes of a finished photo against its own backdrop; None where too little can be seen."""
    behind = photo[_region(photo.shape[:2], head)]
    region = photo[_shoulders(photo.shape[:2], head)]
    if len(behind) < _LEAST_BACKDROP or len(region) < _LEAST_CLOTH:
        return None
    typical = np.median(behind, axis=0)
    cloth = _cloth(region, photo[_torso(photo.shape[:2], head)], _hair(photo, head), typical)
    contrast = float(np.median(np.linalg.norm(cloth - typical, axis=1)))
    of_region = len(cloth) / max(len(cloth), _LEAST_SHARED * len(region))
    return Clothing(contrast, {hue: of_region * share for hue, share in _hue_shares(cloth).items()})


def _cloth(region: Lab, torso: Lab, hair: Lab | None, behind: Lab) -> Lab:
    """Those pixels by the shoulders that are the clothes: not hair, skin, or backdrop beside narrow shoulders.

    Clothes that look like one of these are told by where they are: what is like the backdrop where only a body can be
    is cloth; and where there is nothing but skin and hair by their colours, the cloth has such a colour.
    """
    like_backdrop = _near(torso, behind)
    if len(torso) >= _LEAST_CLOTH and like_backdrop.mean() >= _LEAST_LIKE:
        return torso[like_backdrop]
    apart = ~_near(region, behind)
    other = region[apart & ~_own(region, hair, behind)]
    if len(other) >= _LEAST_OTHER * len(region):
        return other
    return region[apart] if apart.mean() >= _LEAST_APART else region


def _near(samples: Lab, behind: Lab) -> NDArray[np.bool_]:
    return np.asarray(np.linalg.norm(samples - behind, axis=1) <= _BESIDE_SHOULDERS)


def _own(samples: Lab, hair: Lab | None, behind: Lab) -> NDArray[np.bool_]:
    """What has the colour of skin, or of this person's hair where any is seen."""
    low, high, least = _SKIN_HUES
    hue, chroma = np.degrees(np.arctan2(samples[:, 2], samples[:, 1])) % 360, np.hypot(samples[:, 1], samples[:, 2])
    own = (hue > low) & (hue < high) & (chroma > least)
    if hair is not None and np.linalg.norm(hair - behind) > 2 * _HAIR:
        own |= np.linalg.norm(samples - hair, axis=1) < _HAIR
    return np.asarray(own)


def _hair(photo: Lab, head: Placed) -> Lab | None:
    """The colour just under the crown."""
    below, half = 0.06 * head.face_width_px, 0.2 * head.face_width_px
    rows = slice(max(0, int(head.crown_y + below)), max(0, int(head.crown_y + 3 * below) + 1))
    patch = photo[rows, max(0, int(head.centre_x - half)) : max(0, int(head.centre_x + half))]
    return np.median(patch.reshape(-1, 3), axis=0).astype(np.float32) if patch.size >= 12 else None


def _hue_shares(samples: Lab) -> dict[str, float]:
    chroma = np.hypot(samples[:, 1], samples[:, 2])
    hue = np.degrees(np.arctan2(samples[:, 2], samples[:, 1])) % 360
    return {
        name: float(((hue > low) & (hue < high) & (chroma > least)).mean()) for name, (low, high, least) in HUES.items()
    }


def _region(shape: tuple[int, int], head: Placed) -> NDArray[np.bool_]:
    """Where there should be nothing but backdrop: above the head, and beside it down to the eyes."""
    mask = np.zeros(shape, np.bool_)
    mask[: max(0, int(head.crown_y - 0.05 * head.face_width_px))] = True
    aside = np.abs(np.arange(shape[1]) - head.centre_x) > 0.85 * head.face_width_px
    mask[: int(head.eyes_y + 0.17 * head.face_width_px), aside] = True
    return mask


def _shoulders(shape: tuple[int, int], head: Placed) -> NDArray[np.bool_]:
    """The lower edge of the photo left and right of the neck."""
    mask = np.zeros(shape, np.bool_)
    offset = np.abs(np.arange(shape[1]) - head.centre_x)
    columns = (offset > 0.35 * head.face_width_px) & (offset < 0.8 * head.face_width_px)
    top = max(int(head.chin_y + 0.35 * (head.chin_y - head.eyes_y)), round(0.875 * shape[0]))
    mask[min(top, round(0.97 * shape[0])) :, columns] = True
    return mask


def _torso(shape: tuple[int, int], head: Placed) -> NDArray[np.bool_]:
    """What lies below the chin within the narrowest shoulders: no backdrop is seen there, whoever sits."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    below = (rows - head.chin_y) / head.face_width_px
    aside = np.abs(columns - head.centre_x) / head.face_width_px
    inside: NDArray[np.bool_] = (below > 0.45) & (aside > 0.2) & (aside < 0.3 + 0.7 * (below - 0.4))
    return inside
