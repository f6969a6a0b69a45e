"""All that a machine can measure about a photo, by name: the names that the rules of a profile refer to."""

from dataclasses import dataclass
from datetime import date

import cv2
import numpy as np

from photospec import backdrop, clarity, decoding, faces, framing, jpeg

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
    """A picture with its greatest face found, the head's end known or guessed, and the crop chosen; source pixels."""

    picture: decoding.Picture
    face: faces.Face
    crown_y: float
    crown_seen: bool
    crop: framing.Crop

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
    name = context.file_name
    return {
        "suffix": None if name is None else float(name.endswith(".jpg")),
        "age_days": _age_days(header, context),
        "orientation": header.orientation,
        "width_px": width_px,
        "height_px": height_px,
        "density_dpi": header.density_dpi,
        "components": header.components,
        "quality": header.quality,
        "bytes": len(data),
    }


def _age_days(header: jpeg.Header, context: Context) -> float | None:
    """Days from capture to graduation."""
    captured_on = context.captured_on or header.taken_on
    if captured_on is None or context.graduates_on is None:
        return None
    return float((context.graduates_on - captured_on).days)


def of_face(face: faces.Face) -> Values:
    """Posture and expression, which need no crop."""
    return {
        "roll_deg": abs(face.roll_deg),
        "yaw_deg": abs(face.yaw_deg),
        "blink": face.blink,
        "eye_openness": face.eye_openness,
        "lip_gap": face.lip_gap,
    }


def of_frame(scene: Scene, target: framing.Target) -> Values:
    """Where the head lies in the finished photo, and whether the original has the pixels for it."""
    head = scene.placed()
    return {
        "head_room_px": head.crown_y if scene.crown_seen else None,
        "eyes_px": head.eyes_y,
        "face_width_px": head.face_width_px,
        "centre_offset_px": abs(head.centre_x - target.width_px / 2),
        "enlargement": scene.crop.scale,
    }


def of_photo(scene: Scene, photo: decoding.Pixels, standard: backdrop.Colour) -> Values:
    """Sharpness, light, backdrop and clothes of the finished photo."""
    head = scene.placed().scaled(1 / _COLOUR_REDUCTION)
    size = (photo.shape[1] // _COLOUR_REDUCTION, photo.shape[0] // _COLOUR_REDUCTION)
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    lab = backdrop.to_lab(small)
    behind = backdrop.judge(lab, head, standard)
    cloth = backdrop.clothing(lab, head)
    light = clarity.light(small, lab, head)
    eyes = [(scene.crop.across(x), scene.crop.down(y)) for x, y in (scene.face.left_eye, scene.face.right_eye)]
    return {
        "sharpness": clarity.sharpness(photo, eyes[0], eyes[1]),
        "glare": light.glare,
        "side_difference": light.side_difference,
        "backdrop_difference": behind.difference if behind else None,
        "backdrop_lightness_offset": behind.lightness_offset if behind else None,
        "backdrop_unevenness": behind.unevenness if behind else None,
        "clothing_contrast": cloth.contrast if cloth else None,
        "clothing_blue_share": cloth.blue_share if cloth else None,
    }


def cut(picture: decoding.Picture, crop: framing.Crop, target: framing.Target) -> decoding.Pixels:
    """Crop and scale: nothing else. (height_px, width_px, 3) uint8 BGR."""
    height, width = picture.pixels.shape[:2]
    across, down = width / picture.width_px, height / picture.height_px
    x0, y0 = max(0, round(crop.x * across)), max(0, round(crop.y * down))
    x1 = min(width, round((crop.x + crop.width) * across))
    y1 = min(height, round((crop.y + crop.height) * down))
    part = picture.pixels[y0:y1, x0:x1]
    if part.shape[:2] == (target.height_px, target.width_px):
        return np.ascontiguousarray(part)
    shrinking = part.shape[1] >= target.width_px
    method = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    return cv2.resize(part, (target.width_px, target.height_px), interpolation=method).astype(np.uint8, copy=False)
