"""`./gradphoto demo`: a university photographs its graduates, in about three minutes, on this machine."""

import asyncio
import contextlib
import logging
import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli import scenario as scenarios
from cli.demo import kills, report, stage
from cli.demo.screen import Screen
from cli.stack import clock
from cli.stack import layout as layouts
from cli.stack import stack as stacks
from kit import logs

#: What a two-core machine plays in about three minutes.
_DEFAULT_STUDENTS = 168
_KILL = "另加故障：部件@阶段[+秒]，可重复 one more accident: kill -9 of PART@ACT[+SECONDS]; may be repeated"
#: The campaign is opened so long before its first day.
_BEFORE_THE_DAY = timedelta(days=3)


def demo(
    scenario: Annotated[str, typer.Option(help="场景名或 TOML 文件 name or file")] = "xinjiang-2024",
    students: Annotated[int, typer.Option(min=8, help="人数 how many students play")] = _DEFAULT_STUDENTS,
    full: Annotated[bool, typer.Option("--full", help="全部学生 all students of the notice")] = False,
    speed: Annotated[float, typer.Option(min=0.1, help="模拟时钟的快慢 speed of the simulated clock")] = 1.0,
    seed: Annotated[int, typer.Option(help="随机种子 seed of students and noise")] = 1,
    camera: Annotated[str, typer.Option(help="相机：virtual 或 24mp cameras")] = "virtual",
    kill: Annotated[list[str] | None, typer.Option(help=_KILL)] = None,
    keep: Annotated[bool, typer.Option("--keep", help="结束后保持运行 leave the system up")] = False,
    json: Annotated[Path | None, typer.Option(help="把全部结果写入文件 write all results")] = None,
    directory: Annotated[Path | None, typer.Option("--dir", help="状态目录 state directory")] = None,
) -> None:
    """演示一个采集日 · Watch a university photograph its graduates; exit status 1 if an invariant is violated."""
    console = Console()
    try:
        played = scenarios.load(scenario)
        doomed = tuple(kills.parse(text) for text in kill or ())
    except (scenarios.ScenarioInvalid, ValueError) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from error
    choices = stage.Choices(
        scenario=played,
        students=played.students.total if full else min(students, played.students.total),
        seed=seed,
        speed=speed,
        camera="virtual-24mp" if camera == "24mp" else camera,
        keep=keep,
        doomed=doomed,
    )
    with _stage_directory(directory, keep=keep) as folder:
        found = _play(folder, choices, console, json, keep=keep)
    raise typer.Exit(0 if found.holds else 1)


@contextlib.contextmanager
def _stage_directory(asked: Path | None, *, keep: bool) -> Iterator[Path]:
    """A directory that no other system uses. What nobody asked to keep is removed."""
    if asked is not None and (asked / "stack.json").exists():
        raise typer.BadParameter(f"{asked} 已有系统，请换一个目录 holds a system already: name another directory")
    folder = asked or Path(tempfile.mkdtemp(prefix="gradphoto-demo-"))
    yield folder
    if asked is None and not keep:
        shutil.rmtree(folder)


def _play(folder: Path, choices: stage.Choices, console: Console, json: Path | None, *, keep: bool) -> report.Report:
    played = choices.scenario
    title = f"{played.campaign.title_zh}  {played.name}  {choices.students} 人 students"
    console.print(title, style="bold", markup=False)
    opening = played.first_day - _BEFORE_THE_DAY
    clock.set_to(layouts.Layout.at(folder).clock, opening.timestamp(), choices.speed)
    stack = _started(folder, console, keep=keep)
    try:
        screen = Screen(console)
        with stack.layout.log("demo").open("a", encoding="utf-8") as log, screen.shown():
            logs.configure("demo", stream=log)
            logging.captureWarnings(capture=True)
            found = asyncio.run(stage.run(stack, choices, screen, json))
        report.show(found, console)
        if keep:
            _show_urls(stack, console)
        return found
    finally:
        if not keep:
            stack.down()


def _started(folder: Path, console: Console, *, keep: bool) -> stacks.Stack:
    """The stack; a supervisor that is killed while it starts is started again, one that gives up is not."""
    try:
        return stacks.start(folder, say=lambda text: console.print(text, style="dim", markup=False), bound=not keep)
    except stacks.SupervisorLost as lost:
        console.print(str(lost), style="dim", markup=False)
        return stacks.start(folder, bound=not keep)


def _show_urls(stack: stacks.Stack, console: Console) -> None:
    for service in stacks.ALL:
        console.print(f"{service}: {stack.url(service)}")
    console.print(f"停止 to stop: ./gradphoto down --dir {stack.layout.root}")
