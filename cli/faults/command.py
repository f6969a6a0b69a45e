"""`./gradphoto faults`: the public fault matrix, tried on a real agent and a real capture; status 1 if a row fails."""

import asyncio
import json as jsonlib
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli import screen
from cli.bench import figures
from cli.faults import cameras, clocks, devices, disks, hall, hubs, kills, network, report
from cli.faults.matrix import Fault, Outcome, Seen
from cli.stack import stack as stacks

SHORT_KILLS, LONG_KILLS = 50, 1000
#: Two desks a row, and students for each kill.
_DESKS, _STUDENTS = 40, 120


def matrix(kill_count: int) -> list[Fault]:
    """All rows, in the order in which they are told."""
    return [*cameras.ROWS, *devices.ROWS, *disks.ROWS, *clocks.ROWS, *network.ROWS, *hubs.ROWS, kills.row(kill_count)]


def faults(
    names: Annotated[list[str] | None, typer.Argument(help="默认全部 all by default")] = None,
    *,
    long: Annotated[bool, typer.Option("--long", help=f"kill -9 {LONG_KILLS} 次 · {LONG_KILLS} kills")] = False,
    count: Annotated[int | None, typer.Option("--kills", min=1, help="kill -9 次数 number of kills")] = None,
    json: Annotated[Path | None, typer.Option(help="写入文件 write what was found")] = None,
) -> None:
    """故障演练 · Try the fault matrix: message, metric, alert, negative control, and no frame lost."""
    rows = matrix(count or (LONG_KILLS if long else SHORT_KILLS))
    chosen = [row for row in rows if not names or row.name in names]
    if unknown := set(names or ()) - {row.name for row in rows}:
        known = " ".join(row.name for row in rows)
        screen.fail(f"没有这些故障 no such fault: {' '.join(sorted(unknown))}\n有 there are: {known}", 2)
    outcomes = tried(chosen, screen.console)
    report.show(outcomes, screen.console)
    if json is not None:
        told = {"machine": figures.machine(), "rows": [report.as_dict(one) for one in outcomes]}
        json.write_text(jsonlib.dumps(told, ensure_ascii=False, indent=2) + "\n", "utf-8")
    if not all(one.passed for one in outcomes if not one.fault.is_open):
        raise typer.Exit(1)


def tried(rows: Sequence[Fault], console: Console) -> list[Outcome]:
    """Try each on one stack of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="gradphoto-faults-", ignore_cleanup_errors=True) as folder,
        stacks.start(Path(folder) / "stack", services=("capture",), fast=True, bound=True) as stack,
    ):
        return asyncio.run(_try_all(stack, Path(folder), rows, console))


async def _try_all(stack: stacks.Stack, folder: Path, rows: Sequence[Fault], console: Console) -> list[Outcome]:
    place = await hall.set_up(stack, folder, desks=_DESKS, students=_STUDENTS + report.kills_of(rows))
    try:
        return [await try_one(row, place, console) for row in rows]
    finally:
        await place.close()


async def try_one(fault: Fault, place: hall.Hall, console: Console) -> Outcome:
    """Try one row; what breaks it is told as its failure, so that the other rows are tried too."""
    console.print(f"[dim]▶ {fault.name} {fault.zh}[/dim]")
    began = time.monotonic()
    seen = Seen()
    if fault.trial is not None:
        try:
            seen = await fault.trial(place)
        except Exception as error:  # noqa: BLE001 - told in the row
            seen.wrong.append(f"{type(error).__name__}: {error}")
    return Outcome(fault, seen, time.monotonic() - began)
