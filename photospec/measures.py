"""All that a machine can measure about a photo, by name: the names that the rules of a profile refer to."""

import dataclasses
from dataclasses import dataclass
from datetime import date

import cv2
import numpy as np
from numpy.typing import NDArray

from photospec import backdrop, clarity, decoding, eyes, faces, framing, jpeg, profiles

Values = dict[str, float | None]

#: Colours and light are judged on the finished photo at a quarter of its size: less noise, a sixteenth the cost.
_COLOUR_REDUCTION = 4


@dataclass(frozen=True)
class Context:
    """What the bytes themselves don't say. Without `captured_on`, the day that the camera wrote is taken."""

    file_name: str | None = None
    captured_on: date | None = None
    graduates_on: date | None = None


@dataclass(frozen=True)
class Scene:
    """A picture with its greatest face found, the head's end known or guessed, and the crop chosen; source pixels.

    `hair_y`: where high hair ends, above which there is backdrop.
    """

    picture: decoding.Picture
    face: faces.Face
    crown_y: float
    crown_seen: bool
    crop: framing.Crop
    hair_y: float | None = None

    def placed(self) -> backdrop.Placed:
        """Where the head comes to lie in the finished photo."""
        return backdrop.Placed(
            crown_y=self.crop.down(self.crown_y),
            eyes_y=self.crop.down(self.face.eyes_y),
            chin_y=self.crop.down(self.face.chin_y),
            centre_x=self.crop.across(self.face.centre_x),
            face_width_px=self.face.width_px * self.crop.scale,
        )


def of_file(data: bytes, header: jpeg.Header, context: Context) -> Values:
    """The rules of a file, whatever it shows."""
    width_px, height_px = decoding.upright_size(header)
    return {
        **_of_context(header, context),
        "orientation": header.orientation,
        "width_px": width_px,
        "height_px": height_px,
        "density_dpi": header.densities_dpi[0] if header.densities_dpi else None,
        "density_down_dpi": header.densities_dpi[1] if header.densities_dpi else None,
        "colour_shift": decoding.colour_shift(header),
        "components": header.components,
        "quality": header.quality,
        "bytes": len(data),
    }


def _of_context(header: jpeg.Header, context: Context) -> Values:
    """What is asked only where the caller says more than the bytes."""
    values: Values = {}
    if context.file_name is not None:
        values["suffix"] = float(context.file_name.endswith(".jpg"))
    if context.graduates_on is not None:
        captured_on = context.captured_on or header.shot.taken_on
        values["age_days"] = None if captured_on is None else float((context.graduates_on - captured_on).days)
    return values


def of_face(face: faces.Face) -> Values:
    """Posture and expression, which need no crop."""
    return {
        "roll_deg": abs(face.roll_deg),
        "yaw_deg": abs(face.yaw_deg),
        "blink": face.blink,
        "eye_openness": face.eye_openness,
        "lip_gap": face.lip_gap,
    }


def of_others(others: NDArray[np.float64], crop: framing.Crop) -> Values:
    """How many faces the finished photo would show beside the greatest, and how many it leaves out.

    `others`: x, y, width, height in source pixels. A head is twice as wide and high as what is found of its face.
    """
    x, y, width, height = others.T
    inside = (x + 1.5 * width > crop.x) & (x - 0.5 * width < crop.x + crop.width)
    inside &= (y + 1.5 * height > crop.y) & (y - 0.5 * height < crop.y + crop.height)
    return {"others": float(inside.sum()), "bystanders": float((~inside).sum())}


def of_frame(scene: Scene, target: framing.Target) -> Values:
    """Where the head lies in the finished photo, and whether the original has the pixels for it.

    Under high hair the crown is a guess: it can keep the rules, but it is not certain enough to break one.
    """
    head, high = scene.placed(), scene.hair_y is not None
    misses = (target.head_room_px.misses(head.crown_y), target.eyes_px.misses(head.eyes_y))
    unsure = high and max(misses) > 1
    return {
        "head_room_px": head.crown_y if (scene.crown_seen or high) and not unsure else None,
        "high_hair_px": 0.0 if scene.hair_y is None else head.crown_y - scene.crop.down(scene.hair_y),
        "eyes_px": None if unsure else head.eyes_y,
        "face_width_px": head.face_width_px,
        "centre_offset_px": abs(head.centre_x - target.width_px / 2),
        "enlargement": scene.crop.scale,
    }


def of_colours(scene: Scene, source: decoding.Picture, profile: profiles.Profile) -> Values:
    """Light, backdrop and clothes, on the finished photo reduced."""
    target = profile.target
    small = overview(source, scene.crop, target)
    head = scene.placed()
    if scene.hair_y is not None:
        head = dataclasses.replace(head, crown_y=scene.crop.down(scene.hair_y))
    head = head.scaled(small.shape[1] / target.width_px)
    lab = backdrop.to_lab(small)
    behind = backdrop.judge(lab, head, profile.backdrop)
    cloth = backdrop.clothing(lab, head)
    light = clarity.light(small, lab, head)
    return {
        "glare": light.glare,
        "side_difference": light.side_difference,
        "face_chroma": light.chroma,
        "backdrop_difference": behind.difference if behind else None,
        "backdrop_lightness_offset": behind.lightness_offset if behind else None,
        "backdrop_unevenness": behind.unevenness if behind else None,
        "backdrop_foreign_share": behind.foreign_share if behind else None,
        "clothing_contrast": cloth.contrast if cloth else None,
        **{f"clothing_{hue}_share": cloth.hue_shares[hue] if cloth else None for hue in backdrop.HUES},
    }


