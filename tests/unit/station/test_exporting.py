"""What leaves a dead desk on a stick."""

from typing import get_args

from station import exporting
from station.domain import outgoing


def test_whatever_a_desk_tells_has_its_turn_on_the_stick() -> None:
    """Every kind of message can be taken in elsewhere, each after what it refers to."""
    assert sorted(exporting.ORDER) == sorted(get_args(outgoing.Kind))
    assert exporting.ORDER.index("checkin") < exporting.ORDER.index("release") < exporting.ORDER.index("session")
