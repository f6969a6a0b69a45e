"""What `--kill` takes."""

import pytest

from cli.demo import kills


def test_a_kill_is_a_part_an_act_and_seconds() -> None:
    """Seconds may be left out."""
    assert kills.parse("postgres@capture") == kills.Kill("postgres", "capture")
    assert str(kills.parse("station-A01@chsi+1.5")) == "station-A01@chsi+1.5"


@pytest.mark.parametrize("text", ["postgres", "postgres@lunch", "@capture", "postgres@capture+soon"])
def test_anything_else_is_refused(text: str) -> None:
    """A part alone, an act that there is not, no part, no number."""
    with pytest.raises(ValueError, match="PART@ACT"):
        kills.parse(text)
