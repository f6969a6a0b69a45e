"""The public fault matrix: a short form and the rest, in `test all`."""

import pytest
from rich.console import Console

from cli.faults import command, report
from cli.faults.matrix import Outcome

#: Quick ones, of each kind one; beside them fifty kills at random moments.
SHORT = {"kill-9", "disk-full", "wifi-flap", "reader-hang", "printer-paper-out"}


def failures(outcomes: list[Outcome]) -> dict[str, list[str]]:
    """What did not pass, with everything that was wrong with it."""
    found = [one for one in outcomes if not one.passed and not one.fault.is_open]
    return {
        one.fault.name: [*one.seen.wrong, f"message {one.seen.zh!r}, control {one.seen.control!r}"] for one in found
    }


@pytest.mark.thorough
@pytest.mark.slow
def test_the_short_matrix_with_fifty_kills() -> None:
    """No fault loses or doubles a frame, and each is told, measured and able to fail."""
    rows = [row for row in command.matrix(command.SHORT_KILLS) if row.name in SHORT]
    outcomes = command.tried(rows, Console(quiet=True))
    assert failures(outcomes) == {}
    assert {one.fault.name for one in outcomes} == SHORT
    assert sum(one.seen.frames for one in outcomes) >= 10
    assert str(command.SHORT_KILLS) in report.as_dict(outcomes[-1])["note"]


@pytest.mark.thorough
@pytest.mark.slow
def test_all_other_rows() -> None:
    """The rows that wait for a camera's patience or for the network's."""
    rows = [row for row in command.matrix(command.SHORT_KILLS) if row.name not in SHORT]
    assert failures(command.tried(rows, Console(quiet=True))) == {}
