"""Decoding with bounded memory and time, from any bytes whatever.

The header is read and judged before a pixel is decoded; then the picture is decoded at the smallest size of 1, 1/2, 1/4
or 1/8 that still serves, since entropy decoding is the floor of the cost and the rest can be saved.
"""

import re
from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from photospec import colours, jpeg, refusals

Pixels = NDArray[np.uint8]
#: A file's content as callers may hold it.
Bytes = bytes | bytearray | memoryview

MAX_BYTES = 64 * 2**20
#: Above every camera that a crew brings (61 megapixels); some 190 MB decoded whole.
MAX_PIXELS = 64_000_000
#: A progressive file is kept whole as coefficients while it is decoded: six bytes a pixel.
MAX_PROGRESSIVE_PIXELS = 32_000_000
#: A progressive file by libjpeg has 10 scans; thousands of them are an attack on the time.
MAX_SCANS = 64
MIN_SIDE_PX = 64
#: A face is looked for at a fixed shorter side, so that the longer one decides what that costs.
MAX_PROPORTION = 4
#: Bytes left over behind a picture: some cameras write one or two of any value, or fill up with noughts. One block of a
#: camera's picture is longer, so a picture that comes out a block short is not taken for one of these.
_LEFT_OVER, _FILLED_UP = 2, 64
#: libjpeg's warnings about a header, which say nothing of the picture.
_OF_HEADER = ("unknown JFIF revision", "Invalid SOS parameters", "bad ICC marker")
_EXTRANEOUS = re.compile(r"(\d+) extraneous bytes before marker 0xd9")

