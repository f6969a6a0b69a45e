"""Identity documents: which there are, how their numbers are built, and how a number is shown.

The 18-digit rule is GB 11643 with the check of ISO 7064 MOD 11-2; residents of Hong Kong, Macao and Taiwan carry area
codes 81, 82 and 83 under the same rule, which public libraries refuse. The permanent residence card has 15 characters
until 2023 and 18 digits, the first a 9, from 2023-12-01. For passes and passports only form is known, never a checksum.
"""

import re
from collections.abc import Callable
from datetime import date
from operator import mul

#: Weights of ISO 7064 MOD 11-2 for places 1 to 17, and the check character by remainder.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_ZEROS = sum(_WEIGHTS) * ord("0")

_EIGHTEEN = re.compile(r"[0-9]{17}[0-9Xx]", re.ASCII)
_PERMANENT_2017 = re.compile(r"[A-Z]{3}[0-9]{12}", re.ASCII)
_PASS_HM = re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?", re.ASCII)
_PASS_TW = re.compile(r"[0-9]{8}", re.ASCII)
_PASSPORT = re.compile(r"[A-Z0-9]{5,17}", re.ASCII)

#: The first two digits of a resident's area: GB/T 2260, and 81 to 83 for the residence permit.
_PROVINCES = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83"
AREAS = frozenset(_PROVINCES.split(" "))


def check_character(first17: str) -> str:
    """The eighteenth character for seventeen digits, by ISO 7064 MOD 11-2."""
    return _CHECKS[(sum(map(mul, _WEIGHTS, first17.encode())) - _ZEROS) % 11]


def _resident(number: str) -> str | None:
    if not _EIGHTEEN.fullmatch(number):
        return "roster-row-id-form"
    if number[17].upper() != check_character(number[:17]):
        return "roster-row-id-precision" if number.endswith("000") else "roster-row-id-checksum"
    if number[:2] not in AREAS or not _is_day(number[6:14]):
        return "roster-row-id-place-or-birthday"
    return None


def _permit(number: str) -> str | None:
    fault = _resident(number)
    return fault or (None if number[:2] in ("81", "82", "83") else "roster-row-id-place-or-birthday")


def _permanent(number: str) -> str | None:
    if _PERMANENT_2017.fullmatch(number):
        return None
    if not _EIGHTEEN.fullmatch(number) or number[0] != "9":
        return "roster-row-id-form"
    return None if number[17].upper() == check_character(number[:17]) else "roster-row-id-checksum"


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda number: None if pattern.fullmatch(number) else "roster-row-id-form"


#: By the Chinese name of the document: what is wrong with a number, as a message code, or None.
FAULTS: dict[str, Callable[[str], str | None]] = {
    "居民身份证": _resident,
    "港澳台居民居住证": _permit,
    "外国人永久居留身份证": _permanent,
    "港澳居民来往内地通行证": _matching(_PASS_HM),
    "台湾居民来往大陆通行证": _matching(_PASS_TW),
    "护照": _matching(_PASSPORT),
}
DEFAULT_TYPE = "居民身份证"


def sex_of(document_type: str, number: str) -> str | None:
    """男 or 女 as the seventeenth digit of a resident's number says; None where the number says nothing."""
    if document_type not in (DEFAULT_TYPE, "港澳台居民居住证"):
        return None
    return "男" if int(number[16]) % 2 else "女"


def normalised(number: str) -> str:
    """The form in which numbers are compared: a lower-case check character is the same as X."""
    return number.upper()


def _is_day(text: str) -> bool:
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return text >= "1900"
