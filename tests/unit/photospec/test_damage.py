"""Pictures that a card, a cable or a recovery program has spoilt are refused, whatever still can be seen of them."""

import re

import cv2
import numpy as np
import pytest

from photospec import decoding, inspection, jpeg, profiles
from services.capture.store import images
from tests.unit.photospec import nasty

_CLUSTER = 4096


@pytest.fixture(scope="module")
def grainy(portrait: bytes) -> bytes:
    """A sound portrait with a sensor's grain, so that its data are as long as a camera's."""
    return _grainy(portrait)


@pytest.fixture(scope="module")
def progressive(portrait: bytes) -> bytes:
    """The same, in ten scans."""
    return _grainy(portrait, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)


def _grainy(portrait: bytes, *settings: int) -> bytes:
    pixels = decoding.decode(portrait, decoding.check(portrait), 1).pixels
    grain = np.random.default_rng(5).normal(0, 3, (*pixels.shape[:2], 1)).astype(np.float32)
    changed = np.clip(pixels + grain, 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", changed, [cv2.IMWRITE_JPEG_QUALITY, 90, *settings])[1].tobytes()


def _zeroed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes(_CLUSTER) + data[at + _CLUSTER :]


def _dropped(data: bytes, at: int) -> bytes:
    return data[:at] + data[at + _CLUSTER :]


def _foreign(data: bytes, at: int) -> bytes:
    return data[:at] + data[2000 : 2000 + 8 * _CLUSTER] + data[at + 8 * _CLUSTER :]


def _code(data: bytes, reduction: int = 8) -> str:
    try:
        decoding.decode(data, decoding.check(data), reduction)
    except decoding.UnreadableImage as refused:
        return refused.code
    return "sound"


@pytest.mark.parametrize("reduction", [1, 8])
@pytest.mark.parametrize("place", [0.1, 0.5, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("spoil", [_zeroed, _dropped, _foreign])
def test_a_picture_spoilt_in_its_middle_is_refused(spoil: object, place: float, reduction: int, grainy: bytes) -> None:
    """A cluster of noughts, a cluster lost, a cluster of another file: whoever looks sees orange, magenta or grey."""
    assert callable(spoil)
    spoilt = spoil(grainy, int(place * len(grainy)))
    assert _code(spoilt, reduction) in ("truncated", "damaged")
    assert not images._readable(spoilt)


def test_the_same_pictures_unspoilt_are_sound(grainy: bytes, progressive: bytes, blue: profiles.Profile) -> None:
    """Negative control: what the tests above and below spoil is accepted as it was."""
    for data in (grainy, progressive):
        assert inspection.inspect(data, blue).verdict == "accept"
        assert images._readable(data)


@pytest.mark.parametrize("kept", [0.3, 0.5, 0.7, 0.9, 0.98, 0.998])
def test_a_progressive_picture_cut_off_and_closed_again_is_refused(kept: float, progressive: bytes) -> None:
    """Its coarse scans show the whole picture, which is then soft or off in colour."""
    assert _code(progressive[: int(kept * len(progressive))] + b"\xff\xd9") == "truncated"


def test_a_progressive_picture_without_its_last_scans_is_refused(progressive: bytes) -> None:
    """Cut exactly between two scans there is nothing that a decoder would miss."""
    scans = [found.start() for found in re.finditer(b"\xff\xda", progressive)]
    assert len(scans) > 5
    assert {_code(progressive[:scan] + b"\xff\xd9") for scan in scans[1:]} == {"truncated"}


def test_a_picture_of_several_scans_wants_all_its_channels() -> None:
    """One scan a channel, as some scanners write it: the last one left out is colour left out."""
    whole = _channel_by_channel()
    scans = [found.start() for found in re.finditer(b"\xff\xda", whole)]
    assert _code(whole) == "sound"
    assert _code(whole[: scans[2]] + b"\xff\xd9") == "truncated"


def _channel_by_channel() -> bytes:
    """A flat picture in three scans of one channel each."""
    data = nasty.jpeg(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
    header = jpeg.read(data)
    scan = data[header.scan_offset - header.scan_bytes : header.scan_offset]
    blocks = -(-header.width_px // 8) * -(-header.height_px // 8)
    bits = {1: "00" + "1010", 2: "00" + "00", 3: "00" + "00"}  # no difference in DC, end of block: ITU-T T.81 annex K
    scans = b""
    for channel, block in bits.items():
        tables = scan[6 + 2 * (channel - 1) : 7 + 2 * (channel - 1)]
        text = block * blocks
        text += "1" * (-len(text) % 8)
        body = int(text, 2).to_bytes(len(text) // 8, "big")
        scans += b"\xff\xda\x00\x08\x01" + bytes([channel]) + tables + b"\x00\x3f\x00" + body
    return data[: header.scan_offset - header.scan_bytes] + scans + b"\xff\xd9"


def _with_sos(data: bytes, bounds: bytes) -> bytes:
    at = jpeg.read(data).scan_offset
    return data[: at - 3] + bounds + data[at:]


def test_what_cameras_are_known_to_write_is_no_damage(grainy: bytes, progressive: bytes) -> None:
    """Fill bytes before the end, data behind it, odd headers: libjpeg warns, and the picture is whole."""
    jfif = grainy.find(b"JFIF\x00") + 5
    odd = {
        "filled up": grainy[:-2] + bytes(40) + grainy[-2:],
        "one byte more": grainy[:-2] + b"\x17" + grainy[-2:],
        "archive behind": grainy + b"PK\x03\x04" + bytes(9000),
        "JFIF of tomorrow": grainy[:jfif] + b"\x07" + grainy[jfif + 1 :],
        "JFIF of tomorrow, progressive": progressive.replace(b"JFIF\x00\x01", b"JFIF\x00\x07", 1),
        "bounds left at nought": _with_sos(grainy, bytes(3)),
        "profile in pieces": nasty.with_segment(grainy, 0xE2, b"ICC_PROFILE\x00\x02\x05" + bytes(300)),
        "maker's segments": nasty.with_segment(grainy, 0xE9, b"\xff\xd8\xff\xd9" * 90, 3),
    }
    assert {name: _code(data) for name, data in odd.items()} == dict.fromkeys(odd, "sound")


def test_odd_headers_hide_no_damage(grainy: bytes) -> None:
    """A harmless warning comes first and is the only one that is told; the damage behind it is seen all the same."""
    jfif = grainy.find(b"JFIF\x00") + 5
    spoilt = _zeroed(grainy, len(grainy) // 2)
    assert _code(spoilt[:jfif] + b"\x07" + spoilt[jfif + 1 :]) in ("truncated", "damaged")
    assert _code(_with_sos(spoilt, bytes(3))) in ("truncated", "damaged")
    assert _code(grainy[:-2] + bytes(400) + grainy[-2:]) == "damaged"
    assert _code(grainy[:-2] + b"\x17" * 9 + grainy[-2:]) == "damaged"
