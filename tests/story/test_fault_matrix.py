"""The public fault matrix, row by row, in `test all`; its kills are also in tests/integration/capture/test_kills.py."""

import pytest
from rich.console import Console

from cli.faults import command, report
from cli.faults.matrix import Outcome


def failures(outcomes: list[Outcome]) -> dict[str, list[str]]:
    """What did not pass, with everything that was wrong with it."""
    found = [one for one in outcomes if not one.passed and not one.fault.is_open]
    return {one.fault.name: one.seen.missing for one in found}


@pytest.mark.thorough
@pytest.mark.slow
def test_the_whole_matrix_with_fifty_kills() -> None:
    """No fault loses or doubles a frame, and each is told, measured and able to fail."""
    rows = command.matrix(command.SHORT_KILLS)
    outcomes = command.tried(rows, Console(quiet=True))
    assert failures(outcomes) == {}
    assert [one.fault.name for one in outcomes] == [row.name for row in rows]
    assert sum(one.seen.frames for one in outcomes) >= 40
    assert str(command.SHORT_KILLS) in report.as_dict(outcomes[-1])["note"]
