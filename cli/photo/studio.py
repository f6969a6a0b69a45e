"""Real portraits set before the standard's backdrop, and spoilt on purpose, to measure the photo standard by.

Nothing of it is kept: pictures live in memory and end as counts.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from photospec import backdrop, decoding, faces

Pixels = NDArray[np.uint8]
Map = NDArray[np.float32]

#: ΔE from the fitted studio backdrop from which a pixel is the person's, and where it surely is.
_PERSON_FROM, _PERSON_SURE = 5.0, 12.0
#: Individual typology angle of the cheeks, in degrees: above 41 light, to 28 intermediate, to 10 tan, below dark.
_TONES = ((41.0, "light"), (28.0, "intermediate"), (10.0, "tan"), (-math.inf, "dark"))
_CHEEK_POINTS = (50, 280)
CHARCOAL = backdrop.Colour(58, 58, 64)
#: The painted clothes: across and down from the chin, in face widths.
_TORSO = ((0.3, 0.3), (0.62, 0.45), (0.95, 0.62), (1.2, 0.95), (1.3, 1.6), (1.4, 5.0))


@dataclass(frozen=True)
class Sitter:
    """One real portrait, cut out: `alpha` is 1 where the person is. `sex` is "unknown" where not told.

    The white clothes of the London set can't be told from its backdrop, so clothes are painted: `torso` is 1 there.
    """

    name: str
    identity: str
    smiling: bool
    sex: str
    tone: str
    pixels: Pixels
    alpha: Map
    torso: Map
    face: faces.Face

    def before(self, colour: backdrop.Colour | Pixels, cloth: backdrop.Colour = CHARCOAL) -> Pixels:
        """The person, dressed in `cloth`, before a colour or before a picture of the same size."""
        behind = np.empty(self.pixels.shape, np.float32)
        behind[:] = (colour.blue, colour.green, colour.red) if isinstance(colour, backdrop.Colour) else colour
        rows = np.linspace(1.1, 0.8, len(behind), dtype=np.float32)[:, None, None]
        dressed = rows * np.array((cloth.blue, cloth.green, cloth.red), np.float32)
        behind += (dressed - behind) * self.torso[..., None]
        mixed = behind + (self.pixels - behind) * self.alpha[..., None]
        return np.clip(np.round(mixed), 0, 255).astype(np.uint8)

    @property
    def person(self) -> Map:
        """Where the person is, clothes included."""
        return np.maximum(self.alpha, self.torso)


def portraits(folder: Path) -> list[Path]:
    """The pictures of a folder, in order."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))


def sit(path: Path) -> Sitter | None:
    """The portrait before a plain studio backdrop, cut out. `index.csv` beside it tells identity, expression and sex.

    None where there is no face, or no plain backdrop around it to cut it out of. Without an index a portrait is a
    neutral one of its own person, unless its name says "smiling".
    """
    note = _notes(path.parent).get(path.name, {})
    return _sitter(path, note.get("identity", path.stem), note.get("note", ""))


