"""A capture day on the real parts, scaled down: events come twice and out of order, and parts of it die."""

import asyncio
import contextlib
import re
import urllib.request
from pathlib import Path

import pytest
from rich.console import Console

from cli import scenario as scenarios
from cli.canary import forms, places, sweep
from cli.demo import kills, report, stage
from cli.demo.screen import Screen
from cli.stack import clock
from cli.stack import layout as layouts
from cli.stack import stack as stacks
from tests.story.mischief import Mischief

STUDENTS = 24


def suppressed(stack: stacks.Stack) -> float:
    """How many repeats the services have recognised, as their own metrics tell."""
    total = 0.0
    for service in stacks.ALL:
        with urllib.request.urlopen(f"{stack.url(service)}/metrics", timeout=10) as answer:
            told = answer.read().decode()
        total += sum(map(float, re.findall(r"^gradphoto_inbox_duplicates_total\{[^}]*\} (\S+)$", told, re.MULTILINE)))
    return total


async def play(stack: stacks.Stack) -> tuple[report.Report, Mischief, sweep.Report]:
    """The whole demo, with mischief beside it; at its end everybody's name and numbers are looked for."""
    mischief = Mischief(stack.urls()["AMQP_URL"], seed=7)
    task = asyncio.create_task(mischief.run())
    doomed = tuple(map(kills.parse, ("postgres@capture+2", "verify@chsi+1")))
    choices = stage.Choices(scenarios.load("shandong-2020"), STUDENTS, seed=3, doomed=doomed)
    played = stage.Stage(stack, choices, Screen(Console(quiet=True)))
    try:
        found = await played.play()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    return found, mischief, await look_for(played)


async def look_for(played: stage.Stage) -> sweep.Report:
    """Whether anybody of the day can be found outside of the vault. Names of two characters turn up by chance."""
    (played.stack.layout.root / "毕业生名单.xlsx").unlink()  # the registrar's own copy
    folders = [desk.folder for desk in played.fleet.desks.values()]
    found = places.Places(played.stack, metrics=[places.station_figures(folder) for folder in folders])
    people = [(s.name if len(s.name) > 2 else "", s.id_number, s.phone) for s in played.students]
    return await sweep.sweep(found, folders[0], forms.planted(people))


def test_a_day_with_duplicates_disorder_and_outages_ends_with_every_invariant_true(tmp_path: Path) -> None:
    """Nobody is missing, double, wrong or unpaid, whatever happened to messages, network and processes."""
    scenario = scenarios.load("shandong-2020")
    clock.set_to(layouts.Layout.at(tmp_path).clock, scenario.first_day.timestamp() - 86400)
    with stacks.start(tmp_path, fast=True, bound=True) as stack:
        found, mischief, leaks = asyncio.run(play(stack))
        repeats = suppressed(stack)
    assert [finding for finding in found.findings if not finding.holds] == []
    assert len(found.accidents) == 6
    assert [" kill -9 " in kill for kill in found.kills] == [True, True], found.kills
    assert mischief.repeated > 0, "the day was too kind: nothing was repeated"
    assert repeats > 0, "no service has seen a repeat: this test would not notice a lost inbox"
    assert found.events["repeats"] > 0
    assert [(kind, hit.place, hit.form.canary.kind, hit.form.coding) for kind, hit in leaks.hits] == []
    assert leaks.deaf == [], "a leak on purpose was not found: the search would not notice a real one"


@pytest.mark.parametrize("name", scenarios.names())
def test_each_notice_can_be_cut_without_losing_what_it_prints(name: str) -> None:
    """A cut scenario keeps all classes that the notice prints, and has as many students as asked for."""
    scenario = scenarios.load(name)
    sizes = scenario.cut_to(168)
    assert sum(sizes.values()) == 168
    if scenario.names_its_classes:
        assert set(sizes) == {c.label for c in scenario.classes()}
