"""A file's colours are judged and composed as its profile means them."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from photospec import composition, decoding, inspection, jpeg, profiles
from tests.unit.photospec import nasty, spaces


@pytest.fixture(scope="module")
def pixels(portrait: bytes) -> NDArray[np.uint8]:
    """A sound portrait's."""
    return decoding.decode(portrait, decoding.check(portrait), 2).pixels


@pytest.fixture(scope="module")
def shots(pixels: NDArray[np.uint8]) -> dict[str, bytes]:
    """The same portrait by cameras set to other colours."""
    p3, adobe = (spaces.saved(spaces.shot_in(pixels, space)) for space in ("p3", "adobe"))
    return {
        "Display P3": spaces.tagged(p3, spaces.DISPLAY_P3),
        "Adobe RGB": spaces.tagged(adobe, spaces.ADOBE_RGB),
        "Adobe RGB by name": spaces.named(adobe, 0xFFFF, b"R03\x00"),
    }


SHOTS = ("Display P3", "Adobe RGB", "Adobe RGB by name")


def _backdrop(data: bytes) -> list[float]:
    """Red, green, blue of the upper left corner, whatever the file says of them."""
    bare = jpeg.unremarkable(data, jpeg.read(data))
    corner = decoding.decode(bare, decoding.check(bare), 1).pixels[5:40, 5:40]
    return [float(value) for value in corner.reshape(-1, 3).mean(axis=0)[::-1]]


@pytest.mark.parametrize("name", SHOTS)
def test_other_colours_are_judged_and_composed_as_they_are_meant(
    name: str, shots: dict[str, bytes], blue: profiles.Profile
) -> None:
    """Accepted with a warning that names the setting; the finished photo has the backdrop's colour in sRGB."""
    report = inspection.inspect(shots[name], blue)
    assert [finding.rule_id for finding in report.findings if finding.passed is False] == ["G3-space"]
    assert report.verdict == "accept"
    finished = composition.compose(shots[name], blue, report)
    assert _backdrop(finished) == pytest.approx([100, 197, 255], abs=3)
    assert inspection.inspect(finished, blue).reasons == ()


def test_the_same_numbers_taken_for_srgb_are_off(shots: dict[str, bytes]) -> None:
    """Negative control: without its profile the Adobe RGB file has another backdrop."""
    bare = jpeg.unremarkable(shots["Adobe RGB"], jpeg.read(shots["Adobe RGB"]))
    assert _backdrop(bare) != pytest.approx([100, 197, 255], abs=20)


def test_a_profile_that_means_srgb_changes_nothing(portrait: bytes, blue: profiles.Profile) -> None:
    """Most cameras embed one; the pixels are the very same."""
    tagged = spaces.tagged(portrait, spaces.SRGB)
    plain, other = (decoding.decode(data, decoding.check(data), 2).pixels for data in (portrait, tagged))
    assert (plain == other).all()
    assert [finding.rule_id for finding in inspection.inspect(tagged, blue).findings if finding.passed is False] == []


@pytest.mark.parametrize("broken", [b"", b"rubbish" * 50, spaces.SRGB[:200], b"\xff" * 3000])
def test_a_broken_profile_is_none(broken: bytes, portrait: bytes, blue: profiles.Profile) -> None:
    """As every reader takes it."""
    assert inspection.inspect(spaces.tagged(portrait, broken), blue).verdict == "accept"


def test_colours_that_nobody_can_tell_go_to_a_person(portrait: bytes, blue: profiles.Profile) -> None:
    """A profile of a kind that is not read, or "uncalibrated" with no word of what."""
    for data in (spaces.tagged(portrait, spaces.BY_TABLE), spaces.named(portrait, 0xFFFF, b"R98\x00")):
        assert inspection.inspect(data, blue).reasons == ("G3-space",)
    assert inspection.inspect(spaces.named(portrait, 1, b"R98\x00"), blue).reasons == ()


@pytest.fixture(scope="module")
def finished(portrait: bytes, blue: profiles.Profile) -> bytes:
    """A finished photo without a flaw."""
    return composition.compose(portrait, blue)


def _failed(data: bytes, profile: profiles.Profile) -> dict[str, str]:
    report = inspection.inspect(data, profile)
    return {finding.rule_id: finding.severity for finding in report.findings if finding.passed is False}


def test_a_finished_file_in_other_colours_goes_to_a_person(finished: bytes, blue: profiles.Profile) -> None:
    """Portals show its numbers as they lie."""
    assert _failed(spaces.tagged(finished, spaces.DISPLAY_P3), blue)["G3-profile"] == "review"


@pytest.mark.parametrize("kind", ["exif", "zip", "comment"])
def test_a_finished_file_carries_nothing_but_its_picture(kind: str, finished: bytes, blue: profiles.Profile) -> None:
    """A place in Exif, an archive behind the picture, a long comment: names leave the house with them."""
    spoilt = {
        "exif": nasty.taken(finished, b"2026:05:17 09:30:00"),
        "zip": finished + b"PK\x03\x04" + bytes(12_000),
        "comment": nasty.with_segment(finished, 0xFE, b"x" * 65),
    }[kind]
    assert _failed(spoilt, blue)["G7"] == "review"
    assert _failed(nasty.with_segment(finished, 0xFE, b"CREATOR: gd-jpeg v1.0"), blue) == {}


def test_both_densities_are_asked(finished: bytes, blue: profiles.Profile) -> None:
    """300 across and 72 down is not 300 dpi."""
    at = finished.find(b"JFIF\x00") + 10
    assert _failed(finished[:at] + b"\x00\x48" + finished[at + 2 :], blue) == {"G2-down": "warn"}


def test_the_worse_table_tells_the_quality(finished: bytes, blue: profiles.Profile) -> None:
    """A file of fine lightness and ruined colour is of low quality."""
    photo = decoding.decode(finished, decoding.check(finished), 1).pixels
    settings = [cv2.IMWRITE_JPEG_LUMA_QUALITY, 90, cv2.IMWRITE_JPEG_CHROMA_QUALITY, 3]
    spoilt = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 90, *settings])[1].tobytes()
    assert jpeg.read(spoilt).quality == 3
    assert _failed(spoilt, blue)["G5"] == "reject"
