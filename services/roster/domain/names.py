"""Names: kept exactly as the school wrote them, compared in a normal form, shown masked."""

import re
import unicodedata

#: Every dot that is typed between the parts of a name: · (U+00B7), •, ‧, ・, ･, ⋅, ∙, ．, 。, ｡ and the full stop.
_DOTS = re.compile("[\u00b7\u2022\u2027\u30fb\uff65\u22c5\u2219\uff0e\u3002\uff61.\u0387\u16eb\u2e31]")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\ue000-\uf8ff\U00020000-\U000323af\u00b7〇]+")
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010fffd]")
_LOST = re.compile("[?？\ufffd□]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060\ufeff]")


def fault(raw: str) -> str | None:
    """What is wrong with a name as written, as a message code, or None."""
    if _CONTROL.search(raw):
        return "roster-row-name-invisible"
    if _LOST.search(raw):
        return "roster-row-name-lost-glyph"
    if raw != raw.strip():
        return "roster-row-blank-around"
    if _inner_blank(raw):
        return "roster-row-name-blank"
    return None


def has_private_glyph(raw: str) -> bool:
    """Whether a character lies in Unicode's private area: other machines show another glyph, or none."""
    return bool(_PRIVATE.search(raw))


def normalised(raw: str) -> str:
    """The form in which names are compared: compatibility forms, dots, case and blanks made one."""
    if raw.isalpha() and raw.isascii() is False and unicodedata.is_normalized("NFKC", raw):
        return raw
    folded = unicodedata.normalize("NFKC", _DOTS.sub("·", raw))
    return " ".join(_DOTS.sub("·", folded).casefold().split())


def masked(name: str) -> str:
    """张三 → 张*; a compound or foreign name shows its first character too."""
    return name[:1] + "*" if name else ""


def masked_number(number: str) -> str:
    """An identity or telephone number with its middle hidden: 6104****4420; a short one shows its last two."""
    return f"{number[:4]}****{number[-4:]}" if len(number) >= 11 else f"****{number[-2:]}"


def _inner_blank(raw: str) -> bool:
    joined = "".join(raw.split())
    return joined != raw and bool(_HAN.fullmatch(_DOTS.sub("·", joined)))