_MAGIC = (
    (b"\x89PNG", "png"),
    (b"GIF8", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"IIRO", "tiff"),
    (b"IIRS", "tiff"),
    (b"IIU\x00", "tiff"),
    (b"FUJIFILMCCD-RAW", "tiff"),
    (b"FOVb", "tiff"),
    (b"\xff\x0a", "jxl"),
    (b"\x00\x00\x00\x0cJXL ", "jxl"),
    (b"\x00\x00\x00\x0cjP  ", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
)
#: Major brands of the container that HEIC shares with films and with one maker's raw files.
_HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1", b"avif", b"avis"})


class UnreadableImage(ValueError):
    """The bytes are not a picture that can be judged; `refusal` says by which rule and what to do."""

    def __init__(self, code: str) -> None:
        self.refusal = refusals.ALL[code]
        super().__init__(f"{self.reason_zh} · {self.reason_en}")

    @property
    def code(self) -> str:
        return self.refusal.code

    @property
    def reason_zh(self) -> str:
        return self.refusal.reason_zh

    @property
    def reason_en(self) -> str:
        return self.refusal.reason_en


@dataclass(frozen=True)
class Picture:
    """A decoded picture, upright: `pixels` is (H, W, 3) uint8 BGR, sRGB, at 1/`reduction` of the file's size.

    Where the file means other colours they are converted; where nobody can tell they are taken for sRGB.
    """

    pixels: Pixels
    reduction: int
    width_px: int
    height_px: int


def whole(data: Bytes) -> bytes:
    """The same as `bytes`. Raises: TypeError, in words, for a path, a file or pixels."""
    if not isinstance(data, Bytes):
        raise TypeError(f"the content of a JPEG file is wanted, as bytes, bytearray or memoryview, not {type(data)}")
    return bytes(data)


def check(data: bytes) -> jpeg.Header:
    """Judge the file before decoding. Raises: UnreadableImage."""
    if not data:
        raise UnreadableImage("empty")
    if len(data) > MAX_BYTES:
        raise UnreadableImage("too_many_bytes")
    if data[:3] != b"\xff\xd8\xff":
        raise UnreadableImage(_kind(data))
    try:
        header = jpeg.read(data)
    except jpeg.Malformed as error:
        raise UnreadableImage("malformed") from error
    _check_frame(header)
    _check_scans(data, header)
    return header


def space_of(header: jpeg.Header) -> colours.Space | None:
    """What its colours mean, None for sRGB or where nobody can tell (see `colour_shift`). A profile comes first."""
    try:
        return _space_of(header)
    except colours.Unknown:
        return None


def colour_shift(header: jpeg.Header) -> float | None:
    """The greatest ΔE between its colours as they are meant and as sRGB; None where nobody can tell."""
    try:
        space = _space_of(header)
    except colours.Unknown:
        return None
    return 0.0 if space is None else space.shift


def _space_of(header: jpeg.Header) -> colours.Space | None:
    profile = colours.read(header.icc) if header.icc else None
    if profile is not None:
        return profile
    if header.shot.colours == "uncalibrated":
        raise colours.Unknown("uncalibrated")
    return colours.adobe() if header.shot.colours == "adobe" else None


def upright_size(header: jpeg.Header) -> tuple[int, int]:
    """Width and height in pixels after the orientation that the file states."""
    turned = header.orientation >= 5
    return (header.height_px, header.width_px) if turned else (header.width_px, header.height_px)


def reduction_for(side_px: float, wanted_px: float) -> int:
    """The greatest of 8, 4, 2, 1 that leaves a side of `side_px` at least `wanted_px` long."""
    return next((reduction for reduction in (8, 4, 2) if side_px / reduction >= wanted_px), 1)


def shrunk(pixels: Pixels, scale: float) -> Pixels:
    """Smaller by `scale` (at most 1), for looking at: halved while that is possible, then interpolated.

    A tenth of the cost of averaging exactly, and no finer than a twentieth of a pixel in what is found in it.
    """
    width, height = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    while pixels.shape[1] >= 2 * width and pixels.shape[0] >= 2 * height:
        half = (pixels.shape[1] // 2, pixels.shape[0] // 2)
        even = pixels[: 2 * half[1], : 2 * half[0]]
        pixels = cv2.resize(even, half, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def decode(data: bytes, header: jpeg.Header, reduction: int) -> Picture:
    """Decode upright at 1/`reduction` (1, 2, 4 or 8), every byte of it looked at. Raises: UnreadableImage."""
    pixels = _decoded(data, header, reduction, "CMYK" if header.components == 4 else "BGR")
    if header.components == 4:  # as print shops and Photoshop write it: inverted
        black = pixels[..., 3:].astype(np.uint16)
        pixels = (pixels[..., 2::-1] * black // 255).astype(np.uint8)
    elif (space := space_of(header)) is not None:
        pixels = space.to_srgb(pixels)
    width_px, height_px = upright_size(header)
    return Picture(_upright(pixels, header.orientation), reduction, width_px, height_px)


def decode_grey(data: bytes, header: jpeg.Header, reduction: int) -> Picture:
    """Its lightness alone, (H, W): two thirds of the time where only edges matter. Raises: UnreadableImage."""
    width_px, height_px = upright_size(header)
    grey = _decoded(data, header, reduction, "GRAY")[..., 0]
    return Picture(_upright(grey, header.orientation), reduction, width_px, height_px)


def _decoded(data: bytes, header: jpeg.Header, reduction: int, channels: str) -> Pixels:
    """(H, W, channels), as it lies in the file; refused where libjpeg so much as warns of the picture's data."""
    if not header.one_scan and not jpeg.complete(data, header):
        raise UnreadableImage("truncated")
    try:
        return _strictly(data, header, reduction, channels)
    except ValueError as error:
        warning = str(error)
    try:
        if any(known in warning for known in _OF_HEADER):
            return _strictly(jpeg.unremarkable(data, header), header, reduction, channels)
        if _harmless(warning, data, header):
            return _strictly(data, header, reduction, channels, strict=False)
    except ValueError as error:
        warning = str(error)
    raise UnreadableImage(_refusal(warning))


def _strictly(data: bytes, header: jpeg.Header, reduction: int, channels: str, *, strict: bool = True) -> Pixels:
    height, width = -(-header.height_px // reduction), -(-header.width_px // reduction)
    pixels: Pixels = simplejpeg.decode_jpeg(
        data, channels, min_height=height, min_width=width, min_factor=reduction, strict=strict
    )
    if pixels.shape[:2] != (height, width):
        raise ValueError("not of the size that its header states")
    return pixels


def _harmless(warning: str, data: bytes, header: jpeg.Header) -> bool:
    """libjpeg tells its first warning alone; this one comes last, so nothing was wrong before it."""
    found = _EXTRANEOUS.search(warning)
    if found is None:
        return False
    left = int(found[1])
    end = data.find(b"\xff\xd9", header.scan_offset)
    return left <= _LEFT_OVER or (left <= _FILLED_UP and not any(data[end - left : end]))


def _refusal(warning: str) -> str:
    lowered = warning.lower()
    if "premature end" in lowered:
        return "truncated"
    return "damaged" if "corrupt" in lowered or "inconsistent" in lowered else "undecodable"


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """As Exif numbers the eight ways to hold a camera or a mirror."""
    if orientation >= 5:
        pixels = cv2.transpose(pixels).astype(np.uint8, copy=False)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return pixels if flip is None else cv2.flip(pixels, flip).astype(np.uint8, copy=False)


def _kind(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "heic" if data[8:12] in _HEIF else "tiff" if data[8:12] == b"crx " else "film"
    if data[:2] == b"BM" and data[6:10] == bytes(4):
        return "bmp"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((code for magic, code in _MAGIC if data.startswith(magic)), "not_jpeg")


def _check_frame(header: jpeg.Header) -> None:
    if header.frame not in jpeg.DECODABLE or header.precision_bits != 8 or header.components not in (1, 3, 4):
        raise UnreadableImage("unsupported")
    if min(header.width_px, header.height_px) < MIN_SIDE_PX:
        raise UnreadableImage("too_small")
    if max(header.width_px, header.height_px) > MAX_PROPORTION * min(header.width_px, header.height_px):
        raise UnreadableImage("too_narrow")
    limit = MAX_PROGRESSIVE_PIXELS if header.progressive else MAX_PIXELS
    if header.width_px * header.height_px > limit:
        raise UnreadableImage("too_many_pixels")


def _check_scans(data: bytes, header: jpeg.Header) -> None:
    # Inside entropy-coded data FF is always followed by 00 or a restart marker, so both searches are exact. Where the
    # first scan holds all channels the file is read in one go, and a further scan ends the decoding.
    if not header.one_scan and data.count(b"\xff\xda", header.scan_offset) >= MAX_SCANS:
        raise UnreadableImage("too_many_scans")
    if data.rfind(b"\xff\xd9", header.scan_offset) < 0:
        raise UnreadableImage("truncated")
