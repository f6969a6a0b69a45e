"""What is taken for the clothes where hair, skin and backdrop lie beside them; and hair that hides the crown."""

import cv2
import numpy as np
import pytest

from photospec import backdrop, composition, decoding, framing, inspection, profiles

Colour = tuple[int, int, int]

_BACKDROP: Colour = (255, 197, 100)
_SKIN: Colour = (140, 165, 210)
_HAIR: Colour = (28, 30, 36)
_HEAD = backdrop.Placed(crown_y=20, eyes_y=68, chin_y=112, centre_x=60, face_width_px=56)


def _dressed(cloth: Colour, *, long_hair: bool, low_neck: bool, narrow: bool) -> backdrop.Clothing:
    """A finished photo at a quarter of its size, BGR, painted flat."""
    photo = np.full((160, 120, 3), _BACKDROP, np.uint8)
    half = 42 if narrow else 67
    outline = [(43, 118), (77, 118), (60 + half, 150), (60 + half, 200), (60 - half, 200), (60 - half, 150)]
    cv2.fillPoly(photo, [np.array(outline)], cloth)
    if low_neck:
        cv2.fillPoly(photo, [np.array([(60 - 34, 118), (60 + 34, 118), (60 + 20, 160), (60 - 20, 160)])], _SKIN)
    cv2.rectangle(photo, (60 - 15, 100), (60 + 15, 126), _SKIN, -1)
    if long_hair:
        for x in (60 - 27, 60 + 27):
            cv2.rectangle(photo, (x - 7, 60), (x + 7, 160), _HAIR, -1)
    cv2.ellipse(photo, (60, 62), (30, 43), 0, 0, 360, _HAIR, -1)
    cv2.ellipse(photo, (60, 76), (27, 36), 0, 0, 360, _SKIN, -1)
    found = backdrop.clothing(backdrop.to_lab(photo), _HEAD)
    assert found is not None
    return found


_WAYS = [
    {"long_hair": long_hair, "low_neck": low_neck, "narrow": narrow}
    for long_hair in (False, True)
    for low_neck in (False, True)
    for narrow in (False, True)
]


@pytest.mark.parametrize("way", _WAYS, ids=str)
@pytest.mark.parametrize(
    "cloth", [(60, 55, 50), (245, 245, 245), (45, 45, 160), (50, 70, 95), (60, 100, 50), (170, 160, 225)]
)
def test_harmless_clothes_stay_harmless(cloth: Colour, way: dict[str, bool]) -> None:
    """Black like the hair, brown like the skin's hue, or anything else: neither like the backdrop nor blue."""
    profile = profiles.load()
    found = _dressed(cloth, **way)
    assert found.contrast > (profile.rule("C1").low or 0)
    assert found.hue_shares["blue"] < (profile.rule("C2").high or 0)


@pytest.mark.parametrize("way", [way for way in _WAYS if not (way["long_hair"] and way["low_neck"])], ids=str)
def test_clothes_like_the_backdrop_are_seen_under_hair_and_above_skin(way: dict[str, bool]) -> None:
    """Neither long hair nor a low neck is the clothes. Under both together hardly any cloth is left to be seen."""
    assert _dressed(_BACKDROP, **way).contrast < (profiles.load().rule("C1").low or 0)


@pytest.mark.parametrize("way", _WAYS, ids=str)
@pytest.mark.parametrize("cloth", [(90, 40, 30), (130, 90, 70), (180, 90, 40)])
def test_blue_clothes_are_seen_under_hair_and_above_skin(cloth: Colour, way: dict[str, bool]) -> None:
    """Navy, denim, blue."""
    assert _dressed(cloth, **way).hue_shares["blue"] > (profiles.load().rule("C2").high or 1)


def test_hair_done_up_goes_to_a_person_and_is_not_cut_off(portrait: bytes, blue: profiles.Profile) -> None:
    """Nobody is refused for a bun: the head's end under it is guessed, the photo composed, a person looks."""
    plain = inspection.inspect(portrait, blue)
    assert plain.face is not None
    pixels = decoding.decode(portrait, decoding.check(portrait), 1).pixels.copy()
    face = plain.face
    tall = face.chin_y - (face.left_eye[1] + face.right_eye[1]) / 2
    middle = (round(face.centre_x), round(face.crown_y - 0.2 * tall))
    cv2.ellipse(pixels, middle, (round(0.3 * tall), round(0.5 * tall)), 0, 0, 360, (30, 30, 35), -1)
    done_up = cv2.imencode(".jpg", pixels)[1].tobytes()
    report = inspection.inspect(done_up, blue)
    assert (report.verdict, report.reasons) == ("review", ("P1-hair",))
    assert report.crop is not None
    assert report.crop.y <= face.crown_y - 0.7 * tall
    finished = inspection.inspect(composition.compose(done_up, blue, report), blue)
    assert (finished.stage, finished.verdict) == ("finished", "review")


def test_high_hair_lies_inside_the_crop_where_that_is_possible() -> None:
    """The guessed crown keeps P1, and what rises above it is in the photo."""
    target = profiles.load().target
    subject = framing.Subject(1600, 2400, 700.0, 1150.0, 520.0, 800.0, hair_y=470.0)
    crop = framing.plan(subject, target)
    assert target.head_room_px.holds(crop.down(700.0))
    assert target.eyes_px.holds(crop.down(1150.0))
    assert crop.down(470.0) >= 0
