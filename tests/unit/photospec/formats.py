"""Pictures of every kind that might be handed in for a photo, written by real encoders where OpenCV has one."""

import struct

import cv2
import numpy as np

from tests.unit.photospec import nasty

_DEEP = np.full((240, 180, 3), (65_000, 50_000, 25_000), np.uint16)


def others() -> dict[str, tuple[bytes, str]]:
    """Name to bytes and refusal, of pictures that are sound and no JPEG."""
    return {
        "sound.png": (_encoded(".png", nasty.PICTURE), "png"),
        "16-bit.png": (_encoded(".png", _DEEP), "png"),
        "transparent.png": (_encoded(".png", np.full((240, 180, 4), 128, np.uint8)), "png"),
        "animated.png": (_animated(".png"), "png"),
        "sound.tif": (_encoded(".tif", nasty.PICTURE), "tiff"),
        "16-bit.tif": (_encoded(".tif", _DEEP), "tiff"),
        "motorola.tif": (b"MM\x00*\x00\x00\x00\x08" + bytes(40), "tiff"),
        "big.tif": (b"II+\x00\x08\x00\x00\x00" + bytes(40), "tiff"),
        "animated.gif": (_animated(".gif"), "gif"),
        "sound.webp": (_encoded(".webp", nasty.PICTURE), "webp"),
        "animated.webp": (_animated(".webp"), "webp"),
        "sound.bmp": (_encoded(".bmp", nasty.PICTURE), "bmp"),
        "run-length.bmp": (_run_length_bmp(), "bmp"),
        "sound.avif": (_container(b"avif", b"mif1"), "heic"),
        "phone.heic": (_container(b"heic", b"mif1"), "heic"),
        "burst.heics": (_container(b"msf1", b"hevc"), "heic"),
        "live.mov": (_container(b"qt  ", b"qt  "), "film"),
        "film.mp4": (_container(b"isom", b"avc1"), "film"),
        "canon.cr3": (_container(b"crx ", b"isom"), "tiff"),
        "nikon.nef": (b"MM\x00*\x00\x00\x00\x08" + bytes(40), "tiff"),
        "olympus.orf": (b"IIRO\x08\x00\x00\x00" + bytes(40), "tiff"),
        "panasonic.rw2": (b"IIU\x00\x08\x00\x00\x00" + bytes(40), "tiff"),
        "fuji.raf": (b"FUJIFILMCCD-RAW 0201FF129502" + bytes(40), "tiff"),
        "sigma.x3f": (b"FOVb\x00\x00\x03\x00" + bytes(40), "tiff"),
        "naked.jxl": (b"\xff\x0a\xfa\x1f\x01" + bytes(40), "jxl"),
        "boxed.jxl": (b"\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a" + _container(b"jxl ", b"jxl "), "jxl"),
        "boxed.jp2": (b"\x00\x00\x00\x0cjP  \x0d\x0a\x87\x0a" + _container(b"jp2 ", b"jp2 "), "jp2"),
        "naked.j2k": (b"\xff\x4f\xff\x51\x00\x29" + bytes(40), "jp2"),
        "photoshop.psd": (b"8BPS\x00\x01" + bytes(40), "not_jpeg"),
        "scan.pdf": (b"%PDF-1.7\n" + bytes(40), "not_jpeg"),
        "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_jpeg"),
        "page.html": (b"<!doctype html><title>404</title>", "not_jpeg"),
        "photos.zip": (b"PK\x03\x04" + bytes(40), "not_jpeg"),
        "BMW.txt": (b"BMW owner", "not_jpeg"),
    }


def jpegs(portrait: bytes) -> dict[str, bytes]:
    """Name to bytes: odd JPEGs of a sound portrait that are judged like the plain one."""
    pixels = cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR]
    return {
        "plain": portrait,
        "progressive": _saved(pixels, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "restarts": _saved(pixels, cv2.IMWRITE_JPEG_RST_INTERVAL, 4),
        "optimised": _saved(pixels, cv2.IMWRITE_JPEG_OPTIMIZE, 1),
        "4:4:4": _saved(pixels, *sampling, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
        "4:1:1": _saved(pixels, *sampling, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411),
        "4:4:0": _saved(pixels, *sampling, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440),
        "trailing noughts": portrait + bytes(100_000),
        "trailing archive": portrait + b"PK\x03\x04" + b"\xff\xda\xff\xd8\xff\xd9" * 1000,
        "multi-picture": mpo(portrait),
        "thumbnail inside": nasty.with_segment(portrait, 0xE1, b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + nasty.jpeg()),
        "profile in pieces": nasty.with_segment(portrait, 0xE2, b"ICC_PROFILE\x00\x01\x64" + bytes(60_000), 100),
        "fill bytes": portrait[:2] + b"\xff" * 500 + portrait[2:],
        "comment of commands": nasty.with_segment(portrait, 0xFE, b"<script>\x1b]0;owned\x07</script>"),
        "Exif in a circle": nasty.with_segment(portrait, 0xE1, _circle()),
        "Exif of lies": nasty.with_segment(portrait, 0xE1, b"Exif\x00\x00MM\x00*\xff\xff\xff\xff" + b"\xff" * 200),
    }


def mpo(first: bytes) -> bytes:
    """Two pictures in one file, as stereo cameras and some phones write it."""
    index = b"MPF\x00II*\x00\x08\x00\x00\x00\x01\x00" + struct.pack("<HHII", 0xB001, 4, 1, 2) + bytes(4)
    return nasty.with_segment(first, 0xE2, index) + nasty.jpeg()


def rich() -> bytes:
    """A JPEG with every kind of segment that a camera writes, restarts and several scans."""
    data = nasty.jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 2)
    for marker, payload in (
        (0xFE, b"a comment"),
        (0xED, b"Photoshop 3.0\x008BIM" + bytes(20)),
        (0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x01"),
        (0xE2, b"ICC_PROFILE\x00\x01\x01" + bytes(200)),
    ):
        data = nasty.with_segment(data, marker, payload)
    return nasty.taken(data, b"2026:05:17 09:30:00")


def places(data: bytes) -> list[int]:
    """Where the markers of a JPEG stand, restarts and scans included."""
    return [
        at for at in range(len(data) - 1) if data[at] == 0xFF and data[at + 1] not in (0x00, 0xFF)
    ]  # fmt: skip


def _circle() -> bytes:
    """An Exif directory whose own sub-directory it is."""
    return b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + struct.pack("<HHHII", 1, 0x8769, 4, 1, 8) + struct.pack("<I", 8)


def _encoded(suffix: str, pixels: cv2.typing.MatLike) -> bytes:
    return cv2.imencode(suffix, pixels)[1].tobytes()


def _saved(pixels: cv2.typing.MatLike, *settings: int) -> bytes:
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 88, *settings])[1].tobytes()


def _animated(suffix: str) -> bytes:
    film = cv2.Animation()
    film.frames = [np.full((80, 80, 3), shade, np.uint8) for shade in (0, 90, 180)]
    film.durations = [50, 50, 50]
    return cv2.imencodeanimation(suffix, film)[1].tobytes()


def _container(brand: bytes, other: bytes) -> bytes:
    return struct.pack(">I4s4sI4s", 20, b"ftyp", brand, 0, other) + bytes(200)


def _run_length_bmp() -> bytes:
    """Eight bits, packed by runs, of a width that no memory holds."""
    palette = bytes(1024)
    header = struct.pack("<IiiHHIIiiII", 40, 0x7FFFFFF0, 0x7FFFFFF0, 1, 8, 1, 4, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1082, 0, 0, 1078) + header + palette + b"\x00\x01\x00\x01"
