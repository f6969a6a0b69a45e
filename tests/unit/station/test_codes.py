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
    assert codes.in_image(np.asarray(poor[fault], np.uint8), patience_s=600) == [CODE]


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


@pytest.mark.parametrize(("width_px", "height_px"), [(4000, 2), (2, 4000), (2500, 21), (1, 1), (20, 20)])
def test_a_picture_without_room_for_a_code_has_none(
    width_px: int, height_px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A strip or a dot, or what is one once it is scaled: nothing is found, nothing breaks, nothing is looked at."""
    looks = counted(monkeypatch)
    noise = np.random.default_rng(3).integers(0, 256, (height_px, width_px), dtype=np.uint8)
    assert codes.in_file(written(noise)) == []
    assert codes.in_frame(written(noise)).codes == ()
    assert looks == []


def test_a_picture_is_looked_at_for_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is over no other way to look at it is begun; with time enough there are many."""
    looks = counted(monkeypatch)
    noise = np.random.default_rng(3).integers(0, 256, (30, 40), dtype=np.uint8)
    assert codes.in_image(noise, patience_s=0) == []
    hasty = len(looks)
    assert codes.in_image(noise, patience_s=600) == []
    assert hasty == 2
    assert len(looks) > 10 * hasty


def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The size of each picture that is handed to a detector from now on."""
    looks: list[tuple[int, ...]] = []
    read = codes._read

    def counting(detector: codes.Detector, grey: codes.Grey) -> tuple[list[str], bool]:
        looks.append(grey.shape)
        return read(detector, grey)

    monkeypatch.setattr(codes, "_read", counting)
    return looks
