"""High hair goes to a person, however the picture was cropped, scaled or saved; it is never a seat that is too low."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cli.photo import studio
from photospec import decoding, framing, inspection, profiles
from tests.unit.photospec import conftest

Pixels = NDArray[np.uint8]
_BACKDROP = (255, 197, 100)

CHANGES = ("as it is", "room 200", "quality 60", "crop 20", "landscape")
MORE = ("room 60", "room 400", "quality 75", "crop 7", "smaller", "greater")
ALL = [*CHANGES, *(pytest.param(how, marks=pytest.mark.thorough) for how in MORE)]


def _changed(pixels: Pixels, how: str) -> bytes:
    word, _, number = how.rpartition(" ")
    if word == "quality":
        return studio.saved(pixels, int(number))
    if word == "room":
        pixels = cv2.copyMakeBorder(pixels, int(number), 0, 0, 0, cv2.BORDER_CONSTANT, value=_BACKDROP).astype(np.uint8)
    if word == "crop":
        pixels = np.ascontiguousarray(pixels[int(number) :, int(number) :])
    if how == "landscape":
        aside = (len(pixels) * 3 // 2 - pixels.shape[1]) // 2
        pixels = cv2.copyMakeBorder(pixels, 0, 0, aside, aside, cv2.BORDER_CONSTANT, value=_BACKDROP).astype(np.uint8)
    scale = {"smaller": 0.8, "greater": 2.0}.get(how)
    if scale:
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return studio.saved(pixels)


def _geometry(report: inspection.Report) -> dict[str, str]:
    return {
        finding.rule_id: finding.severity
        for finding in report.findings
        if finding.rule_id.startswith("P") and finding.passed is False
    }


@pytest.fixture(scope="module")
def high(portrait: bytes, portrait_report: inspection.Report) -> Pixels:
    """A drawn portrait with a bun that is as high as a forehead."""
    pixels = decoding.decode(portrait, decoding.check(portrait), 1).pixels.copy()
    face = portrait_report.face
    assert face is not None
    tall = face.chin_y - (face.left_eye[1] + face.right_eye[1]) / 2
    hair = [int(value) for value in pixels[int(face.crown_y + 0.1 * tall), int(face.centre_x)]]
    middle = (round(face.centre_x), round(face.crown_y - 0.2 * tall))
    cv2.ellipse(pixels, middle, (round(0.45 * tall), round(0.5 * tall)), 0, 0, 360, hair, cv2.FILLED, cv2.LINE_AA)
    return pixels


@pytest.mark.parametrize("how", ALL)
def test_high_hair_goes_to_a_person_whatever_was_done_to_the_picture(
    how: str, high: Pixels, blue: profiles.Profile
) -> None:
    """One rule of its own, with its own advice; no rule of geometry refuses."""
    report = inspection.inspect(_changed(high, how), blue)
    assert (report.verdict, _geometry(report)) == ("review", {"P1-hair": "review"})
    finding = next(finding for finding in report.findings if finding.rule_id == "P1-hair")
    assert "头发太高" in finding.reason_zh
    assert finding.advice_zh


def test_ordinary_hair_is_not_high(portrait_report: inspection.Report) -> None:
    """Negative control: the same head without the bun."""
    assert _geometry(portrait_report) == {}
    assert [finding.measured for finding in portrait_report.findings if finding.rule_id == "P1-hair"] == [0.0]


def test_a_head_cut_by_the_edge_is_still_refused(portrait: bytes, blue: profiles.Profile) -> None:
    """Hair that runs out of the picture is only taken for high where it is high."""
    pixels = _cut(portrait, blue)
    assert _geometry(inspection.inspect(studio.saved(pixels), blue)) == {"P1": "reject"}


def _cut(portrait: bytes, profile: profiles.Profile) -> Pixels:
    """The picture's upper edge a little below the crown."""
    face = inspection.inspect(portrait, profile).face
    assert face is not None
    pixels = decoding.decode(portrait, decoding.check(portrait), 1).pixels
    return np.ascontiguousarray(pixels[round(face.crown_y + 0.05 * (face.chin_y - face.crown_y)) :])


@given(
    crown=st.floats(100, 900), hair=st.floats(0, 1), eyes=st.floats(0.6, 1.6), face=st.floats(200, 700),
)  # fmt: skip
def test_hair_never_breaks_a_rule_that_could_be_kept(crown: float, hair: float, eyes: float, face: float) -> None:
    """With high hair the crop keeps P1, P2 and P3 as well as it does without."""
    target = profiles.load().target
    plain = framing.Subject(1600, 2400, crown, crown + eyes * face, face, 800.0)
    topped = framing.Subject(1600, 2400, crown, crown + eyes * face, face, 800.0, hair * crown)
    assert _missed(plain, target) == pytest.approx(_missed(topped, target), abs=0.5)


def _missed(subject: framing.Subject, target: framing.Target) -> float:
    crop = framing.plan(subject, target)
    return target.head_room_px.misses(crop.down(subject.crown_y)) + target.eyes_px.misses(crop.down(subject.eyes_y))


@pytest.mark.thorough
@pytest.mark.parametrize("how", [*CHANGES, *MORE])
@pytest.mark.parametrize("name", ["london_001_neutral", "london_001_smiling", "london_025_neutral"])
def test_real_high_hair_goes_to_a_person(name: str, how: str, blue: profiles.Profile) -> None:
    """A bun and an afro."""
    path = conftest.FACES / f"{name}.jpg"
    if not path.exists():
        pytest.skip(conftest.NO_FACES)
    sitter = studio.sit(path)
    assert sitter is not None
    report = inspection.inspect(_changed(studio.shutter(sitter, blue.backdrop), how), blue, stage="capture")
    assert (report.verdict, _geometry(report)) == ("review", {"P1-hair": "review"})