def of_eyes(scene: Scene, source: decoding.Picture, target: framing.Target) -> Values:
    """Sharpness, red pupils and whether eyes are seen, at the finished photo's own size, or the source's if smaller."""
    seen = _eye_window(scene, source, target)
    irises = [seen.inside(x, y) for x, y in (scene.face.left_eye, scene.face.right_eye)]
    points = np.column_stack(seen.inside(scene.face.points[:, 0], scene.face.points[:, 1]))
    return {
        "sharpness": clarity.sharpness(seen.pixels, seen.share),
        "red_eye": clarity.red_share(seen.pixels, irises),
        "eye_contrast": eyes.contrast(seen.pixels, points),
    }


def sharpness(scene: Scene, source: decoding.Picture, target: framing.Target) -> float:
    """That alone, on a finer picture."""
    seen = _eye_window(scene, source, target)
    return clarity.sharpness(seen.pixels, seen.share)


@dataclass(frozen=True)
class _Window:
    """A part of the finished photo from `x`, `y` on, at `share` of its size."""

    pixels: decoding.Pixels
    crop: framing.Crop
    x: int
    y: int
    share: float

    def inside(self, x: framing.Along, y: framing.Along) -> tuple[framing.Along, framing.Along]:
        """A place in the source, in the window's pixels."""
        return (self.crop.across(x) - self.x) * self.share, (self.crop.down(y) - self.y) * self.share


def _eye_window(scene: Scene, source: decoding.Picture, target: framing.Target) -> _Window:
    left, right = ((scene.crop.across(x), scene.crop.down(y)) for x, y in (scene.face.left_eye, scene.face.right_eye))
    box = clarity.eye_window(left, right)
    share = min(1.0, scene.crop.width / source.width_px * source.pixels.shape[1] / target.width_px)
    return _Window(window(source, scene.crop, target, box, share), scene.crop, max(0, box[0]), max(0, box[1]), share)


def of_leftovers(data: bytes, header: jpeg.Header) -> Values:
    """What a finished file carries beside its picture: Exif with places and names, previews, an archive behind it."""
    return {"leftover_bytes": float(header.remarks_bytes + len(data) - jpeg.end(data, header))}


def of_edges(source: decoding.Picture, crop: framing.Crop, target: framing.Target) -> Values:
    """Frames around a finished photo."""
    return {"framed_sides": float(clarity.framed_sides(cut(source, crop, target)))}


def cut(picture: decoding.Picture, crop: framing.Crop, target: framing.Target) -> decoding.Pixels:
    """Crop and scale: nothing else. (height_px, width_px, 3) uint8 BGR."""
    return window(picture, crop, target, (0, 0, target.width_px, target.height_px))


def window(
    picture: decoding.Picture,
    crop: framing.Crop,
    target: framing.Target,
    box: tuple[int, int, int, int],
    share: float = 1.0,
) -> decoding.Pixels:
    """A part of the finished photo, `box` being x0, y0, x1, y1 in its pixels; what lies outside it is left out.

    At `share` of the finished photo's size.
    """
    x0, y0, x1, y1 = box
    x0, y0, x1, y1 = max(0, x0), max(0, y0), min(target.width_px, x1), min(target.height_px, y1)
    if x1 <= x0 or y1 <= y0:
        return np.zeros((0, 0, 3), np.uint8)
    part = _source(picture, crop, target, (x0, y0, x1, y1))
    size = (max(1, round((x1 - x0) * share)), max(1, round((y1 - y0) * share)))
    if part.shape[:2] == size[::-1]:
        return np.ascontiguousarray(part)
    if not part.size:
        return np.zeros((0, 0, 3), np.uint8)
    method = cv2.INTER_AREA if part.shape[1] >= size[0] else cv2.INTER_CUBIC
    return cv2.resize(part, size, interpolation=method).astype(np.uint8, copy=False)


def overview(picture: decoding.Picture, crop: framing.Crop, target: framing.Target) -> decoding.Pixels:
    """The finished photo at a quarter of its size, to judge colours by."""
    part = _source(picture, crop, target, (0, 0, target.width_px, target.height_px))
    return decoding.shrunk(part, min(1.0, target.width_px / _COLOUR_REDUCTION / max(part.shape[1], 1)))


def _source(
    picture: decoding.Picture, crop: framing.Crop, target: framing.Target, box: tuple[int, int, int, int]
) -> decoding.Pixels:
    """The pixels of the picture under a part of the finished photo."""
    height, width = picture.pixels.shape[:2]
    across, down = width / picture.width_px, height / picture.height_px
    per_x, per_y = crop.width / target.width_px, crop.height / target.height_px
    x0, x1 = (min(width, max(0, round((crop.x + x * per_x) * across))) for x in (box[0], box[2]))
    y0, y1 = (min(height, max(0, round((crop.y + y * per_y) * down))) for y in (box[1], box[3]))
    return picture.pixels[y0:y1, x0:x1]
