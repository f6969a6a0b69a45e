"""Drawn portraits: what the virtual camera sees. No person is in them.

A portrait is drawn small, enlarged, and given a sensor's noise shifted by the seed, so that it costs little and no two
have the same bytes. Unflawed ones pass the photo standard; every flaw is one that a desk must catch.
"""

import enum
import functools
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

#: The standard's light blue, RGB (100, 197, 255), as BGR.
BACKDROP: Colour = (255, 197, 100)
#: A portrait is drawn on a canvas this high, whatever the picture's size.
_CANVAS_HEIGHT = 1000
_JPEG_QUALITY = 88
_GRAIN_SIDE = 512

_SKINS: tuple[Colour, ...] = ((168, 196, 236), (150, 184, 228), (132, 168, 218), (118, 152, 206), (96, 130, 186))
_HAIRS: tuple[Colour, ...] = ((22, 20, 20), (30, 28, 34), (28, 36, 52), (40, 52, 74), (16, 18, 24))
_CLOTHES: tuple[Colour, ...] = (
    (40, 40, 40), (246, 246, 246), (44, 36, 120), (60, 80, 40), (90, 90, 96), (34, 56, 104), (30, 30, 66),
    (200, 222, 236),
)  # fmt: skip
_BLUE_CLOTHES: tuple[Colour, ...] = ((170, 80, 30), (120, 50, 25), (235, 180, 95), (200, 110, 50))


class Flaw(enum.Enum):
    """What is wrong with a portrait, and by that what a desk must see."""

    BLURRED = "blurred"
    OFF_CENTRE = "off_centre"
    EYES_SHUT = "eyes_shut"
    BLUE_CLOTHES = "blue_clothes"
    TWO_FACES = "two_faces"
    NO_FACE = "no_face"


@dataclass(frozen=True)
class _Sitter:
    """One drawn person; lengths in canvas pixels, the head's half-width being the unit of what lies inside it."""

    x: float
    crown_y: float
    half: float
    tall: float
    eye_apart: float
    eye_size: float
    brow: float
    nose: float
    mouth: float
    lips: float
    hair_depth: float
    long_hair: bool
    skin: Colour
    hair: Colour
    cloth: Colour
    collar: bool
    shut: bool = False


def draw(seed: int, *, width_px: int = 1600, height_px: int = 2400, flaw: Flaw | None = None) -> bytes:
    """Draw the portrait of `seed` as a JPEG. The same arguments give the same bytes."""
    random = np.random.default_rng([seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF])
    width = round(_CANVAS_HEIGHT * width_px / height_px)
    sitter = _flawed(_sitter(random, width / 2), flaw, random, width)
    canvas = _backdrop(width, random)
    if flaw is Flaw.TWO_FACES:
        _paint(canvas, _companion(sitter, random))
    if flaw is not Flaw.NO_FACE:
        _paint(canvas, sitter)
    if flaw is Flaw.BLURRED:
        canvas = cv2.GaussianBlur(canvas, (0, 0), float(random.uniform(7, 10))).astype(np.uint8, copy=False)
    return _photograph(canvas, width_px, height_px, random)


def _sitter(random: np.random.Generator, x: float) -> _Sitter:
    half = random.uniform(108, 124)
    return _Sitter(
        x=x + random.uniform(-14, 14),
        crown_y=random.uniform(215, 260),
        half=half,
        tall=half * random.uniform(2.72, 2.92),
        eye_apart=random.uniform(0.42, 0.47),
        eye_size=random.uniform(0.175, 0.2),
        brow=random.uniform(0.035, 0.06),
        nose=random.uniform(0.16, 0.21),
        mouth=random.uniform(0.3, 0.36),
        lips=random.uniform(0.05, 0.075),
        hair_depth=random.uniform(0.24, 0.32),
        long_hair=bool(random.random() < 0.45),
        skin=_varied(_SKINS, random, 8),
        hair=_varied(_HAIRS, random, 6),
        cloth=_varied(_CLOTHES, random, 8),
        collar=bool(random.random() < 0.6),
    )


def _varied(colours: tuple[Colour, ...], random: np.random.Generator, by: int) -> Colour:
    colour = colours[int(random.integers(len(colours)))]
    blue, green, red = (int(np.clip(channel + random.integers(-by, by + 1), 0, 255)) for channel in colour)
    return blue, green, red


