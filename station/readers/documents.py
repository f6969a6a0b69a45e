"""The 256-byte text file of an identity card's chip (UTF-16LE, GA/T 490), in all four kinds.

Only what the desk needs is taken out of it: number, name, expiry. The kind stands at byte 248: blank on a resident's
card, J on a residence permit of Hong Kong, Macao or Taiwan, I and Y on a foreigner's permanent residence card of 2017
and of 2023.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Kind = Literal["resident", "hk_macao_taiwan", "permanent_2017", "permanent_2023"]

_BYTES = 256
_KIND_AT = 248
_KINDS: dict[str, Kind] = {"": "resident", "J": "hk_macao_taiwan", "I": "permanent_2017", "Y": "permanent_2023"}
#: Where number, name and expiry stand, as (first byte, bytes). On the 2017 card the Chinese name stands behind an
#: English one of 120 bytes; the 2023 card went back to the others' places.
_USUAL = {"number": (122, 36), "name": (0, 30), "expires": (204, 16)}
_PLACES: dict[Kind, dict[str, tuple[int, int]]] = {
    "resident": _USUAL,
    "hk_macao_taiwan": _USUAL,
    "permanent_2017": {"number": (122, 30), "name": (158, 30), "other_name": (0, 120), "expires": (204, 16)},
    "permanent_2023": {**_USUAL, "other_name": (52, 70)},
}
_NUMBERS: dict[Kind, str] = {
    "resident": r"[1-6]\d{16}[\dX]",
    "hk_macao_taiwan": r"8[1-3]0000\d{11}[\dX]",
    "permanent_2017": r"[A-Z]{3}\d{12}",
    "permanent_2023": r"9\d{16}[\dX]",
}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
#: What the chip says instead of a date when the card is good for life.
_FOR_LIFE = "长期"


class NotACard(Exception):
    """The text is no card's: a kind nobody knows, or a number whose check digit is wrong. Nothing of it is told."""


@dataclass(frozen=True, slots=True)
class Document:
    """Who a card says its holder is. Never written anywhere; its repr names the kind alone."""

    kind: Kind
    number: str = field(repr=False)
    name: str = field(repr=False)
    #: The card's last day; None when it is good for life.
    expires: date | None = field(repr=False)

    def expired(self, today: date) -> bool:
        """Whether the card is past its last day. The person is the same one: the desk says so and goes on."""
        return self.expires is not None and self.expires < today


def read(text: bytes) -> Document:
    """A card's text file. Raises NotACard; a card is never mended."""
    if len(text) != _BYTES:
        raise NotACard
    kind = _KINDS.get(_field(text, (_KIND_AT, 2)))
    if kind is None:
        raise NotACard
    places = _PLACES[kind]
    number = _field(text, places["number"])
    if not re.fullmatch(_NUMBERS[kind], number, re.ASCII) or (len(number) == 18 and not checked(number)):
        raise NotACard
    name = _field(text, places["name"]) or _field(text, places.get("other_name", (0, 0)))
    return Document(kind, number, name, _day(_field(text, places["expires"])))


def checked(number: str) -> bool:
    """Whether the last of 18 characters is the check digit of the others (ISO 7064 MOD 11-2, GB 11643)."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
    return _CHECK[total % 11] == number[17]


def written(kind: Kind, number: str, name: str, expires: str) -> bytes:
    """A text file with these fields and nothing else, for simulators."""
    content = bytearray(" ".encode("utf-16-le") * (_BYTES // 2))
    mark = next(letter for letter, one in _KINDS.items() if one == kind)
    for place, value in (*zip(_PLACES[kind].values(), (number, name), strict=False), ((_KIND_AT, 2), mark)):
        _put(content, place, value)
    _put(content, _PLACES[kind]["expires"], expires)
    return bytes(content)


def _put(content: bytearray, place: tuple[int, int], value: str) -> None:
    encoded = value.encode("utf-16-le")[: place[1]]
    content[place[0] : place[0] + len(encoded)] = encoded


def _field(text: bytes, place: tuple[int, int]) -> str:
    raw = text[place[0] : place[0] + place[1]]
    # A character of the private area may be there in a rare name; half of a pair is no reason to refuse the card.
    return raw.decode("utf-16-le", errors="replace").strip(" \0\u3000")


def _day(value: str) -> date | None:
    if value == _FOR_LIFE:
        return None
    try:
        return date(int(value[:4]), int(value[4:6]), int(value[6:8]))
    except ValueError:
        raise NotACard from None