def _notes(folder: Path) -> dict[str, dict[str, str]]:
    index = folder / "index.csv"
    if not index.exists():
        return {}
    with index.open(encoding="utf-8", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def _sitter(path: Path, identity: str, note: str) -> Sitter | None:
    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        return None
    picture = pixels.astype(np.uint8, copy=False)
    face = faces.find(picture).face
    alpha = None if face is None else _alpha(picture, face)
    if face is None or alpha is None:
        return None
    smiling = "smiling" in note or "smiling" in path.stem
    words = note.replace(";", " ").split()
    sex = next((word for word in ("female", "male") if word in words), "unknown")
    return Sitter(path.stem, identity, smiling, sex, _tone(picture, face), picture, alpha, _torso(picture, face), face)


def _alpha(pixels: Pixels, face: faces.Face) -> Map | None:
    """Person against a smoothly lit backdrop: a smooth surface fitted where nobody can be, and the difference to it."""
    lab = backdrop.to_lab(pixels)
    height, width = lab.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    aside = np.abs(columns - face.centre_x) > 1.15 * face.width_px
    plain = (aside & (rows < face.chin_y)) | (rows < 0.03 * height)
    y, x = rows / height - 0.5, columns / width - 0.5
    # No square of y: the surface is carried on below the chin, where the clothes hide what is behind them.
    basis = np.stack([np.ones_like(x), x, y, x * x, x * y, x**4, x * x * y], axis=-1)
    some = np.flatnonzero(plain.ravel())[::37]
    if len(some) < 500:
        return None
    fit, *_ = np.linalg.lstsq(basis.reshape(-1, 7)[some], lab.reshape(-1, 3)[some], rcond=None)
    difference = np.linalg.norm(lab - (basis.reshape(-1, 7) @ fit).reshape(lab.shape), axis=2)
    if np.percentile(difference[plain], 90) > _PERSON_FROM:
        return None
    return _undressed(_filled(difference.astype(np.float32), face), lab, face)


def _filled(difference: Map, face: faces.Face) -> Map:
    """Holes inside the outline belong to the person; specks outside it do not."""
    behind = (difference < (_PERSON_FROM + _PERSON_SURE) / 2).astype(np.uint8)
    _, labels = cv2.connectedComponents(behind)
    upper = labels[: int(face.chin_y)]
    outside = set(np.unique(np.concatenate([upper[0], upper[:, 0], upper[:, -1]]))) - {0}
    person = (~np.isin(labels, list(outside))).astype(np.uint8)
    _, labels = cv2.connectedComponents(person)
    own = labels == labels[int(face.eyes_y), int(face.centre_x)]
    soft = np.clip((difference - _PERSON_FROM) / (_PERSON_SURE - _PERSON_FROM), 0, 1)
    inner = cv2.erode(own.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    near = cv2.dilate(own.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return np.where(inner, 1.0, np.where(near, soft, 0.0)).astype(np.float32)


def _undressed(alpha: Map, lab: backdrop.Lab, face: faces.Face) -> Map:
    """Below the chin, skin and hair alone; the clothes are painted."""
    kept = (np.hypot(lab[..., 1], lab[..., 2]) > 9) | (lab[..., 0] < 55)
    kept[: int(face.chin_y + 0.1 * face.width_px)] = True
    whole = cv2.morphologyEx(kept.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    return (alpha * cv2.GaussianBlur(whole.astype(np.float32), (0, 0), 1.2)).astype(np.float32)


def _torso(pixels: Pixels, face: faces.Face) -> Map:
    half = [(x * face.width_px, face.chin_y + y * face.width_px) for x, y in _TORSO]
    outline = [(face.centre_x + x, y) for x, y in half] + [(face.centre_x - x, y) for x, y in reversed(half)]
    mask = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(np.array(outline) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return (cv2.GaussianBlur(mask, (0, 0), 1.0) / np.float32(255)).astype(np.float32)


def _tone(pixels: Pixels, face: faces.Face) -> str:
    side = max(3, int(0.05 * face.width_px))
    patches = []
    for point in _CHEEK_POINTS:
        x, y = (int(value) for value in face.points[point])
        patches.append(pixels[max(0, y - side) : y + side, max(0, x - side) : x + side].reshape(-1, 3))
    lab = np.median(backdrop.to_lab(np.concatenate(patches)[None]), axis=1)[0]
    angle = math.degrees(math.atan2(float(lab[0]) - 50, float(lab[2])))
    return next(name for least, name in _TONES if angle > least)


def saved(pixels: Pixels, quality: int = 92) -> bytes:
    """As a camera would hand it over."""
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def shutter(sitter: Sitter, colour: backdrop.Colour, sensor_noise: float = 1.5) -> decoding.Pixels:
    """A sound capture: the person before an even backdrop, with a sensor's noise over all; the same each time."""
    noise = np.random.default_rng(len(sitter.name)).normal(0, sensor_noise, sitter.alpha.shape)
    return np.clip(sitter.before(colour) + np.round(noise)[..., None], 0, 255).astype(np.uint8)
