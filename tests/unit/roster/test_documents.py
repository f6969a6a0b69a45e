"""Identity numbers: the published vectors, and the cases that public libraries get wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from services.roster.domain import documents

RESIDENT = "居民身份证"


@pytest.mark.parametrize(
    "number", ["360426199101010071", "120103198806018241", "230306196304054513", "440308199901101512"]
)
def test_published_vectors_pass(number: str) -> None:
    """The vectors of the field notes are good numbers."""
    assert documents.FAULTS[RESIDENT](number) is None


@pytest.mark.parametrize("number", ["810000199408230021", "830000199201300022"])
def test_residence_permits_pass(number: str) -> None:
    """Residents of Hong Kong, Macao and Taiwan carry numbers of the same rule, in areas 81 to 83."""
    assert documents.FAULTS["港澳台居民居住证"](number) is None
    assert documents.FAULTS[RESIDENT](number) is None


@pytest.mark.parametrize(
    ("kind", "number", "code"),
    [
        (RESIDENT, "360426199101010072", "roster-row-id-checksum"),
        (RESIDENT, "230307196304054513", "roster-row-id-checksum"),
        (RESIDENT, "36042619910101007", "roster-row-id-form"),
        (RESIDENT, "３６０４２６１９９１０１０１００７１", "roster-row-id-form"),
        (RESIDENT, "360426199101010000", "roster-row-id-precision"),
        ("港澳台居民居住证", "360426199101010071", "roster-row-id-place-or-birthday"),
        ("外国人永久居留身份证", "110101199001011234", "roster-row-id-form"),
        ("港澳居民来往内地通行证", "X12345678", "roster-row-id-form"),
        ("台湾居民来往大陆通行证", "1234567", "roster-row-id-form"),
        ("护照", "E 1234567", "roster-row-id-form"),
    ],
)
def test_faults_have_codes(kind: str, number: str, code: str) -> None:
    """Each way to be wrong has a code of its own."""
    assert documents.FAULTS[kind](number) == code


def test_an_impossible_birthday_is_a_fault() -> None:
    """A right check character does not make the 30th of February a birthday."""
    first = "36042619910230007"
    number = first + documents.check_character(first)
    assert documents.FAULTS[RESIDENT](number) == "roster-row-id-place-or-birthday"


@pytest.mark.parametrize("number", ["CHN123456789012", "9" + "1561234567890123"])
def test_both_permanent_residence_cards_pass(number: str) -> None:
    """The card of 2017 has fifteen characters, that of 2023 eighteen of which the first is a 9."""
    whole = number if len(number) == 15 else number + documents.check_character(number)
    assert documents.FAULTS["外国人永久居留身份证"](whole) is None


@given(st.from_regex(r"[0-9]{17}", fullmatch=True).filter(str.isascii))
def test_check_character_is_iso_7064(first: str) -> None:
    """The check character is that of an independent implementation of MOD 11-2."""
    assert documents.check_character(first) == mod_11_2.calc_check_digit(first)


def test_sex_is_in_the_seventeenth_digit() -> None:
    """Odd is male; other documents say nothing."""
    assert documents.sex_of(RESIDENT, "360426199101010071") == "男"
    assert documents.sex_of(RESIDENT, "120103198806018241") == "女"
    assert documents.sex_of("护照", "E12345678") is None
