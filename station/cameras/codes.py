"""Capture codes (采集码) in a picture: a photograph or screenshot of a phone, or one frame of a webcam.

Lenient: dim, blurred, small, turned, inverted (dark mode). What a code says is opaque and goes to the caller alone.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kit.errors import Invalid
from photospec import decoding

Grey = NDArray[np.uint8]
Detector = cv2.QRCodeDetector | cv2.QRCodeDetectorAruco

_MAX_BYTES = 32 * 2**20
_MAX_PIXELS = 64_000_000
#: Sides to which a picture is brought before it is looked at; a code of 40 modules wants some 3 pixels a module.
_SIDES_PX = (1000, 1800, 500)
#: A code has 21 modules at least: a picture whose shorter side has fewer dots, as it is or scaled, holds none.
_LEAST_PX = 21
#: Larger than so many times as it is a picture shows nothing new.
_LARGEST_FACTOR = 8.0
#: A picture is looked at in ever stranger clothes for so long; noise, or a busy machine, takes no longer.
PATIENCE_S = 4.0
#: A webcam's frame is looked at no larger than this: the next one comes in a moment.
_FRAME_SIDE_PX = 960


@dataclass(frozen=True, slots=True)
class Look:
    """What one frame of a webcam holds: the codes that were read, and whether there is one that could not be."""

    codes: tuple[str, ...]
    unread: bool


def in_file(content: bytes) -> list[str]:
    """The codes in an image file. Raises Invalid when it is no picture, or one that is too large."""
    return in_image(_opened(content))


def in_frame(content: bytes) -> Look:
    """What a webcam's frame (JPEG or PNG) shows, in little time. Raises Invalid when it is no picture."""
    grey = _opened(content)
    scaled = _scaled(grey, min(1.0, _FRAME_SIDE_PX / max(grey.shape)))
    unread = False
    if scaled is None:
        return Look((), unread)
    # As it is, and a phone in dark mode; a hand that trembles mends the rest by the next frame.
    for variant in (scaled, np.asarray(255 - scaled, np.uint8)):
        found, located = _read(cv2.QRCodeDetectorAruco(), variant)
        if not found and located:
            found, _ = _read(cv2.QRCodeDetector(), variant)
        if found:
            return Look(tuple(found), unread=False)
        unread = unread or located
    return Look((), unread)


def the_one_in(content: bytes) -> str:
    """The code in an image file. Raises Invalid when there is none, or more than one to choose from."""
    found = in_file(content)
    if not found:
        raise Invalid("code-picture-empty")
    if len(found) > 1:
        raise Invalid("code-picture-several", count=len(found))
    return found[0]


def in_image(pixels: NDArray[np.uint8], patience_s: float = PATIENCE_S) -> list[str]:
    """The codes in an (H, W) or (H, W, 3) BGR image, each once; empty when none can be read.

    After `patience_s` no other way to look at it is begun; the first one always is.
    """
    grey: Grey = pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)
    # The first finds more, in less time; the other some that it does not.
    detectors = cv2.QRCodeDetectorAruco(), cv2.QRCodeDetector()
    deadline = time.monotonic() + patience_s
    for variant in _variants(grey):
        for detector in detectors:
            if found := _read(detector, variant)[0]:
                return found
        if time.monotonic() > deadline:
            break
    return []


def _promised(content: bytes) -> int:
    """How many pixels the header of a PNG or JPEG promises; 0 for anything else. A bomb is never unfolded."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return int.from_bytes(content[16:20], "big") * int.from_bytes(content[20:24], "big")
    try:
        width_px, height_px = decoding.upright_size(decoding.check(content))
    except decoding.UnreadableImage:
        return 0
    return width_px * height_px


def _opened(content: bytes) -> Grey:
    """The picture in grey. Raises Invalid for anything that is none, or is too large."""
    if len(content) > _MAX_BYTES or not 0 < _promised(content) <= _MAX_PIXELS:
        raise Invalid("code-picture-unreadable")
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error:
        image = None
    if image is None:
        raise Invalid("code-picture-unreadable")
    return np.asarray(image, np.uint8)


def _variants(grey: Grey) -> Iterator[Grey]:
    """The picture in ever stranger clothes, the likely ones first."""
    longest = max(grey.shape)
    for side in _SIDES_PX:
        scaled = _scaled(grey, min(side / longest, _LARGEST_FACTOR))
        if scaled is None:
            continue
        yield scaled
        yield np.asarray(cv2.createCLAHE(3.0, (8, 8)).apply(scaled), np.uint8)
        yield np.asarray(255 - scaled, np.uint8)
        blurred = cv2.GaussianBlur(scaled, (5, 5), 0)
        yield np.asarray(cv2.threshold(blurred, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1], np.uint8)
        yield np.asarray(cv2.addWeighted(scaled, 2.0, cv2.GaussianBlur(scaled, (0, 0), 3), -1.0, 0), np.uint8)


def _scaled(grey: Grey, factor: float) -> Grey | None:
    """None where no code has room."""
    if min(grey.shape) * min(1.0, factor) < _LEAST_PX:
        return None
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(grey, None, fx=factor, fy=factor, interpolation=interpolation), np.uint8)


def _read(detector: Detector, grey: Grey) -> tuple[list[str], bool]:
    """The codes that are read, and whether one was located."""
    # A quiet zone is what screenshots are cropped of.
    framed = cv2.copyMakeBorder(grey, 24, 24, 24, 24, cv2.BORDER_CONSTANT, value=(255,))
    try:
        ok, texts, _, _ = detector.detectAndDecodeMulti(framed)
    except (cv2.error, UnicodeDecodeError):
        return [], False
    return (sorted({text for text in texts if text}), True) if ok else ([], False)
