"""Looks for hundreds of thousands of byte strings at once: their first letters in a table, the rest one by one."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cli.canary.forms import SHORTEST, Form

_CHUNK = 8 << 20
#: What is unpacked from one packed part at most; a workbook of 5,000 has a few megabytes.
_UNPACKED = 64 << 20
_ZIP_MEMBER, _GZIP = b"PK\x03\x04", b"\x1f\x8b\x08"


@dataclass(frozen=True)
class Hit:
    """A form that was found, and where."""

    place: str
    form: Form


class Search:
    """All forms of all canaries. A form that begins like another one does not hide it."""

    def __init__(self, forms: Iterable[Form]) -> None:
        self._by_head: dict[int, list[Form]] = {}
        for form in forms:
            self._by_head.setdefault(_head(form.content), []).append(form)
        self._heads = np.array(sorted(self._by_head), dtype=np.uint64)
        self._starts = np.zeros(65536, dtype=bool)
        self._starts[(self._heads & np.uint64(0xFFFF)).astype(np.int64)] = True
        self._longest = max((len(form.content) for group in self._by_head.values() for form in group), default=0)
        self.forms = sum(map(len, self._by_head.values()))

    def look(self, place: str, content: bytes) -> list[Hit]:
        """Every form that stands in `content`, or in what is packed inside of it; each once."""
        found = {form for part in _parts(content) for form in self._forms_in(part)}
        return [Hit(place, form) for form in found]

    def _forms_in(self, content: bytes) -> Iterator[Form]:
        for start in range(0, len(content), _CHUNK):
            part = content[start : start + _CHUNK + self._longest]
            for position in self._candidates(part):
                head = struct.unpack_from("<Q", part, position)[0]
                yield from (form for form in self._by_head[head] if part.startswith(form.content, position))

    def _candidates(self, part: bytes) -> Iterator[int]:
        """Where eight letters stand with which a form begins."""
        if len(part) < SHORTEST or not len(self._heads):
            return
        letters = np.frombuffer(part, dtype=np.uint8)
        pairs = letters[:-1].astype(np.uint16) | (letters[1:].astype(np.uint16) << 8)
        places = np.flatnonzero(self._starts[pairs[: len(part) - SHORTEST + 1]])
        windows = np.lib.stride_tricks.sliding_window_view(letters, SHORTEST)
        heads = np.ascontiguousarray(windows[places]).view("<u8").ravel()
        yield from _members(places, heads, self._heads)


def _members(
    places: npt.NDArray[np.int64], heads: npt.NDArray[np.uint64], known: npt.NDArray[np.uint64]
) -> Iterator[int]:
    at = np.minimum(np.searchsorted(known, heads), len(known) - 1)
    yield from map(int, places[known[at] == heads])


def _head(content: bytes) -> int:
    head: int = struct.unpack_from("<Q", content)[0]
    return head


def _parts(content: bytes) -> Iterator[bytes]:
    """The bytes themselves, and what is packed in them as zip (a workbook is one) or gzip."""
    yield content
    for position in _places_of(content, _ZIP_MEMBER):
        if len(content) > position + 30:
            method, name, extra = (
                *struct.unpack_from("<H", content, position + 8),
                *struct.unpack_from("<HH", content, position + 26),
            )
            if method == zlib.DEFLATED:
                yield _unpacked(content[position + 30 + name + extra :], -zlib.MAX_WBITS)
    for position in _places_of(content, _GZIP):
        yield _unpacked(content[position:], zlib.MAX_WBITS | 16)


def _places_of(content: bytes, mark: bytes) -> Iterator[int]:
    position = content.find(mark)
    while position >= 0:
        yield position
        position = content.find(mark, position + 1)


def _unpacked(content: bytes, bits: int) -> bytes:
    packed = zlib.decompressobj(bits)
    out = b""
    try:
        for start in range(0, len(content), 1 << 16):
            out += packed.decompress(content[start : start + (1 << 16)], _UNPACKED)
            if packed.eof or len(out) > _UNPACKED:
                break
    except zlib.error:
        pass  # torn, or no packed part at all: what came out so far is looked at
    return out
