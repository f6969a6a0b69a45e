"""Five thousand planted names and ID numbers are nowhere but in the vault."""

from pathlib import Path

import pytest
from rich.console import Console

from cli.canary import command

STUDENTS = 5000


@pytest.mark.thorough
@pytest.mark.slow
def test_planted_names_and_numbers_are_found_nowhere(tmp_path: Path) -> None:
    """Not on the desk's disk, in logs, messages, objects, figures, nor in the database; leaks on purpose are found."""
    found = command.run(tmp_path, STUDENTS, Console(quiet=True))
    assert [(kind, hit.place, hit.form.canary.kind, hit.form.coding) for kind, hit in found.hits] == []
    assert found.deaf == []
    assert found.canaries >= 3 * STUDENTS
    assert found.told >= 6, "what was typed into reasons is there, for who may read it"
