"""The marker segments of a JPEG file, read without decoding a pixel.

Only the stated facts are read: size, components, density, quantisation tables, orientation. Every length is checked, so
that any bytes may be thrown at it.
"""

import re
import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from photospec import exif

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
#: Start-of-frame markers; C4, C8 and CC are tables that lie in the same range.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = 0xC2
#: What libjpeg decodes: baseline, extended sequential and progressive, Huffman coded.
DECODABLE = frozenset({0xC0, 0xC1, PROGRESSIVE})
#: A header of a 2 MB colour profile and a preview in segments of 64 KB has some 200 segments.
_MOST_SEGMENTS, _MOST_FILL = 2000, 1000
#: The luminance table of ITU-T T.81 annex K, which every quality factor scales (in the order of the annex).
_ANNEX_K_LUMINANCE = np.array(
    [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14,
        17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49,
        64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99
    ],
    dtype=np.int64,
)  # fmt: skip
_ANNEX_K_CHROMINANCE = np.full((8, 8), 99, np.int64)
_ANNEX_K_CHROMINANCE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
#: What a profile may hold at most; those of cameras have some kilobytes.
_MOST_ICC = 4 * 2**20


class Malformed(ValueError):
    """The bytes are not a JPEG file that can be read."""


@dataclass(frozen=True)
class Header:
    """What a JPEG says about itself before its picture data, which begin at `scan_offset`.

    `scan_bytes`: length of the scan's own marker segment before that. `densities_dpi`: across and down. `icc`: the
    colour profile, put together. `remarks_bytes`: what is there beside the picture, such as Exif, previews, comments.
    `tables`: of quantisation, luminance first.
    """

    width_px: int
    height_px: int
    precision_bits: int
    components: int
    frame: int
    scan_offset: int
    scan_bytes: int = 0
    scan_components: int = 0
    shot: exif.Exif = field(default_factory=exif.Exif)
    densities_dpi: tuple[float, float] | None = None
    icc: bytes = field(default=b"", repr=False)
    remarks_bytes: int = 0
    tables: tuple[tuple[int, ...], ...] = field(default=(), repr=False)

    @property
    def progressive(self) -> bool:
        return self.frame == PROGRESSIVE

    @property
    def one_scan(self) -> bool:
        """Whether the first scan holds the whole picture."""
        return not self.progressive and self.scan_components == self.components

    @property
    def orientation(self) -> int:
        return self.shot.orientation

    @property
    def quality(self) -> int | None:
        """The libjpeg quality factor, 1 to 100, whose table lies nearest to the file's; of the worst of its tables."""
        standard = [_ANNEX_K_LUMINANCE, *[_ANNEX_K_CHROMINANCE] * (len(self.tables) - 1)]
        return min((_quality(sum(own), table) for own, table in zip(self.tables, standard, strict=False)), default=None)


def read(data: bytes) -> Header:
    """Read the header. Raises: Malformed, in words that name no content."""
    if data[:2] != b"\xff\xd8":
        raise Malformed("no start-of-image marker")
    facts = _Facts()
    position = 2
    for _ in range(_MOST_SEGMENTS):
        marker, start, end = _segment(data, position)
        if marker == SOS:
            return facts.header(end, end - position, data[start] if end > start else 0)
        facts.take(marker, data[start:end])
        position = end
    raise Malformed("more segments than any encoder writes")


def with_density(data: bytes, dpi: int) -> bytes:
    """The same JPEG with `dpi` written into its JFIF header, which is added where there is none."""
    jfif = b"JFIF\x00\x01\x01\x01" + struct.pack(">HHBB", dpi, dpi, 0, 0)
    segment = b"\xff\xe0" + struct.pack(">H", len(jfif) + 2) + jfif
    marker, start, end = _segment(data, 2)
    rest = data[end:] if marker == 0xE0 and data[start : start + 5] == b"JFIF\x00" else data[2:]
    return data[:2] + segment + rest


def unremarkable(data: bytes, header: Header) -> bytes:
    """The same picture without what libjpeg would warn of in a header that is otherwise sound.

    That is an unknown JFIF revision, a colour profile in pieces that don't fit, and a sequential scan's bounds, which
    some cameras leave at nought.
    """
    parts, position = [data[:2]], 2
    while True:
        marker, start, end = _segment(data, position)
        if marker == SOS:
            bounds = data[end - 3 : end] if header.progressive else _ALL_COEFFICIENTS
            return b"".join([*parts, data[position : end - 3], bounds, data[end:]])
        if marker == 0xE0 and data[start : start + 5] == b"JFIF\x00":
            parts.append(data[position : start + 5] + b"\x01\x01" + data[start + 7 : end])
        elif marker != 0xE2:
            parts.append(data[position:end])
        position = end


def complete(data: bytes, header: Header) -> bool:
    """Whether a file of several scans holds every bit of every coefficient of all its channels.

    A file that ends between two scans and is closed again is read without a word, and is coarse or grey.
    """
    missing: dict[int, list[int]] = {}  # channel to the lowest bit still missing of each coefficient, one-based
    position = header.scan_offset - header.scan_bytes
    while (scan := _next_scan(data, position)) is not None:
        channels, bounds, position = scan
        first, last, low = bounds if header.progressive else _ALL_COEFFICIENTS
        for channel in channels:
            bits = missing.setdefault(channel, [_NOT_BEGUN] * 64)
            bits[first : last + 1] = [min(known, low & 15) for known in bits[first : last + 1]]
    return len(missing) == header.components and not any(any(bits) for bits in missing.values())