def _flawed(sitter: _Sitter, flaw: Flaw | None, random: np.random.Generator, width: int) -> _Sitter:
    if flaw is Flaw.EYES_SHUT:
        return replace(sitter, shut=True)
    if flaw is Flaw.BLUE_CLOTHES:
        return replace(sitter, cloth=_varied(_BLUE_CLOTHES, random, 6))
    if flaw is Flaw.OFF_CENTRE:
        side = sitter.half * random.uniform(1.0, 1.15)
        return replace(sitter, x=side if random.random() < 0.5 else width - side)
    if flaw is Flaw.TWO_FACES:
        return replace(sitter, x=sitter.x + 60)
    return sitter


def _companion(sitter: _Sitter, random: np.random.Generator) -> _Sitter:
    other = _sitter(random, sitter.x)
    size = 0.75
    return replace(
        other,
        x=sitter.x - 2.15 * sitter.half,
        crown_y=sitter.crown_y + 20,
        half=other.half * size,
        tall=other.tall * size,
    )


def _backdrop(width: int, random: np.random.Generator) -> Pixels:
    canvas = np.empty((_CANVAS_HEIGHT, width, 3), np.uint8)
    shade = int(random.integers(-2, 3))
    canvas[:] = [int(np.clip(channel + shade, 0, 255)) for channel in BACKDROP]
    return canvas


def _paint(canvas: Pixels, sitter: _Sitter) -> None:
    _hair_behind(canvas, sitter)
    _body(canvas, sitter)
    _head(canvas, sitter)
    for side in (-1, 1):
        _eye(canvas, sitter, side)
    _nose(canvas, sitter)
    _mouth(canvas, sitter)


def _middle(sitter: _Sitter) -> float:
    """The y of the head's centre; the skull's top lies a little under the hair's."""
    return sitter.crown_y + 0.06 * sitter.half + sitter.tall / 2


def _eyes_y(sitter: _Sitter) -> float:
    return sitter.crown_y + 0.53 * sitter.tall


def _hair_behind(canvas: Pixels, s: _Sitter) -> None:
    _ellipse(canvas, s.x, s.crown_y + 1.05 * s.half, 1.07 * s.half, 1.05 * s.half, s.hair)
    if s.long_hair:
        _ellipse(canvas, s.x, s.crown_y + 1.7 * s.half, 1.1 * s.half, 1.5 * s.half, s.hair)


def _body(canvas: Pixels, s: _Sitter) -> None:
    chin = _middle(s) + s.tall / 2
    neck = _tone(s.skin, 0.86)
    _polygon(canvas, [(-0.42, -0.5), (0.42, -0.5), (0.5, 0.55), (-0.5, 0.55)], s.x, chin, s.half, neck)
    shoulders = [
        (-0.5, 0.25), (0.5, 0.25), (1.35, 0.62), (1.75, 0.95), (1.95, 1.7), (2.1, 6.0), (-2.1, 6.0), (-1.95, 1.7),
        (-1.75, 0.95), (-1.35, 0.62),
    ]  # fmt: skip
    _polygon(canvas, shoulders, s.x, chin, s.half, s.cloth)
    _polygon(canvas, [(-0.45, 0.2), (0.45, 0.2), (0.0, 0.95)], s.x, chin, s.half, neck)
    if s.collar:
        for side in (-1, 1):
            flap = [(side * 0.5, 0.18), (side * 0.78, 0.42), (side * 0.32, 1.05), (side * 0.02, 0.92)]
            _polygon(canvas, flap, s.x, chin, s.half, _tone(s.cloth, 0.82))


def _head(canvas: Pixels, s: _Sitter) -> None:
    middle = _middle(s)
    for side in (-1, 1):
        _ellipse(
            canvas,
            s.x + side * 0.99 * s.half,
            _eyes_y(s) + 0.22 * s.half,
            0.12 * s.half,
            0.26 * s.half,
            _tone(s.skin, 0.9),
        )
    mask = np.zeros(canvas.shape[:2], np.uint8)
    _ellipse(mask, s.x, middle, s.half, s.tall / 2, 255)
    _shade(canvas, mask, s, middle)
    _fringe(canvas, mask, s)
    _freckle(canvas, s, middle)


def _shade(canvas: Pixels, mask: Pixels, s: _Sitter, middle: float) -> None:
    """Skin that falls off towards the outline, as a round head does under two lamps."""
    y0, y1 = int(max(0, middle - s.tall / 2 - 2)), int(min(canvas.shape[0], middle + s.tall / 2 + 3))
    x0, x1 = int(max(0, s.x - s.half - 2)), int(min(canvas.shape[1], s.x + s.half + 3))
    rows = (np.arange(y0, y1, dtype=np.float32)[:, None] - middle) / (s.tall / 2)
    columns = (np.arange(x0, x1, dtype=np.float32)[None, :] - s.x) / s.half
    lightness = 1.04 - 0.26 * (np.abs(columns) ** 2.5 * np.ones_like(rows)) - 0.1 * np.abs(rows) ** 3
    skin = np.clip(lightness[..., None] * np.array(s.skin, np.float32), 0, 255)
    inside = (mask[y0:y1, x0:x1, None] / np.float32(255)).astype(np.float32)
    canvas[y0:y1, x0:x1] = (canvas[y0:y1, x0:x1] * (1 - inside) + skin * inside).astype(np.uint8)


