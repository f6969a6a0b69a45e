"""Roster import of 20,000 rows through the service's door, beside reading the workbook alone."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import python_calamine

from cli import scenario as scenarios
from cli.bench.figures import Figure, Stopwatch
from cli.demo import doors, population
from cli.stack.stack import Stack

ROWS = 20_000
_TURNS = 3


async def measure(stack: Stack, folder: Path) -> list[Figure]:
    """Import the same workbook into fresh campaigns; upload, checks, encryption, tables and events are all in it."""
    scenario = scenarios.load("xinjiang-2024")
    students = _students(scenario)
    workbook = folder / "20000.xlsx"
    await asyncio.to_thread(population.write_workbook, workbook, students)
    door = doors.Door(lambda: stack.url("roster"), lambda: f"Bearer {stack.token('registrar')}")
    ours, floor = Stopwatch(), Stopwatch()
    for _ in range(_TURNS):
        with floor.turn():
            _read(workbook)
        campaign_id = await _open(door, scenario)
        with ours.turn():
            await _import(door, campaign_id, workbook)
    await door.close()
    rate = [ROWS / watch.median_s for watch in (ours, floor)]
    return [Figure("roster import", "名单导入", "rows/s", rate[0], rate[1], "只读工作簿 reading the workbook alone")]


def _students(scenario: scenarios.Scenario) -> list[population.Student]:
    classes = scenario.classes()
    size = -(-ROWS // len(classes))
    return population.draw_up(scenario, {c.label: size for c in classes}, seed=1)[:ROWS]


def _read(workbook: Path) -> int:
    sheet = python_calamine.CalamineWorkbook.from_path(str(workbook)).get_sheet_by_index(0)
    return len(sheet.to_python())


async def _open(door: doors.Door, scenario: scenarios.Scenario) -> str:
    told: dict[str, Any] = {**scenario.campaign.model_dump(), "code": f"bench-{uuid4().hex[:8]}"}
    campuses = [c.model_dump() for c in scenario.campuses]
    policy = scenario.policy.model_dump(mode="json")
    answer = await door.post("/v1/campaigns", {**told, "campuses": campuses, "policy": policy})
    return str(answer["campaign_id"])


async def _import(door: doors.Door, campaign_id: str, workbook: Path) -> None:
    preview = await door.upload(f"/v1/campaigns/{campaign_id}/imports", workbook)
    if preview["errors"]:
        raise RuntimeError(str(preview["errors"][:2]))
    await door.post(f"/v1/imports/{preview['import_id']}/apply")
