"""Files that nobody should be able to hurt the photo standard with. All are made here; no portrait is among them."""

import struct

import cv2
import numpy as np

PICTURE = np.full((240, 180, 3), (255, 197, 100), np.uint8)
#: One MCU of four flat blocks in the example Huffman tables of ITU-T T.81: no difference in DC, end of block.
_FLAT_MCU = b"\x28\xa2\x8a"


def jpeg(*settings: int) -> bytes:
    """A small flat JPEG."""
    return cv2.imencode(".jpg", PICTURE, list(settings))[1].tobytes()


def with_frame(data: bytes, **changes: int) -> bytes:
    """The same file with a frame header that says otherwise."""
    at = next(index for index in range(2, len(data)) if data[index] == 0xFF and data[index + 1] in (0xC0, 0xC2))
    precision, height, width = struct.unpack_from(">BHH", data, at + 4)
    frame = struct.pack(
        ">BHH", changes.get("precision", precision), changes.get("height", height), changes.get("width", width)
    )
    marker = bytes([changes.get("marker", data[at + 1])])
    return data[: at + 1] + marker + data[at + 2 : at + 4] + frame + data[at + 9 :]


def turned(data: bytes, orientation: int) -> bytes:
    """The same file, whose Exif block says how the camera was held."""
    tiff = b"II*\x00\x08\x00\x00\x00\x01\x00" + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + bytes(4)
    return with_segment(data, 0xE1, b"Exif\x00\x00" + tiff)


def taken(data: bytes, when: bytes) -> bytes:
    """The same file, whose Exif block says when the shutter was released."""
    pointer = struct.pack("<HHHIIIHHHII", 1, 0x8769, 4, 1, 26, 0, 1, 0x9003, 2, 20, 44)
    return with_segment(data, 0xE1, b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + pointer + bytes(4) + when.ljust(20, b"\0"))


def with_segment(data: bytes, marker: int, payload: bytes, times: int = 1) -> bytes:
    """The same file with a segment after its start, once or thousands of times."""
    segment = bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload
    return data[:2] + segment * times + data[2:]


def cmyk(side: int = 256) -> bytes:
    """A flat four-channel JPEG, as print shops send them."""
    tables = _huffman_tables(jpeg())
    frame = struct.pack(">BHHB", 8, side, side, 4) + b"".join(bytes([i, 0x11, 0]) for i in range(1, 5))
    scan = b"\x04" + b"".join(bytes([i, 0]) for i in range(1, 5)) + b"\x00\x3f\x00"
    quantisation = b"\xff\xdb" + struct.pack(">H", 67) + b"\x00" + bytes([8] * 64)
    body = _FLAT_MCU * ((side // 8) ** 2)
    return (
        b"\xff\xd8" + quantisation + b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame + tables
        + b"\xff\xda" + struct.pack(">H", len(scan) + 2) + scan + body + b"\xff\xd9"
    )  # fmt: skip


def _huffman_tables(data: bytes) -> bytes:
    """All DHT segments of a file."""
    found, at = b"", 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        found += data[at:end] if data[at + 1] == 0xC4 else b""
        at = end
    return found


def files() -> dict[str, tuple[bytes, str]]:
    """Name to bytes and the code by which they are refused, before a pixel is decoded."""
    progressive = jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 0x7FFFFFFF, 0x7FFFFFFF, 8, 2, 0, 0, 0)
    return {
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"hello", "not_jpeg"),
        "noughts.jpg": (bytes(5000), "not_jpeg"),
        "bomb.png": (bomb + bytes(40), "png"),
        "renamed.jpg": (b"\x00\x00\x00\x18ftypheic" + bytes(40), "heic"),
        "header.jpg": (b"\xff\xd8\xff\xe0\x00\x10JF", "malformed"),
        "no-frame.jpg": (b"\xff\xd8\xff\xd9" + bytes(9), "malformed"),
        "segments.jpg": (with_segment(jpeg(), 0xEF, b"", 400_000), "malformed"),
        "fill.jpg": (b"\xff\xd8" + b"\xff" * 2_000_000, "malformed"),
        "cut.jpg": (jpeg()[:-40], "truncated"),
        "12-bit.jpg": (with_frame(jpeg(), precision=12), "unsupported"),
        "arithmetic.jpg": (with_frame(jpeg(), marker=0xC9), "unsupported"),
        "lossless.jpg": (with_frame(jpeg(), marker=0xC3), "unsupported"),
        "bomb.jpg": (with_frame(jpeg(), width=65_000, height=65_000), "too_many_pixels"),
        "progressive-bomb.jpg": (with_frame(progressive, width=8000, height=6000), "too_many_pixels"),
        "tiny.jpg": (with_frame(jpeg(), width=20), "too_small"),
        "strip.jpg": (with_frame(jpeg(), width=65_500, height=64), "too_narrow"),
        "scans.jpg": (progressive[:-2] + b"\xff\xda" * 70 + b"\xff\xd9", "too_many_scans"),
    }
