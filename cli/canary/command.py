"""`./gradphoto canary`: thousands of names and numbers are planted in a capture-code day, and looked for everywhere."""

import asyncio
import os
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli import screen
from cli.canary import day, sweep
from cli.canary.places import KINDS, Places, station_figures
from cli.stack import stack as stacks

#: So many lines of what was found are shown.
_SHOWN = 20


def canary(
    students: Annotated[int, typer.Option(min=50, max=5168, help="埋入多少人 how many people are planted")] = 5000,
) -> None:
    """埋入假姓名与证件号，到处查找 · Plant names and ID numbers in a day, and look for them everywhere."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="gradphoto-canary-", ignore_cleanup_errors=True) as folder:
        found = run(Path(folder), students, console)
    show(found, console)
    raise typer.Exit(0 if found.holds else 1)


def run(folder: Path, students: int, console: Console) -> sweep.Report:
    """The day on a stack of its own, and both searches."""
    temporary = folder / "tmp"
    temporary.mkdir(mode=0o777)
    temporary.chmod(0o1777)
    before = os.environ.get("TMPDIR")
    # So that what a process of ours lays down for a moment is laid where we look.
    os.environ["TMPDIR"] = str(temporary)
    try:
        with stacks.start(
            folder, fast=True, bound=True, say=lambda text: console.print(text, style="dim", markup=False)
        ) as stack:
            return asyncio.run(_run(stack, students, console))
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


async def _run(stack: stacks.Stack, students: int, console: Console) -> sweep.Report:
    places = Places(stack)
    played = day.Day(stack, students)
    console.print(f"▶ 采集日 the day: {len(played.crowd)}")
    began = time.monotonic()
    await places.listen()
    try:
        await played.play()
        places.metrics += [station_figures(desk.folder) for desk in played.hall if desk is not played.dead]
        day_s = time.monotonic() - began
        console.print(f"▶ 查找 looking for {len(played.canaries)} words")
        found = await sweep.sweep(places, played.desk.folder, played.canaries, played.pieces)
        found.told = played.told
        came = f"{played.photographed} 人拍照 photographed, {played.turned_away} 人未到日期 turned away"
        console.print(f"{came}, 优盘 stick {played.carried}")
        found.seconds["day"] = day_s
    finally:
        await played.close()
    found.seconds["all"] = time.monotonic() - began
    return found


def show(found: sweep.Report, console: Console) -> None:
    """A table of all places; what was found by its kind and place, never by itself."""
    table = Table(title="泄露查找 Search for planted names and numbers", title_justify="left")
    for heading in ("何处 where", "件 things", "MB", "泄露 leaks", "反证 on purpose", ""):
        table.add_column(heading)
    leaked = Counter(kind for kind, _ in found.hits)
    for kind, title in KINDS.items():
        well = not leaked[kind] and bool(found.looked[kind]) and bool(found.control[kind])
        size = f"{found.bytes_looked[kind] / 1e6:.1f}"
        cells = (str(found.looked[kind]), size, str(leaked[kind]), str(found.control[kind]))
        table.add_row(title, *cells, screen.MARKS[well])
    console.print(table)
    for kind, hit in found.hits[:_SHOWN]:
        console.print(
            f"{KINDS[kind]}: {hit.place}: {hit.form.canary.kind}, {hit.form.coding}", style="red", markup=False
        )
    told = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in found.seconds.items())
    console.print(f"理由 reasons: {found.told} 处凭权限可读，别处皆无 read with the right to, and found nowhere else")
    console.print(f"{found.canaries} 个词 words, {found.forms} 种写法 forms; {told}")