_NOT_BEGUN = 99
#: What a sequential scan states as its first and last coefficient and their bits.
_ALL_COEFFICIENTS = b"\x00\x3f\x00"
#: A marker in or behind entropy-coded data that is neither a stuffed nought, a restart nor a fill byte.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def _next_scan(data: bytes, position: int) -> tuple[bytes, bytes, int] | None:
    """Its channels, its bounds (first and last coefficient, bits), where its data begin; None where no scan follows."""
    while (found := _MARKER.search(data, position)) is not None and found[0][1] != EOI:
        try:
            marker, start, end = _segment(data, found.start())
        except Malformed:
            return None
        if marker == SOS:
            return data[start + 1 : end - 3 : 2], data[end - 3 : end], end
        position = end
    return None


def end(data: bytes, header: Header) -> int:
    """Where the picture ends; what stands behind it belongs to no picture, or to another."""
    position = header.scan_offset - header.scan_bytes
    while not header.one_scan and (scan := _next_scan(data, position)) is not None:
        position = scan[2]
    found = data.find(b"\xff\xd9", max(position, header.scan_offset))
    return len(data) if found < 0 else found + 2


def _segment(data: bytes, position: int) -> tuple[int, int, int]:
    """The marker at `position` and where its payload begins and ends."""
    if position + 4 > len(data) or data[position] != 0xFF:
        raise Malformed("the header breaks off or holds no marker where one must be")
    fill = 0
    while data[position + 1] == 0xFF and position + 5 < len(data):  # fill bytes are allowed before a marker
        position, fill = position + 1, fill + 1
        if fill > _MOST_FILL:
            raise Malformed("more fill bytes than any encoder writes")
    marker = data[position + 1]
    if marker in (0x00, 0x01, SOI, EOI) or 0xD0 <= marker <= 0xD7:
        raise Malformed("a marker that can't stand in a header")
    length = int.from_bytes(data[position + 2 : position + 4], "big")
    end = position + 2 + length
    if length < 2 or end > len(data):
        raise Malformed("a segment longer than the file")
    return marker, position + 4, end


class _Facts:
    def __init__(self) -> None:
        self.frame: tuple[int, int, int, int, int] | None = None
        self.exif: exif.Exif | None = None
        self.jfif: tuple[float, float] | None = None
        self.profile: dict[int, bytes] = {}
        self.profile_parts = 0
        self.remarks_bytes = 0
        self.tables: dict[int, bytes] = {}

    def take(self, marker: int, payload: bytes) -> None:
        if marker in FRAMES:
            self._frame(marker, payload)
        elif marker == 0xDB:
            self._tables(payload)
        elif marker == 0xE0 and payload[:5] == b"JFIF\x00" and len(payload) >= 12:
            across, down = (exif.dpi(payload[7], int.from_bytes(payload[at : at + 2], "big")) for at in (8, 10))
            self.jfif = None if across is None or down is None else (across, down)
            self.remarks_bytes += len(payload) - 14  # a preview in it
        elif marker == 0xE2 and payload[:12] == b"ICC_PROFILE\x00" and len(payload) > 14:
            self.profile_parts = payload[13]
            self.profile[payload[12]] = payload[14:]
        elif 0xE0 <= marker <= 0xEF or marker == 0xFE:
            self.remarks_bytes += 0 if marker == 0xEE and payload[:5] == b"Adobe" else len(payload)
            if marker == 0xE1 and payload[:6] == b"Exif\x00\x00" and self.exif is None:  # the first counts
                self.exif = exif.read(payload[6:])

    def _frame(self, marker: int, payload: bytes) -> None:
        if self.frame is not None or len(payload) < 6:
            raise Malformed("the frame header is missing, doubled or broken")
        precision, height, width, components = struct.unpack(">BHHB", payload[:6])
        self.frame = (marker, precision, height, width, components)

    def _tables(self, payload: bytes) -> None:
        at = 0
        while at < len(payload):
            wide, number = payload[at] >> 4, payload[at] & 15
            end = at + 1 + (128 if wide else 64)
            if end > len(payload):
                raise Malformed("a quantisation table breaks off")
            self.tables[number] = payload[at + 1 : end]
            at = end

    def header(self, scan_offset: int, scan_bytes: int, scan_components: int) -> Header:
        if self.frame is None:
            raise Malformed("no frame header before the picture data")
        marker, precision, height, width, components = self.frame
        said = self.exif or exif.Exif()
        return Header(
            width_px=width,
            height_px=height,
            precision_bits=precision,
            components=components,
            frame=marker,
            scan_offset=scan_offset,
            scan_bytes=scan_bytes,
            scan_components=scan_components,
            shot=said,
            densities_dpi=self.jfif or said.densities_dpi,
            icc=self._icc(),
            remarks_bytes=self.remarks_bytes,
            tables=tuple(_numbers(self.tables[number]) for number in sorted(self.tables)),
        )

    def _icc(self) -> bytes:
        """Nothing where a piece is missing: everybody takes such a profile for none."""
        whole = set(self.profile) == set(range(1, self.profile_parts + 1))
        pieces = [self.profile[number] for number in sorted(self.profile)] if whole else []
        return b"".join(pieces) if sum(map(len, pieces)) <= _MOST_ICC else b""


def _numbers(table: bytes) -> tuple[int, ...]:
    return tuple(int(value) for value in np.frombuffer(table, ">u2" if len(table) == 128 else "u1"))


def _quality(total: int, standard: NDArray[np.int64]) -> int:
    return min(range(1, 101), key=lambda quality: (abs(_table_sum(quality, standard) - total), -quality))


def _table_sum(quality: int, standard: NDArray[np.int64]) -> int:
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return int(np.clip((standard * scale + 50) // 100, 1, 255).sum())
