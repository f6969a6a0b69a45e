"""What can go wrong with a portrait, painted, warped or taken on purpose, each with the rules that must see it."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cli.photo import eyelids, studio
from photospec import backdrop, framing

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """A sound capture, who is in it, and what composition would cut from it."""

    sitter: studio.Sitter
    colour: backdrop.Colour
    sound: Pixels
    crop: framing.Crop
    other: studio.Sitter

    @property
    def source_px(self) -> float:
        """Pixels of the capture in one of the finished photo."""
        return 1 / self.crop.scale


@dataclass(frozen=True)
class Flaw:
    """`rules`: any of them seeing it is enough; none: the photo must stay sound all the same."""

    name: str
    zh: str
    rules: tuple[str, ...]
    spoil: Callable[[Scene], Pixels]


def _blurred(sigma: float) -> Callable[[Scene], Pixels]:
    return lambda s: cv2.GaussianBlur(s.sound, (0, 0), sigma * s.source_px).astype(np.uint8)


def _shaken(length: float) -> Callable[[Scene], Pixels]:
    def spoil(s: Scene) -> Pixels:
        side = max(3, round(length * s.source_px)) | 1
        kernel = np.zeros((side, side), np.float32)
        kernel[side // 2] = 1 / side
        return cv2.filter2D(s.sound, -1, kernel).astype(np.uint8)

    return spoil


def _tilted(degrees: float) -> Callable[[Scene], Pixels]:
    def spoil(s: Scene) -> Pixels:
        # What the sitter's own head is tilted by is taken out first, so that the tilt is the one that is named.
        matrix = cv2.getRotationMatrix2D(
            (s.sitter.face.centre_x, s.sitter.face.eyes_y), degrees + s.sitter.face.roll_deg, 1.0
        )
        return _moved(s, matrix)

    return spoil


def _moved(s: Scene, matrix: cv2.typing.MatLike) -> Pixels:
    size = (s.sound.shape[1], s.sound.shape[0])
    behind = (s.colour.blue, s.colour.green, s.colour.red)
    return cv2.warpAffine(s.sound, matrix, size, flags=cv2.INTER_LINEAR, borderValue=behind).astype(np.uint8)


def _turned(degrees: float) -> Callable[[Scene], Pixels]:
    """The head as a cylinder, turned; hair and outline come along, so the artefacts are at its edge."""

    def spoil(s: Scene) -> Pixels:
        face, angle = s.sitter.face, np.radians(degrees)
        rows, columns = np.mgrid[0 : s.sound.shape[0], 0 : s.sound.shape[1]].astype(np.float32)
        radius = 0.62 * face.width_px
        # Away from where the sitter already looks a little, or the two would cancel out.
        angle = angle if face.yaw_deg > 0 else -angle
        u = np.clip((columns - face.centre_x) / radius, -1, 1)
        source = u * np.cos(angle) - np.sqrt(1 - u * u) * np.sin(angle)
        middle = face.eyes_y + 0.35 * (face.chin_y - face.eyes_y)
        fade = np.clip(2.2 - np.abs(rows - middle) / (0.75 * (face.chin_y - face.eyes_y)), 0, 1)
        fade = fade * (np.abs(u) < 1)
        across = columns + (source - u) * radius * fade
        return cv2.remap(s.sound, across.astype(np.float32), rows, cv2.INTER_LINEAR).astype(np.uint8)

    return spoil


def _pressed(left_open: float) -> Callable[[Scene], Pixels]:
    return lambda s: eyelids.pressed(s.sound, s.sitter.face, left_open)


def _lowered(share: float) -> Callable[[Scene], Pixels]:
    return lambda s: eyelids.lowered(s.sound, s.sitter.face, share)


def _before(colour: tuple[int, int, int]) -> Callable[[Scene], Pixels]:
    return lambda s: s.sitter.before(backdrop.Colour(*colour))


def _shaded(amount: float, *, upward: bool) -> Callable[[Scene], Pixels]:
    """The backdrop darker by `amount` of its light from one end to the other."""

    def spoil(s: Scene) -> Pixels:
        height, width = s.sound.shape[:2]
        ramp = np.linspace(1 - amount, 1, height if upward else width, dtype=np.float32)
        light = ramp[:, None] if upward else ramp[None, :]
        behind = np.ones((height, width, 3), np.float32) * (s.colour.blue, s.colour.green, s.colour.red)
        shaded: Pixels = np.clip(behind * light[..., None], 0, 255).astype(np.uint8)
        return s.sitter.before(shaded)

    return spoil


def _exposed(gain: float) -> Callable[[Scene], Pixels]:
    return lambda s: cv2.convertScaleAbs(s.sound, alpha=gain).astype(np.uint8)


def _lit_from_one_side(amount: float) -> Callable[[Scene], Pixels]:
    """The person, not the backdrop, brighter on one side and darker on the other by half of `amount` each."""

    def spoil(s: Scene) -> Pixels:
        x = (np.arange(s.sound.shape[1], dtype=np.float32) - s.sitter.face.centre_x) / s.sitter.face.width_px
        gain = 1 + amount * np.clip(x, -0.5, 0.5)[None, :] * s.sitter.person
        lit: Pixels = np.clip(s.sound * gain[..., None], 0, 255).astype(np.uint8)
        return lit

    return spoil


def _glaring(s: Scene) -> Pixels:
    face, spoilt = s.sitter.face, s.sound.copy()
    middle = (round(face.centre_x), round(face.eyes_y - 0.35 * (face.chin_y - face.eyes_y)))
    cv2.ellipse(spoilt, middle, (round(0.25 * face.width_px), round(0.12 * face.width_px)), 0, 0, 360, (255,) * 3, -1)
    return spoilt


def _red_eyed(s: Scene) -> Pixels:
    spoilt = s.sound.copy()
    radius = max(2, round(0.075 * (s.sitter.face.right_eye[0] - s.sitter.face.left_eye[0])))
    for x, y in (s.sitter.face.left_eye, s.sitter.face.right_eye):
        cv2.circle(spoilt, (round(x), round(y)), radius, (40, 30, 190), -1, cv2.LINE_AA)
    return spoilt


def _covered(colour: tuple[int, int, int], *eyes: str) -> Callable[[Scene], Pixels]:
    """Something opaque over both eyes or one: black lenses, a flare on a lens."""

    def spoil(s: Scene) -> Pixels:
        spoilt = s.sound.copy()
        apart = s.sitter.face.right_eye[0] - s.sitter.face.left_eye[0]
        axes = (round(0.36 * apart), round(0.27 * apart))
        for eye in eyes:
            x, y = s.sitter.face.left_eye if eye == "left" else s.sitter.face.right_eye
            cv2.ellipse(spoilt, (round(x), round(y)), axes, 0, 0, 360, colour, cv2.FILLED, cv2.LINE_AA)
        return spoilt

    return spoil


def _fringed(s: Scene) -> Pixels:
    """The hair above the forehead once more, over one eye."""
    face, spoilt = s.sitter.face, s.sound.copy()
    apart = face.right_eye[0] - face.left_eye[0]
    high, wide = round(0.5 * apart), round(0.6 * apart)
    x, y = round(face.left_eye[0] - wide / 2), round(face.left_eye[1] - high / 2)
    hair_x = round(face.centre_x - wide / 2)
    hair_y = max(0, round(face.forehead_y - 0.25 * (face.chin_y - face.eyes_y)) - high)
    spoilt[y : y + high, x : x + wide] = s.sound[hair_y : hair_y + high, hair_x : hair_x + wide]
    return spoilt


def _dressed(colour: tuple[int, int, int]) -> Callable[[Scene], Pixels]:
    """The clothes in another colour, RGB."""
    return lambda s: s.sitter.before(s.colour, backdrop.Colour(*colour))


def _joined(s: Scene) -> Pixels:
    """Somebody else, half as great, beside the head."""
    part = s.other
    face, spoilt = s.sitter.face, s.sound.astype(np.float32)
    size = 0.55 * face.width_px / part.face.width_px
    small = cv2.resize(part.before(s.colour), None, fx=size, fy=size, interpolation=cv2.INTER_AREA).astype(np.float32)
    alpha = cv2.resize(part.person, None, fx=size, fy=size, interpolation=cv2.INTER_AREA)[..., None]
    x = round(face.centre_x - 1.15 * face.width_px - part.face.centre_x * size)
    y = round(face.eyes_y - part.face.eyes_y * size)
    x0, y0 = max(0, x), max(0, y)
    x1, y1 = min(spoilt.shape[1], x + small.shape[1]), min(spoilt.shape[0], y + small.shape[0])
    cut = (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x))
    behind = spoilt[y0:y1, x0:x1]
    spoilt[y0:y1, x0:x1] = behind + (small[cut] - behind) * alpha[cut]
    return np.clip(spoilt, 0, 255).astype(np.uint8)


def _obstructed(s: Scene) -> Pixels:
    """A lamp stand at the edge of what is cut out."""
    spoilt = s.sound.copy()
    x, wide = round(s.crop.x + 0.02 * s.crop.width), round(0.08 * s.crop.width)
    person = s.sitter.person[:, x : x + wide, None]
    stand = np.full_like(spoilt[:, x : x + wide], 45)
    spoilt[:, x : x + wide] = (stand + (spoilt[:, x : x + wide] - stand.astype(np.float32)) * person).astype(np.uint8)
    return spoilt


def _aside(s: Scene) -> Pixels:
    """Seated so far to one side that the crop would leave the picture."""
    return np.ascontiguousarray(s.sound[:, round(s.crop.x + 60 * s.source_px) :])


def _capped(s: Scene) -> Pixels:
    """The upper edge of the picture runs through the hair."""
    return np.ascontiguousarray(s.sound[round(s.crop.y + 85 * s.source_px) :])


def _small(s: Scene) -> Pixels:
    scale = 0.55 * s.crop.scale
    return cv2.resize(s.sound, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _without_colour(s: Scene) -> Pixels:
    return np.repeat(cv2.cvtColor(s.sound, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2).astype(np.uint8)


def _nobody(s: Scene) -> Pixels:
    empty = s.sound.copy()
    empty[:] = (s.colour.blue, s.colour.green, s.colour.red)
    return empty


def _grainy(s: Scene) -> Pixels:
    noise = np.random.default_rng(3).normal(0, 5, s.sound.shape)
    return np.clip(s.sound + noise, 0, 255).astype(np.uint8)


_WRONG = {
    "white": (255, 255, 255), "grey": (200, 200, 200), "red": (200, 40, 40), "green": (60, 160, 80),
    "deep blue": (51, 143, 178), "navy": (20, 40, 110), "cream": (240, 230, 200),
}  # fmt: skip
_BLUE_CLOTHES = {"navy": (30, 40, 90), "denim": (70, 90, 130), "mid blue": (40, 90, 180), "light blue": (120, 180, 235)}
_OTHER_CLOTHES = {
    "black": (35, 35, 35), "white": (245, 245, 245), "red": (160, 40, 45), "green": (50, 100, 60),
    "brown": (95, 70, 50), "pink": (225, 160, 170),
}  # fmt: skip

FLAWS = (
    *(Flaw(f"blur σ {sigma} px", "模糊", ("X4",), _blurred(sigma)) for sigma in (1.0, 1.5, 2.5)),
    Flaw("motion 4 px", "抖动", ("X4",), _shaken(4)),
    *(Flaw(f"tilt {degrees:+d}°", "歪头", ("H1-roll",), _tilted(degrees)) for degrees in (-5, 5)),
    *(Flaw(f"turn {degrees}°", "侧脸", ("H1-yaw",), _turned(degrees)) for degrees in (15, 25, 35)),
    *(Flaw(f"lids pressed by {by} %", "闭眼", ("H1-eyes", "H1-lids"), _pressed(1 - by / 100)) for by in (50, 75)),
    *(Flaw(f"upper lid {by} % down", "闭眼", ("H1-eyes", "H1-lids"), _lowered(by / 100)) for by in (50, 75, 100)),
    *(Flaw(f"backdrop {name}", "背景颜色", ("B1",), _before(colour)) for name, colour in _WRONG.items()),
    Flaw("backdrop darker to one side by 30 %", "背景渐变", ("B2",), _shaded(0.3, upward=False)),
    Flaw("backdrop darker upward by 40 %", "背景渐变", ("B2",), _shaded(0.4, upward=True)),
    Flaw("lamp stand", "杂物", ("B2", "B3"), _obstructed),
    *(Flaw(f"exposure × {gain}", "曝光", ("E1", "B1"), _exposed(gain)) for gain in (0.5, 0.7, 1.25)),
    *(
        Flaw(f"one side lit {amount:+}", "侧光", ("E3",), _lit_from_one_side(amount))
        for amount in (-1.2, -0.8, 0.8, 1.2)
    ),
    Flaw("glare painted", "高光", ("E2",), _glaring),
    Flaw("red eyes painted", "红眼", ("E4",), _red_eyed),
    Flaw("black lenses painted", "深色镜片", ("H1-seen",), _covered((12, 12, 12), "left", "right")),
    Flaw("black lens over one eye", "深色镜片", ("H1-seen",), _covered((12, 12, 12), "right")),
    Flaw("flare over one eye", "镜片反光", ("H1-seen",), _covered((255, 255, 255), "left")),
    Flaw("fringe over one eye", "刘海遮眼", ("H1-seen",), _fringed),
    *(Flaw(f"clothes {name}", "蓝衣", ("C2",), _dressed(colour)) for name, colour in _BLUE_CLOTHES.items()),
    Flaw("clothes like the backdrop", "衣服近背景", ("C1",), _dressed((100, 197, 255))),
    Flaw("second face", "两人", ("F2",), _joined),
    Flaw("nobody", "无人", ("F1",), _nobody),
    Flaw("seated aside", "偏离", ("P4",), _aside),
    Flaw("hair cut off", "头顶被裁", ("P1",), _capped),
    Flaw("too few pixels", "像素不足", ("P5",), _small),
    Flaw("black and white", "黑白", ("G3-mono",), _without_colour),
    # Nothing that a rule may mind.
    *(Flaw(f"clothes {name}", "其他颜色衣服", (), _dressed(colour)) for name, colour in _OTHER_CLOTHES.items()),
    Flaw("exposure × 0.93", "略暗", (), _exposed(0.93)),
    Flaw("noise 5 levels", "噪点", (), _grainy),
)
