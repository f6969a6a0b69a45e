"""Eyes that are covered are not called open."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cli.photo import studio
from photospec import decoding, inspection, profiles
from station.cameras import portraits

Pixels = NDArray[np.uint8]


def _ellipses(*eyes: int, colour: tuple[int, int, int]) -> Callable[[Pixels, inspection.FaceGeometry], Pixels]:
    def cover(pixels: Pixels, face: inspection.FaceGeometry) -> Pixels:
        apart = face.right_eye[0] - face.left_eye[0]
        for eye in eyes:
            x, y = (face.left_eye, face.right_eye)[eye]
            axes = (round(0.36 * apart), round(0.27 * apart))
            cv2.ellipse(pixels, (round(x), round(y)), axes, 0, 0, 360, colour, cv2.FILLED, cv2.LINE_AA)
        return pixels

    return cover


def _fringe(pixels: Pixels, face: inspection.FaceGeometry) -> Pixels:
    """Strands of hair over one eye."""
    apart = face.right_eye[0] - face.left_eye[0]
    x, y, half = round(face.left_eye[0]), round(face.left_eye[1]), round(0.3 * apart)
    strands = np.random.default_rng(2).integers(20, 70, (1, 2 * half, 1)).astype(np.uint8)
    pixels[y - half : y + half, x - half : x + half] = strands
    return pixels


COVERS = {
    "black lenses": _ellipses(0, 1, colour=(12, 12, 12)),
    "one black lens": _ellipses(1, colour=(12, 12, 12)),
    "a white flare": _ellipses(0, colour=(255, 255, 255)),
    "a fringe": _fringe,
}


@pytest.mark.parametrize("seed", [7, 8])
@pytest.mark.parametrize("name", COVERS)
def test_a_covered_eye_goes_to_a_person(name: str, seed: int, blue: profiles.Profile) -> None:
    """With the reason that fits, and without a word of the machine on how far the eyes are open."""
    data = portraits.draw(seed)
    face = inspection.inspect(data, blue).face
    assert face is not None
    pixels = COVERS[name](decoding.decode(data, decoding.check(data), 1).pixels.copy(), face)
    report = inspection.inspect(studio.saved(pixels), blue)
    assert report.verdict == "review"
    assert "H1-seen" in report.reasons
    said = {finding.rule_id: finding for finding in report.findings}
    for rule_id in ("H1-eyes", "H1-lids"):
        assert said[rule_id].passed is not True
        assert said[rule_id].passed is False or said[rule_id].confidence is None


def test_open_eyes_are_seen(portrait_report: inspection.Report) -> None:
    """Negative control: the same portraits with nothing over their eyes."""
    said = {finding.rule_id: finding for finding in portrait_report.findings}
    assert {said[rule_id].passed for rule_id in ("H1-seen", "H1-eyes", "H1-lids")} == {True}
