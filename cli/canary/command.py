"""`./gradphoto canary`: thousands of names and numbers are planted in a capture-code day, and looked for everywhere."""

import asyncio
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli import screen
from cli.canary import day, leaks, search
from cli.canary.forms import forms as forms_of
from cli.canary.places import KINDS, Places
from cli.stack import stack as stacks

#: So many lines of what was found are shown.
_SHOWN = 20


@dataclass
class Report:
    """What was looked at, what was found, and whether leaks on purpose were found where they were made."""

    canaries: int = 0
    forms: int = 0
    looked: Counter[str] = field(default_factory=Counter)
    bytes_looked: Counter[str] = field(default_factory=Counter)
    hits: list[tuple[str, search.Hit]] = field(default_factory=list)
    control: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Nothing was found, everything was looked at, and no leak on purpose went unseen."""
        return not self.hits and all(self.looked[kind] and self.control[kind] for kind in KINDS)


def canary(
    students: Annotated[int, typer.Option(min=50, max=5168, help="埋入多少人 how many people are planted")] = 5000,
) -> None:
    """埋入假姓名与证件号，到处查找 · Plant names and ID numbers in a day, and look for them everywhere."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="gradphoto-canary-", ignore_cleanup_errors=True) as folder:
        found = run(Path(folder), students, console)
    show(found, console)
    raise typer.Exit(0 if found.holds else 1)


def run(folder: Path, students: int, console: Console) -> Report:
    """The day on a stack of its own, and both searches."""
    temporary = folder / "tmp"
    temporary.mkdir(mode=0o777)
    temporary.chmod(0o1777)
    before = os.environ.get("TMPDIR")
    # So that what a process of ours lays down for a moment is laid where we look.
    os.environ["TMPDIR"] = str(temporary)
    try:
        with stacks.start(folder, fast=True, bound=True, say=lambda text: console.print(f"[dim]{text}[/dim]")) as stack:
            return asyncio.run(_run(stack, students, console))
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


async def _run(stack: stacks.Stack, students: int, console: Console) -> Report:
    found, places = Report(), Places(stack)
    played = day.Day(stack, students)
    console.print(f"▶ 采集日 the day: {len(played.crowd)}")
    began = time.monotonic()
    await places.listen()
    try:
        await played.play()
        places.metrics.append(_figures_of(played.desk.folder))
        found.seconds["day"] = time.monotonic() - began
        look = search.Search([form for each in played.canaries for form in forms_of(each)] + played.pieces)
        found.canaries, found.forms = len(played.canaries), look.forms
        console.print(f"▶ 查找 looking for {found.canaries} words in {found.forms} forms")
        async for kind, hits in looked_at(places, look, found):
            found.hits += [(kind, hit) for hit in hits]
        console.print("▶ 反证 leaks on purpose")
        name, number = played.canaries[0], played.canaries[1]
        async with leaks.planted(places, played.desk, name, number):
            async for kind, hits in looked_at(places, look, Report()):
                found.control[kind] += len(hits)
    finally:
        await played.close()
    found.seconds["all"] = time.monotonic() - began
    return found


async def looked_at(places: Places, look: search.Search, found: Report) -> AsyncIterator[tuple[str, list[search.Hit]]]:
    """What each thing holds; only where something is. What was looked at is counted in `found`."""
    async for thing in places.everything():
        found.looked[thing.kind] += 1
        found.bytes_looked[thing.kind] += len(thing.content)
        if hits := look.look(thing.place, thing.content):
            yield thing.kind, hits


def _figures_of(folder: Path) -> str:
    """Where a station's figures are read."""
    return str(json.loads((folder / "door.json").read_text("utf-8"))["metrics"])


def show(found: Report, console: Console) -> None:
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
        console.print(f"{KINDS[kind]}: {hit.place}: {hit.form.canary.kind}, {hit.form.coding}", style="red")
    told = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in found.seconds.items())
    console.print(f"{found.canaries} 个词 words, {found.forms} 种写法 forms; {told}")
