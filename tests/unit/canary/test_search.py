"""The search for planted names and numbers finds them in every form, and nothing where nothing is."""

import base64
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable

import pytest

from cli.canary import forms, search

COUNT = 300
NAMES, PHONES = forms.names(COUNT), forms.phones(COUNT)
NUMBERS = [f"6501022001010{number:04d}X" for number in range(COUNT)]
CANARIES = forms.planted(list(zip(NAMES, NUMBERS, PHONES, strict=True)))


@pytest.fixture(scope="module")
def whole() -> search.Search:
    return search.Search(form for canary in CANARIES for form in forms.forms(canary))


def zipped(text: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", text)
    return packed.getvalue()


WRITTEN: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda text: text.encode(),
    "gb18030": lambda text: text.encode("gb18030"),
    "utf-16": lambda text: text.encode("utf-16"),
    "hex": lambda text: text.encode().hex().encode(),
    "HEX of gb18030": lambda text: text.encode("gb18030").hex().upper().encode(),
    "base64, first": lambda text: base64.b64encode(text.encode()),
    "base64, second": lambda text: base64.b64encode(b"x" + text.encode() + b"y"),
    "base64url, third": lambda text: base64.urlsafe_b64encode(b"xy" + text.encode() + b"z"),
    "base64 of gb18030": lambda text: base64.b64encode(b"." + text.encode("gb18030")),
    "JSON": lambda text: json.dumps({"name": text}).encode(),
    "repr": lambda text: repr(text.encode()).encode(),
    "gzip": lambda text: b"junk" + gzip.compress(text.encode() * 3),
    "zip": lambda text: b"junk" + zipped(b"<t>" + text.encode() + b"</t>"),
    "digest": lambda text: __import__("hashlib").sha256(text.encode()).hexdigest().encode(),
}


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("text", [NAMES[0], NAMES[-1], NUMBERS[7], PHONES[150]])
def test_a_leak_is_found_in_any_form(whole: search.Search, how: str, text: str) -> None:
    """Amid random bytes, at any place, at the seam of two chunks as well."""
    dice = random.Random(how + text)
    leak = WRITTEN[how](text)
    content = dice.randbytes(5000 + dice.randrange(9)) + leak + dice.randbytes(100)
    # Base64 cuts through the last letter: who differs in that alone may be found as well.
    assert text in {hit.form.canary.text for hit in whole.look("here", content)}


def test_nothing_is_found_where_nothing_is(whole: search.Search) -> None:
    """A megabyte of noise, of digits and of ordinary Chinese holds no canary; a masked name is none."""
    dice = random.Random(1)
    digits = "".join(dice.choices("0123456789", k=500_000)).encode()
    chinese = "".join(chr(dice.randrange(0x4E00, 0x9FA5)) for _ in range(200_000)).encode()
    for content in (dice.randbytes(1_000_000), digits, chinese, b"", b"1998877", (NAMES[0][0] + "*").encode()):
        assert whole.look("here", content) == []


def test_a_leak_at_the_seam_of_chunks_is_found(whole: search.Search, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the chunks are, none hides what lies over two of them."""
    monkeypatch.setattr(search, "_CHUNK", 64)
    for shift in range(64):
        content = bytes(60 + shift) + NUMBERS[3].encode() + bytes(200)
        assert {hit.form.canary.text for hit in whole.look("here", content)} == {NUMBERS[3]}


def test_a_workbook_is_known_by_any_of_its_pieces() -> None:
    """Packed as it is it shows no text; a part of it in a database page is found all the same."""
    packed = random.Random(2).randbytes(9000)
    look = search.Search(forms.of_file(packed))
    assert look.look("page", b"page" + packed[2000:4100])
    assert not look.look("page", b"page" + packed[:900])


def test_names_and_phones_are_all_different() -> None:
    """Five thousand of each."""
    assert len(set(forms.names(5000))) == len(set(forms.phones(5000))) == 5000
    assert all(len(name) == 4 and len(name.encode("gb18030")) == 8 for name in forms.names(5000))


def test_names_in_latin_letters_are_others_for_other_people() -> None:
    """As many as are planted, each long enough to be no accident in any way of writing it."""
    spelt = [forms.pinyin(number) for number in range(1331)]
    assert len(set(spelt)) == len(spelt)
    assert min(map(len, spelt)) >= 2 * forms.SHORTEST - 4
    look = search.Search(forms.forms(forms.Canary("pinyin", spelt[7].lower())))
    assert list(look.look("here", f"reason={spelt[7].lower()}".encode()))
    assert not list(look.look("here", f"reason={spelt[8].lower()}".encode()))
