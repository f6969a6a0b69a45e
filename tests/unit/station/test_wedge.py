"""Keys that become codes, and pictures that hold them."""

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kit.errors import Invalid
from station.cameras import codes
from station.readers import wedge

CODE = "XXCJ-7f3A9c0e5b1d48f2a6"


def typed(stream: wedge.KeyStream, text: str, apart_s: float, end: str | None = "Enter") -> list[wedge.Code]:
    """What a stream makes of keys that come `apart_s` after each other."""
    came = [stream.key(key, place * apart_s) for place, key in enumerate(text)]
    at_s = len(text) * apart_s
    came.append(stream.key(end, at_s) if end else stream.tick(at_s + 1))
    return [code for code in came if code]


def test_a_scanner_s_keys_are_a_scan() -> None:
    """Fast keys and an Enter."""
    assert typed(wedge.KeyStream(), CODE, 0.01) == [wedge.Code(CODE, "scanned")]


def test_fingers_are_no_scanner() -> None:
    """Slow keys are what a person typed, however long: it is told apart, not thrown away."""
    assert typed(wedge.KeyStream(), "2020110456", 0.2) == [wedge.Code("2020110456", "typed")]


def test_a_scanner_without_terminator_ends_by_silence() -> None:
    """And the next scan begins anew."""
    stream = wedge.KeyStream()
    assert typed(stream, CODE, 0.01, end=None) == [wedge.Code(CODE, "scanned")]
    assert stream.key("a", 9.0) is None


def test_two_scans_without_terminator_are_two() -> None:
    """The first key of the second one gives the first one."""
    stream = wedge.KeyStream()
    for place, key in enumerate(CODE):
        assert stream.key(key, place * 0.01) is None
    assert stream.key("A", 5.0) == wedge.Code(CODE, "scanned")
    for place, key in enumerate("BCDE"):
        stream.key(key, 5.01 + place * 0.01)
    assert stream.key("\r", 5.1) == wedge.Code("ABCDE", "scanned")


def test_what_is_no_text_is_no_key() -> None:
    """Shift comes with every capital; a stray Enter or a bump on the keyboard is no code."""
    stream = wedge.KeyStream()
    came = [stream.key(key, place * 0.01) for place, key in enumerate(["Shift", *"ABCD", "Control", "Enter"])]
    assert came[-1] == wedge.Code("ABCD", "scanned")
    assert stream.key("Enter", 1.0) is None
    assert typed(stream, "ab", 0.01) == []


def test_an_input_method_left_on_does_no_harm() -> None:
    """Full-width letters become plain ones, and a scanner's own mark goes."""
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in CODE)
    assert typed(wedge.KeyStream(), wide, 0.01) == [wedge.Code(CODE, "scanned")]
    assert wedge.plain(f"]Q1{CODE} ") == CODE


def test_a_stuck_key_does_not_fill_the_memory() -> None:
    """What is too long for any code is forgotten."""
    stream = wedge.KeyStream(longest=100)
    for place in range(1000):
        stream.key("x", place * 0.01)
    assert len(stream._keys) <= 100


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Zs"]), min_size=4, max_size=80))
def test_any_plain_code_comes_through_as_it_was(code: str) -> None:
    """Nothing is lost or added between the scanner and us, but for its mark."""
    if code[:2] not in wedge._AIM:
        assert typed(wedge.KeyStream(), code, 0.005) == [wedge.Code(code, "scanned")]


def test_a_code_is_in_no_repr() -> None:
    """A capture code names a student."""
    assert CODE not in repr(wedge.Code(CODE, "scanned"))


def drawn(content: str, module_px: int = 6) -> NDArray[np.uint8]:
    """A QR code with its quiet zone."""
    modules = np.asarray(cv2.QRCodeEncoder.create().encode(content), np.uint8)
    framed = np.pad(modules, 4, constant_values=255)
    return np.kron(framed, np.ones((module_px, module_px), np.uint8))


def written(image: NDArray[np.uint8], kind: str = ".png") -> bytes:
    return bytes(cv2.imencode(kind, image)[1])


def test_a_screenshot_is_read() -> None:
    """A code on a white page, as PNG and as JPEG."""
    page = np.full((1600, 900), 255, np.uint8)
    code = drawn(CODE)
    page[500 : 500 + code.shape[0], 200 : 200 + code.shape[1]] = code
    assert codes.in_file(written(page)) == [CODE]
    assert codes.in_file(written(page, ".jpg")) == [CODE]


def test_one_code_is_wanted() -> None:
    """A picture of one code is that code; none, or two phones side by side, are refused."""
    one, other = drawn(CODE), drawn(f"{CODE}-other")
    high = max(one.shape[0], other.shape[0])
    both = np.hstack(
        [np.pad(code, ((0, high - code.shape[0]), (40, 40)), constant_values=255) for code in (one, other)]
    )
    assert codes.the_one_in(written(one)) == CODE
    with pytest.raises(Invalid, match="code-picture-several"):
        codes.the_one_in(written(both))
    with pytest.raises(Invalid, match="code-picture-empty"):
        codes.the_one_in(written(np.full((60, 60), 200, np.uint8)))


@pytest.mark.parametrize("fault", ["dark mode", "dim", "no quiet zone", "noisy", "turned", "blurred", "small"])
def test_a_poor_picture_is_read(fault: str) -> None:
    """What phones and halls do to a code."""
    code = drawn(CODE, 8)
    random = np.random.default_rng(7)
    poor: dict[str, Any] = {
        "dark mode": 255 - code,
        "dim": code * 0.12 + 20,
        "no quiet zone": code[32:-32, 32:-32],
        "noisy": np.clip(code * 0.6 + 50 + random.normal(0, 25, code.shape), 0, 255),
        "turned": cv2.warpAffine(
            np.pad(code, 80, constant_values=255),
            cv2.getRotationMatrix2D((code.shape[1] / 2 + 80, code.shape[0] / 2 + 80), 17, 1),
            (code.shape[1] + 160, code.shape[0] + 160),
            borderValue=(255,),
        ),
        "blurred": cv2.GaussianBlur(code, (0, 0), 2.5),
        "small": cv2.resize(code, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA),
    }
    assert codes.in_image(np.asarray(poor[fault], np.uint8)) == [CODE]


def test_a_picture_without_code_has_none() -> None:
    """A blank page says nothing."""
    assert codes.in_image(np.full((60, 60), 200, np.uint8)) == []


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n" + bytes(4) + b"IHDR" + b"\x7f\xff\xff\xff" * 2]
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    """Other files, and a header that promises more pixels than memory holds."""
    with pytest.raises(Invalid, match="code-picture-unreadable"):
        codes.in_file(content)
