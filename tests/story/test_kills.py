"""Any process may be killed at any moment of a campaign: no invariant is violated, and nothing is left behind."""

import asyncio
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from cli import scenario as scenarios
from cli.demo import kills, stage
from cli.demo.screen import Screen
from cli.stack import clock
from cli.stack import layout as layouts
from cli.stack import stack as stacks

#: Each day kills every one of its parts, one after the other; together they kill each kind early and late.
DAYS = {
    "parts": "postgres@roster+0.3 roster@plan scheduler@plan+0.5 capture@stations+2 station@capture+2 "
    "objects@capture+5 epmd@capture+8 billing@money verify@chsi+1 rabbitmq@inspection",
    "others": "rabbitmq@roster+0.2 scheduler@stations objects@stations+3 roster@stations+5 verify@capture+2 "
    "billing@capture+4 capture@money postgres@chsi+6 station@inspection",
    "early supervisor": "supervisor@stations+4",
    "late supervisor": "supervisor@chsi+1",
}


def of_this_run(folder: Path) -> list[str]:
    """Processes that know the folder by their command line or their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            known = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if any(str(folder) in one for one in known):
            found.append(process.name())
    return found


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.parametrize("day", DAYS)
def test_no_kill_violates_an_invariant(day: str, tmp_path: Path) -> None:
    """Every part of the list is killed, each comes back, and all that the outside can check is true at the end."""
    scenario = scenarios.load("swjtu-2019")
    doomed = tuple(map(kills.parse, DAYS[day].split()))
    clock.set_to(layouts.Layout.at(tmp_path).clock, scenario.first_day.timestamp() - 86400)
    choices = stage.Choices(scenario, 24, seed=5, accidents=False, doomed=doomed)
    with stacks.start(tmp_path, fast=True, bound=True) as stack:
        found = asyncio.run(stage.Stage(stack, choices, Screen(Console(quiet=True))).play())
    assert [finding for finding in found.findings if not finding.holds] == []
    assert sum(" kill -9 " in kill for kill in found.kills) == len(doomed), found.kills
    assert of_this_run(tmp_path) == []
