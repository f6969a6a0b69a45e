"""Decoding with bounded memory and time, from any bytes whatever.

The header is read and judged before a pixel is decoded; then the picture is decoded at the smallest size of 1, 1/2, 1/4
or 1/8 that still serves, since entropy decoding is the floor of the cost and the rest can be saved.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from photospec import jpeg

Pixels = NDArray[np.uint8]

MAX_BYTES = 64 * 2**20
#: Above every camera that a crew brings (61 megapixels); some 190 MB decoded whole.
MAX_PIXELS = 64_000_000
#: A progressive file is kept whole as coefficients while it is decoded: six bytes a pixel.
MAX_PROGRESSIVE_PIXELS = 32_000_000
#: A progressive file by libjpeg has 10 scans; thousands of them are an attack on the time.
MAX_SCANS = 64
MIN_SIDE_PX = 64

_WORDS = {
    "empty": ("文件是空的", "the file is empty"),
    "too_many_bytes": ("文件太大（上限 64 MB）", "the file is too big (64 MB at most)"),
    "heic": ("是 HEIC/HEIF 格式，请在相机或手机上改为 JPEG", "it is HEIC/HEIF: set the camera or phone to JPEG"),
    "png": ("是 PNG 格式，只接收 JPEG 原片", "it is PNG: only JPEG originals are taken"),
    "gif": ("是 GIF 格式，只接收 JPEG 原片", "it is GIF: only JPEG originals are taken"),
    "webp": ("是 WebP 格式，只接收 JPEG 原片", "it is WebP: only JPEG originals are taken"),
    "tiff": ("是 TIFF 或 RAW 格式，只接收 JPEG 原片", "it is TIFF or RAW: only JPEG originals are taken"),
    "not_jpeg": ("不是 JPEG 文件", "it is no JPEG file"),
    "malformed": ("JPEG 文件头已损坏", "the JPEG header is damaged"),
    "truncated": ("文件不完整，请重新从相机取片", "the file is cut off: fetch it from the camera again"),
    "unsupported": ("JPEG 编码方式不受支持（只接收 8 位）", "a kind of JPEG that is not taken (8 bits only)"),
    "too_many_pixels": ("像素数超过上限", "more pixels than are taken"),
    "too_small": ("照片太小", "the picture is too small"),
    "too_many_scans": ("渐进扫描次数异常，拒绝解码", "an absurd number of scans: not decoded"),
    "undecodable": ("照片无法解码", "the picture can't be decoded"),
}
_MAGIC = (
    (b"\x89PNG", "png"),
    (b"GIF8", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
)


class UnreadableImage(ValueError):
    """The bytes are not a picture that can be judged; `code` is stable, the words are for people."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.reason_zh, self.reason_en = _WORDS[code]
        super().__init__(f"{self.reason_zh} · {self.reason_en}")


@dataclass(frozen=True)
class Picture:
    """A decoded picture, upright: `pixels` is (H, W, 3) uint8 BGR, sRGB, at 1/`reduction` of the file's size."""

    pixels: Pixels
    reduction: int
    width_px: int
    height_px: int


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


def upright_size(header: jpeg.Header) -> tuple[int, int]:
    """Width and height in pixels after the orientation that the file states."""
    turned = header.orientation >= 5
    return (header.height_px, header.width_px) if turned else (header.width_px, header.height_px)


def reduction_for(side_px: float, wanted_px: float) -> int:
    """The greatest of 8, 4, 2, 1 that leaves a side of `side_px` at least `wanted_px` long."""
    return next((reduction for reduction in (8, 4, 2) if side_px / reduction >= wanted_px), 1)


def decode(data: bytes, header: jpeg.Header, reduction: int) -> Picture:
    """Decode upright at 1/`reduction` (1, 2, 4 or 8). Raises: UnreadableImage."""
    flags = {
        1: cv2.IMREAD_COLOR,
        2: cv2.IMREAD_REDUCED_COLOR_2,
        4: cv2.IMREAD_REDUCED_COLOR_4,
        8: cv2.IMREAD_REDUCED_COLOR_8,
    }
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags[reduction])
    except cv2.error as error:
        raise UnreadableImage("undecodable") from error
    if pixels is None or pixels.ndim != 3:
        raise UnreadableImage("undecodable")
    width_px, height_px = upright_size(header)
    return Picture(pixels.astype(np.uint8, copy=False), reduction, width_px, height_px)


def _kind(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "heic"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((code for magic, code in _MAGIC if data.startswith(magic)), "not_jpeg")


def _check_frame(header: jpeg.Header) -> None:
    if header.frame not in jpeg.DECODABLE or header.precision_bits != 8 or header.components not in (1, 3, 4):
        raise UnreadableImage("unsupported")
    if min(header.width_px, header.height_px) < MIN_SIDE_PX:
        raise UnreadableImage("too_small")
    limit = MAX_PROGRESSIVE_PIXELS if header.progressive else MAX_PIXELS
    if header.width_px * header.height_px > limit:
        raise UnreadableImage("too_many_pixels")


def _check_scans(data: bytes, header: jpeg.Header) -> None:
    # Inside entropy-coded data FF is always followed by 00 or a restart marker, so both searches are exact.
    if data.count(b"\xff\xda", header.scan_offset) >= MAX_SCANS:
        raise UnreadableImage("too_many_scans")
    if data.find(b"\xff\xd9", header.scan_offset) < 0:
        raise UnreadableImage("truncated")