def _fringe(canvas: Pixels, mask: Pixels, s: _Sitter) -> None:
    """Hair over the skull: what of the head lies above an arc."""
    arc = np.zeros_like(mask)
    depth = s.hair_depth * s.tall
    _ellipse(arc, s.x, s.crown_y + depth + 1.25 * s.half, 0.93 * s.half, 1.25 * s.half, 255)
    above = np.zeros_like(mask)
    above[: int(s.crown_y + depth + 0.75 * s.half)] = 255
    canvas[(mask > 127) & (arc < 128) & (above > 0)] = s.hair


def _freckle(canvas: Pixels, s: _Sitter, middle: float) -> None:
    """Soft colour on the cheeks and a shadow under the chin."""
    for side in (-1, 1):
        _glow(canvas, s.x + side * 0.5 * s.half, middle + 0.42 * s.half, 0.3 * s.half, (150, 150, 225), 0.18)


def _eye(canvas: Pixels, s: _Sitter, side: int) -> None:
    x, y, size = s.x + side * s.eye_apart * s.half, _eyes_y(s), s.eye_size * s.half
    _glow(canvas, x, y, 1.7 * size, _tone(s.skin, 0.72), 0.5)
    brow = [
        (x + side * k * size, y - (1.55 + 0.25 * np.sin((k + 1.2) * 1.3)) * size) for k in np.linspace(-1.2, 1.35, 9)
    ]
    _line(canvas, brow, s.hair, max(3, round(s.brow * s.half)))
    if s.shut:
        lid = [(x + k * size, y + (0.42 - 0.3 * k * k) * size) for k in np.linspace(-1.05, 1.05, 13)]
        _line(canvas, lid, _tone(s.hair, 1.2), max(2, round(0.16 * size)))
        return
    _open_eye(canvas, s, x, y, size)


