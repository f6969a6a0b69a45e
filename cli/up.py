"""`gradphoto up`: the embedded stack and all services, as supervised processes."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import rich.table
import typer

from cli import screen
from cli.stack import layout as layouts
from cli.stack import stack as stacks


def up(
    directory: screen.Dir = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="留在本终端,Ctrl-C 停止 · stay here; Ctrl-C ends it.")
    ] = False,
    infra: Annotated[
        bool, typer.Option("--infra", help="只启动数据库、总线、对象存储 · database, bus and store only.")
    ] = False,
) -> None:
    """启动整套系统 · Start the embedded stack and all services."""
    services = () if infra else stacks.ALL
    if foreground:
        _stay(directory, services)
    began = time.monotonic()
    try:
        stack = stacks.start(directory, services=services, say=screen.tell)
    except stacks.StartFailed as error:
        screen.fail(f"启动失败 · start failed\n{error}")
    screen.console.print(urls(stack))
    where = f" --dir {directory}" if directory else ""
    screen.console.print(f"{time.monotonic() - began:.1f} s · 停止 to stop: ./gradphoto down{where}")


def urls(stack: stacks.Stack) -> rich.table.Table:
    """Where everything is."""
    table = rich.table.Table("部件 part", "地址 URL", "状态 state", "pid")
    for name, part in stack.state()["parts"].items():
        if part["url"]:
            table.add_row(name, part["url"], part["state"], str(part["pid"]))
    return table


def _stay(directory: Path | None, services: tuple[str, ...]) -> None:
    layout = layouts.Layout.at(directory)
    os.chdir(layouts.PROJECT)
    sys.stdout.flush()
    line = stacks.command(layout, services)
    os.execv(line[0], line)  # noqa: S606 - the supervisor takes this process's place, and with it Ctrl-C
