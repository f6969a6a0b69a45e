"""`./gradphoto bench`: what the system does per second, beside the floor that the same run measures."""

import asyncio
import enum
import json as jsonlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.bench import captures, desk, figures, outbox, photo, roster
from cli.stack import stack as stacks


class What(enum.StrEnum):
    """What can be measured."""

    OUTBOX = "outbox"
    CAPTURES = "captures"
    ROSTER = "roster"
    PHOTO = "photo"
    DESK = "desk"


def bench(
    what: Annotated[list[What] | None, typer.Argument(help="默认全部 all by default")] = None,
    json: Annotated[Path | None, typer.Option(help="写入文件 write figures")] = None,
) -> None:
    """测量 · Measure throughput as a ratio to the floor, in one run on one machine."""
    console = Console()
    wanted = what or list(What)
    with tempfile.TemporaryDirectory(prefix="gradphoto-bench-") as folder:
        alone = photo.measure(Path(folder), console) if What.PHOTO in wanted else []
        found = alone + _with_stack(Path(folder), [each for each in wanted if each is not What.PHOTO], console)
    console.print(figures.machine())
    figures.show(found, console)
    if json is not None:
        told = {"machine": figures.machine(), "figures": [figure.as_dict() for figure in found]}
        json.write_text(jsonlib.dumps(told, ensure_ascii=False, indent=2) + "\n", "utf-8")


def _with_stack(folder: Path, what: Sequence[What], console: Console) -> list[figures.Figure]:
    if not what:
        return []
    stack = stacks.start(folder / "stack", say=lambda text: console.print(text, style="dim", markup=False), bound=True)
    try:
        return asyncio.run(_measure(stack, folder, what, console))
    finally:
        stack.down()


async def _measure(stack: stacks.Stack, folder: Path, what: Sequence[What], console: Console) -> list[figures.Figure]:
    acts = {
        What.OUTBOX: outbox.measure,
        What.CAPTURES: captures.measure,
        What.ROSTER: roster.measure,
        What.DESK: desk.measure,
    }
    found: list[figures.Figure] = []
    for each in what:
        console.print(f"▶ {each.value}")
        measured = await acts[each](stack, folder)
        figures.show(measured, console)
        found += measured
    return found
