"""What a scanner and an input method add to a code is taken off, and nothing else."""

from hypothesis import given, settings
from hypothesis import strategies as st

from station.readers import wedge

CODE = "XXCJ-7f3A9c0e5b1d48f2a6"


def test_an_input_method_left_on_does_no_harm() -> None:
    """Full-width letters become plain ones, and a scanner's own mark goes."""
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in CODE)
    assert wedge.plain(wide) == CODE
    assert wedge.plain(f"]Q1{CODE} ") == CODE
    assert wedge.plain(f"\u3000{CODE}") == CODE


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Zs"]), min_size=4, max_size=80))
def test_any_plain_code_comes_through_as_it_was(code: str) -> None:
    """Nothing is lost or added between the scanner and us, but for its mark."""
    if code[:2] not in wedge._AIM:
        assert wedge.plain(code) == code
