"""What inspection found, drawn over the picture for a person's eye. Made to be looked at, never to be delivered."""

import cv2
import numpy as np

from photospec import decoding, framing, inspection, profiles

_COLOURS = {"accept": (90, 180, 40), "review": (0, 170, 255), "reject": (40, 40, 230)}
_BAND, _EYES, _FACE = (255, 255, 255), (255, 120, 0), (200, 60, 200)


def draw(picture: decoding.Picture, report: inspection.Report, profile: profiles.Profile) -> decoding.Pixels:
    """The whole picture with crop, permitted bands, crown, eyes and face; (H, W, 3) uint8 BGR, a copy."""
    canvas = picture.pixels.copy()
    scale = canvas.shape[1] / picture.width_px
    if report.crop is None or report.face is None:
        return _framed(canvas, report)
    pen = _Pen(canvas, report.crop, scale)
    _bands(pen, profile)
    _head(pen, report.face)
    pen.box(0, 0, profile.output.width_px, profile.output.height_px, _COLOURS[report.verdict], 3)
    return canvas


def crop(picture: decoding.Picture, report: inspection.Report, profile: profiles.Profile) -> decoding.Pixels:
    """The same drawing cut to the photo that composition would make; the whole where no face was found."""
    canvas = draw(picture, report, profile)
    if report.crop is None:
        return canvas
    scale = canvas.shape[1] / picture.width_px
    x0, y0 = round(report.crop.x * scale), round(report.crop.y * scale)
    return canvas[
        y0 : y0 + max(1, round(report.crop.height * scale)), x0 : x0 + max(1, round(report.crop.width * scale))
    ]


class _Pen:
    """Draws in the finished photo's pixels upon the picture from which it would be cut."""

    def __init__(self, canvas: decoding.Pixels, crop: framing.Crop, scale: float) -> None:
        self.canvas, self.crop, self.scale = canvas, crop, scale
        self.unit = max(1, round(crop.width * scale / 240))

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Finished pixels to the canvas."""
        return self.source(self.crop.x + x / self.crop.scale, self.crop.y + y / self.crop.scale)

    def source(self, x: float, y: float) -> tuple[int, int]:
        """Pixels of the original to the canvas."""
        return round(x * self.scale), round(y * self.scale)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: tuple[int, int, int], thick: int) -> None:
        cv2.rectangle(self.canvas, self.at(x0, y0), self.at(x1, y1), colour, thick * self.unit, cv2.LINE_AA)


def _bands(pen: _Pen, profile: profiles.Profile) -> None:
    """Where crown and eyes may lie, lightened at both edges of the photo; the middle line dotted."""
    wide = profile.output.width_px
    for rule_id in ("P1", "P2"):
        rule = profile.rule(rule_id)
        if rule.low is None or rule.high is None:
            continue
        for left, right in ((0.0, 0.05 * wide), (0.95 * wide, float(wide))):
            pen.box(left, rule.low, right, rule.high, _BAND, 1)
    for y in np.linspace(0, profile.output.height_px, 33)[:-1]:
        cv2.line(pen.canvas, pen.at(wide / 2, float(y)), pen.at(wide / 2, float(y) + 8), _BAND, pen.unit, cv2.LINE_AA)


def _head(pen: _Pen, face: inspection.FaceGeometry) -> None:
    left, right = face.centre_x - face.face_width_px / 2, face.centre_x + face.face_width_px / 2
    thick = pen.unit
    for eye in (face.left_eye, face.right_eye):
        cv2.drawMarker(pen.canvas, pen.source(*eye), _EYES, cv2.MARKER_CROSS, 10 * thick, thick, cv2.LINE_AA)
    cv2.line(pen.canvas, pen.source(*face.left_eye), pen.source(*face.right_eye), _EYES, thick, cv2.LINE_AA)
    crown = _FACE if face.crown_seen else _BAND
    cv2.line(pen.canvas, pen.source(left, face.crown_y), pen.source(right, face.crown_y), crown, thick, cv2.LINE_AA)
    cv2.rectangle(pen.canvas, pen.source(left, face.crown_y), pen.source(right, face.chin_y), _FACE, thick, cv2.LINE_AA)


def _framed(canvas: decoding.Pixels, report: inspection.Report) -> decoding.Pixels:
    thick = max(2, min(canvas.shape[:2]) // 100)
    corner = (canvas.shape[1] - 1, canvas.shape[0] - 1)
    cv2.rectangle(canvas, (0, 0), corner, _COLOURS[report.verdict], thick)
    return canvas
