"""Pictures that hold a capture code, and pictures that hold none or were made to do harm."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from kit.errors import Invalid
from station.cameras import codes

CODE = "XXCJ-7f3A9c0e5b1d48f2a6"


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