def _open_eye(canvas: Pixels, s: _Sitter, x: float, y: float, size: float) -> None:
    span = np.linspace(-1, 1, 15)
    upper = [(x + 1.08 * k * size, y - 0.5 * (1 - abs(k) ** 2.2) * size) for k in span]
    lower = [(x + 1.08 * k * size, y + 0.42 * (1 - abs(k) ** 2.2) * size) for k in span]
    white = np.zeros(canvas.shape[:2], np.uint8)
    outline = np.array([*upper, *lower[::-1]])
    cv2.fillPoly(white, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    iris = canvas.copy()
    cv2.fillPoly(iris, [np.round(outline * 16).astype(np.int32)], (232, 234, 236), cv2.LINE_AA, 4)
    _ellipse(iris, x, y - 0.03 * size, 0.46 * size, 0.46 * size, (34, 44, 62))
    _ellipse(iris, x, y - 0.03 * size, 0.2 * size, 0.2 * size, (8, 8, 8))
    _ellipse(iris, x - 0.14 * size, y - 0.18 * size, 0.08 * size, 0.08 * size, (250, 250, 250))
    canvas[white > 127] = iris[white > 127]
    _line(canvas, upper, _tone(s.hair, 1.1), max(2, round(0.16 * size)))
    _line(canvas, lower, _tone(s.skin, 0.62), max(1, round(0.07 * size)))
    crease = [(px, py - 0.28 * size) for px, py in upper[2:-2]]
    _line(canvas, crease, _tone(s.skin, 0.7), max(1, round(0.06 * size)))


def _nose(canvas: Pixels, s: _Sitter) -> None:
    tip = _eyes_y(s) + 0.72 * s.half
    wing = s.nose * s.half
    _glow(canvas, s.x, tip, 1.3 * wing, _tone(s.skin, 0.78), 0.45)
    _glow(canvas, s.x, tip - 0.3 * s.half, 0.5 * wing, _tone(s.skin, 1.15), 0.4)
    for side in (-1, 1):
        _ellipse(canvas, s.x + side * 0.5 * wing, tip + 0.1 * s.half, 0.3 * wing, 0.16 * wing, _tone(s.skin, 0.42))
        curve = [
            (s.x + side * (1.0 - 0.15 * k * k) * wing, tip + (0.02 + 0.1 * k) * s.half) for k in np.linspace(-1, 1, 7)
        ]
        _line(canvas, curve, _tone(s.skin, 0.66), 2)


def _mouth(canvas: Pixels, s: _Sitter) -> None:
    y, wide, thick = _eyes_y(s) + 1.16 * s.half, s.mouth * s.half, s.lips * s.half
    lip = tuple(int(channel) for channel in np.array(_tone(s.skin, 0.72)) * 0.55 + np.array([110, 100, 190]) * 0.45)
    span = np.linspace(-1, 1, 17)
    upper = [(x * wide, -thick * 1.5 * (1 - x * x) * (1 - 0.35 * np.exp(-((x / 0.16) ** 2)))) for x in span]
    lower = [(x * wide, thick * 2.1 * (1 - x * x)) for x in span]
    shape = [(s.x + px, y + py) for px, py in [*upper, *lower[::-1]]]
    cv2.fillPoly(canvas, [np.round(np.array(shape) * 16).astype(np.int32)], lip, cv2.LINE_AA, 4)
    _line(canvas, [(s.x + x * wide, y + 0.15 * thick * np.cos(x * 3)) for x in span], _tone(s.skin, 0.4), 2)
    _glow(canvas, s.x, y + 3.6 * thick, 0.7 * wide, _tone(s.skin, 0.78), 0.35)


def _photograph(canvas: Pixels, width_px: int, height_px: int, random: np.random.Generator) -> bytes:
    """Enlarge, add grain and save."""
    picture = cv2.resize(canvas, (width_px, height_px), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    noise = _grain()
    shift = random.integers(0, _GRAIN_SIDE, 2)
    tile = np.roll(noise, (int(shift[0]), int(shift[1])), (0, 1))
    for y in range(0, height_px, _GRAIN_SIDE):
        for x in range(0, width_px, _GRAIN_SIDE):
            part = picture[y : y + _GRAIN_SIDE, x : x + _GRAIN_SIDE]
            cv2.add(part, tile[: part.shape[0], : part.shape[1]], part, dtype=cv2.CV_8U)
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return np.asarray(data).tobytes()


@functools.cache
def _grain() -> NDArray[np.int16]:
    """(side, side, 3) int16: the sensor's noise, about ±3 levels."""
    noise = np.random.default_rng(1).normal(0, 2.2, (_GRAIN_SIDE, _GRAIN_SIDE, 1))
    return np.repeat(np.round(noise), 3, axis=2).astype(np.int16)


def _tone(colour: Colour, by: float) -> Colour:
    blue, green, red = (int(min(255, channel * by)) for channel in colour)
    return blue, green, red


def _ellipse(canvas: Pixels, x: float, y: float, across: float, down: float, colour: Colour | int) -> None:
    centre, axes = (round(x * 16), round(y * 16)), (round(across * 16), round(down * 16))
    paint = (colour,) if isinstance(colour, int) else colour
    cv2.ellipse(canvas, centre, axes, 0, 0, 360, paint, cv2.FILLED, cv2.LINE_AA, 4)


def _polygon(
    canvas: Pixels, points: list[tuple[float, float]], x: float, y: float, unit: float, colour: Colour
) -> None:
    outline = np.round((np.array(points) * unit + [x, y]) * 16).astype(np.int32)
    cv2.fillPoly(canvas, [outline], colour, cv2.LINE_AA, 4)


def _line(canvas: Pixels, points: list[tuple[float, float]], colour: Colour, thickness: int) -> None:
    cv2.polylines(canvas, [np.round(np.array(points) * 16).astype(np.int32)], False, colour, thickness, cv2.LINE_AA, 4)


def _glow(canvas: Pixels, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
    """Blend `colour` in, fading out at `radius`."""
    y0, y1 = int(max(0, y - radius)), int(min(canvas.shape[0], y + radius + 1))
    x0, x1 = int(max(0, x - radius)), int(min(canvas.shape[1], x + radius + 1))
    if y0 >= y1 or x0 >= x1:
        return
    rows = (np.arange(y0, y1, dtype=np.float32)[:, None] - y) / radius
    columns = (np.arange(x0, x1, dtype=np.float32)[None, :] - x) / radius
    weight = (strength * np.clip(1 - rows**2 - columns**2, 0, 1))[..., None]
    part = canvas[y0:y1, x0:x1]
    canvas[y0:y1, x0:x1] = (part * (1 - weight) + np.array(colour, np.float32) * weight).astype(np.uint8)
