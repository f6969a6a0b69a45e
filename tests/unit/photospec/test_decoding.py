"""Any bytes may be thrown at the decoder: a clear refusal, bounded memory, no crash."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photospec import decoding, inspection, jpeg, profiles

PICTURE = np.full((240, 180, 3), (255, 197, 100), np.uint8)


def _jpeg(*settings_: int) -> bytes:
    return cv2.imencode(".jpg", PICTURE, list(settings_))[1].tobytes()


def _with_frame(data: bytes, **changes: int) -> bytes:
    """The same file with a frame header that says otherwise."""
    at = next(index for index in range(2, len(data)) if data[index] == 0xFF and data[index + 1] in (0xC0, 0xC2))
    precision, height, width = struct.unpack_from(">BHH", data, at + 4)
    frame = struct.pack(
        ">BHH", changes.get("precision", precision), changes.get("height", height), changes.get("width", width)
    )
    return data[: at + 4] + frame + data[at + 9 :]


def _turned(data: bytes, orientation: int) -> bytes:
    tiff = b"II*\x00\x08\x00\x00\x00\x01\x00" + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + bytes(4)
    payload = b"Exif\x00\x00" + tiff
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + data[2:]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"hello", "not_jpeg"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "png"),
        (b"GIF89a" + bytes(40), "gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(40), "heic"),
        (b"II*\x00" + bytes(40), "tiff"),
        (b"\xff\xd8\xff\xe0\x00\x10JF", "malformed"),
        (b"\xff\xd8\xff\xd9" + bytes(9), "malformed"),
        (bytes(decoding.MAX_BYTES + 1), "too_many_bytes"),
        (_jpeg()[:-40], "truncated"),
        (_with_frame(_jpeg(), precision=12), "unsupported"),
        (_with_frame(_jpeg(), width=65_000, height=65_000), "too_many_pixels"),
        (_with_frame(_jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1), width=8000, height=6000), "too_many_pixels"),
        (_with_frame(_jpeg(), width=20), "too_small"),
        (_jpeg()[:-2] + b"\xff\xda" * 70 + b"\xff\xd9", "too_many_scans"),
    ],
)
def test_what_is_no_photo_is_refused_by_name(data: bytes, code: str) -> None:
    """Each kind of wrong file has its code and its words in both languages, before a pixel is decoded."""
    with pytest.raises(decoding.UnreadableImage) as refused:
        decoding.check(data)
    assert refused.value.code == code
    assert refused.value.reason_zh
    assert refused.value.reason_en


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
    data = bytearray(_jpeg())
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
    data = _turned(_jpeg(), orientation)
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
    assert jpeg.read(_jpeg(cv2.IMWRITE_JPEG_QUALITY, quality)).quality == quality


def test_the_density_is_written_and_read() -> None:
    """Stating 300 dpi changes the header alone, also where there was no JFIF header."""
    data = _jpeg()
    bare = data[:2] + data[20:]
    for source in (data, bare):
        stated = jpeg.with_density(source, 300)
        assert jpeg.read(stated).density_dpi == 300
        assert stated.endswith(bare[2:])
