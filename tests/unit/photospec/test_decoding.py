"""Any bytes may be thrown at the decoder: a clear refusal, bounded memory, no crash."""

from datetime import date

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photospec import decoding, inspection, jpeg, profiles
from tests.unit.photospec import nasty

NASTY = nasty.files()


@pytest.mark.parametrize("name", NASTY)
def test_what_is_no_photo_is_refused_by_name(name: str) -> None:
    """Each kind of wrong file has its rule, its code and its words in both languages, before a pixel is decoded."""
    data, code = NASTY[name]
    with pytest.raises(decoding.UnreadableImage) as refused:
        decoding.check(data)
    refusal = refused.value.refusal
    assert (refused.value.code, refusal.code) == (code, code)
    assert all((refusal.rule_id, refusal.reason_zh, refusal.reason_en, refusal.advice_zh, refusal.advice_en))


def test_a_frame_that_lies_about_its_data_is_refused(blue: profiles.Profile) -> None:
    """A header that promises more than the data hold leads to a refusal, not to a picture half empty."""
    with pytest.raises(decoding.UnreadableImage, match="不完整"):
        inspection.inspect(nasty.with_frame(nasty.jpeg(), width=720, height=960), blue)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_photo_cut_off_and_closed_again_is_refused(
    kept: float, orientation: int, portrait: bytes, blue: profiles.Profile
) -> None:
    """What a recovery program makes of half a file looks whole; the missing part is seen all the same."""
    cut = nasty.turned(portrait[: int(len(portrait) * kept)] + b"\xff\xd9", orientation)
    with pytest.raises(decoding.UnreadableImage, match="不完整"):
        inspection.inspect(cut, blue)


def test_a_print_shops_file_is_refused_by_rule(blue: profiles.Profile) -> None:
    """Four channels can be read, and fail the rule on true colour."""
    report = inspection.inspect(nasty.cmyk(), blue)
    assert {finding.rule_id for finding in report.findings if finding.passed is False} == {"G3", "F1"}


@pytest.mark.parametrize(("written", "expected"), [(b"2026:05:17 09:30:00", date(2026, 5, 17)), (b"0000:00:00", None)])
def test_the_day_of_the_shot_is_read(written: bytes, expected: date | None) -> None:
    """The camera's own date is read where there is a true one."""
    assert jpeg.read(nasty.taken(nasty.jpeg(), written)).shot.taken_on == expected


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    """No bytes lead to anything but the one refusal."""
    with pytest.raises(decoding.UnreadableImage):
        decoding.check(b"\xff\xd8\xff" + data)


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(20, 900), flips=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=6))
def test_a_damaged_photo_is_judged_or_refused_and_never_crashes(
    cut: int, flips: list[tuple[int, int]], blue: profiles.Profile
) -> None:
    """Bytes changed anywhere, or a piece missing, end in a report or in the one refusal."""
    data = bytearray(nasty.jpeg())
    for position, value in flips:
        data[position % len(data)] = value
    if cut < 450:
        del data[cut : cut + 40]
    try:
        report = inspection.inspect(bytes(data), blue)
    except decoding.UnreadableImage:
        return
    assert report.verdict == "reject"


@pytest.mark.parametrize("reduction", [1, 2, 4])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turned_photo_is_decoded_upright(orientation: int, reduction: int) -> None:
    """Orientation stated by the camera is obeyed at every reduction, and the sizes told are the upright ones."""
    data = nasty.turned(nasty.jpeg(), orientation)
    header = decoding.check(data)
    picture = decoding.decode(data, header, reduction)
    assert (picture.width_px, picture.height_px) == ((240, 180) if orientation >= 5 else (180, 240))
    assert picture.pixels.shape[0] == pytest.approx(picture.height_px / reduction, abs=1)
    assert picture.pixels.shape[1] == pytest.approx(picture.width_px / reduction, abs=1)


def test_a_grey_photo_is_refused_by_rule(blue: profiles.Profile, portrait: bytes) -> None:
    """A grey JPEG can be read, and fails the rule on true colour."""
    pixels = cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    report = inspection.inspect(cv2.imencode(".jpg", pixels)[1].tobytes(), blue)
    assert "G3" in report.reasons


def test_a_progressive_photo_is_judged_like_any_other(blue: profiles.Profile, portrait: bytes) -> None:
    """How the camera orders its data makes no difference."""
    pixels = cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    progressive = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert inspection.inspect(progressive, blue).verdict == "accept"


@pytest.mark.parametrize("quality", [1, 25, 50, 59, 60, 75, 90, 100])
def test_the_quality_factor_is_read_from_the_tables(quality: int) -> None:
    """The factor that the encoder used is found again."""
    assert jpeg.read(nasty.jpeg(cv2.IMWRITE_JPEG_QUALITY, quality)).quality == quality


def test_the_density_is_written_and_read() -> None:
    """Stating 300 dpi changes the header alone, also where there was no JFIF header."""
    data = nasty.jpeg()
    bare = data[:2] + data[20:]
    for source in (data, bare):
        stated = jpeg.with_density(source, 300)
        assert jpeg.read(stated).densities_dpi == (300, 300)
        assert stated.endswith(bare[2:])
