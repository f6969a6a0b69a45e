"""What a name or number looks like when it has leaked: in every encoding that software of ours or of others writes."""

import base64
import hashlib
import itertools
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["name", "pinyin", "id_number", "phone", "workbook"]

#: What is shorter turns up by chance.
SHORTEST = 8
#: Characters of names that nobody bears; each has two bytes in GBK.
_RARE = (
    "蘅蓁蕤薏藜蘧虢蜾螭蠡衾裎裱褊襞觚觥詈謦豳貔贶赑跬踔蹰躞轫辔迤逯遘邶郄酆醴鋆鎏钤铋锖镠闿阆隗雒霁霭靺鞒韪颀颙飒"
    "飨饔馥骎骢髫魃鲂鳜鸱鹬麂麇黻黾鼋鼙齑"
)
#: Long syllables: three of them are no word of any program.
_SYLLABLES = ("chuang", "shuang", "zhuang", "qiong", "xiong", "liang", "niang", "guang", "huang", "kuang", "zheng")
_TEXTS = ("utf-8", "gb18030", "utf-16-le", "utf-16-be")


@dataclass(frozen=True)
class Canary:
    """One planted word."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Form:
    """A canary as bytes, and what those are called."""

    canary: Canary
    coding: str
    content: bytes


def names(count: int) -> list[str]:
    """So many different names of four characters."""
    letters = itertools.permutations(_RARE, 3)
    return ["欧" + "".join(letter) for letter in itertools.islice(letters, 0, count * 31, 31)]


def pinyin(number: int) -> str:
    """A given name in Latin letters, another one for each number below 1,331."""
    base = len(_SYLLABLES)
    return "".join(_SYLLABLES[number // base**place % base] for place in range(3)).capitalize()


def phones(count: int) -> list[str]:
    """So many different mobile numbers, of a range in which no clock and no counter runs."""
    return [f"1998877{number:04d}" for number in range(count)]


def forms(canary: Canary) -> list[Form]:
    """All forms of a canary that are long enough to be no accident."""
    found = {content: coding for coding, content in _written(canary.text) if len(content) >= SHORTEST}
    return [Form(canary, coding, content) for content, coding in found.items()]


def of_file(content: bytes) -> list[Form]:
    """Pieces of a file by which it is known wherever a part of it lies: a workbook is packed, and shows no text."""
    canary = Canary("workbook", hashlib.sha256(content).hexdigest()[:8])
    places = range(1024, len(content) - 64, 1024)
    return [Form(canary, f"bytes from {place}", content[place : place + 32]) for place in places]


def _written(text: str) -> Iterator[tuple[str, bytes]]:
    for encoding in _TEXTS:
        content = text.encode(encoding)
        yield encoding, content
        yield f"hex of {encoding}", content.hex().encode()
        yield f"HEX of {encoding}", content.hex().upper().encode()
        yield from _base64(encoding, content)
    if not text.isascii():
        yield from _escaped(text)
    for name in ("md5", "sha1", "sha256"):
        # The digest of a bare number is the number: all there are can be tried in an hour.
        digest = hashlib.new(name, text.encode(), usedforsecurity=False)
        yield f"{name} of it", digest.digest()
        yield f"{name} of it in hex", digest.hexdigest().encode()


def _base64(encoding: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """The letters that stand for the word alone, wherever in a longer text it begins."""
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + content)
        core = whole[-(-shift * 8 // 6) : (shift + len(content)) * 8 // 6]
        yield f"base64 of {encoding}", core
        yield f"base64url of {encoding}", core.translate(bytes.maketrans(b"+/", b"-_"))


def _escaped(text: str) -> Iterator[tuple[str, bytes]]:
    yield "JSON escapes", "".join(f"\\u{ord(letter):04x}" for letter in text).encode()
    yield "JSON escapes", "".join(f"\\u{ord(letter):04X}" for letter in text).encode()
    yield "XML entities", "".join(f"&#{ord(letter)};" for letter in text).encode()
    yield "percent", urllib.parse.quote(text).encode()
    yield "percent", urllib.parse.quote(text).lower().encode()
    yield "backslash escapes", "".join(f"\\x{byte:02x}" for byte in text.encode()).encode()


def planted(people: Sequence[tuple[str, str, str]]) -> list[Canary]:
    """The canaries of people: (name, ID number, phone) each."""
    kinds: tuple[Kind, ...] = ("name", "id_number", "phone")
    return [Canary(kind, text) for person in people for kind, text in zip(kinds, person, strict=True) if text]
