"""`gradphoto clock`: the simulated time of the embedded stack."""

import datetime
from typing import Annotated

import typer

from cli import screen
from cli.stack import clock as clocks
from cli.stack import layout as layouts

app = typer.Typer(help="本机系统的模拟时钟 · The simulated clock of the embedded stack.", no_args_is_help=True)


@app.command("set")
def set_(
    moment: Annotated[str, typer.Argument(help="带时区的时刻 · e.g. 2017-11-01T00:00+08:00")],
    speed: Annotated[float, typer.Option(help="一秒当作几秒 · seconds of simulated time a real second.")] = 1.0,
    directory: screen.Dir = None,
) -> None:
    """拨钟 · Set the time, at once for all services."""
    try:
        at = datetime.datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError("缺少时区,如 +08:00 · no time zone, such as +08:00")
        clocks.set_to(layouts.Layout.at(directory).clock, at.timestamp(), speed)
    except ValueError as error:
        screen.fail(f"{moment}: {error}")
    show(directory)


@app.command()
def show(directory: screen.Dir = None) -> None:
    """看钟 · Show the time."""
    now = clocks.now(layouts.Layout.at(directory).clock)
    screen.console.print(datetime.datetime.fromtimestamp(now, datetime.UTC).astimezone().isoformat(timespec="seconds"))


@app.command()
def reset(directory: screen.Dir = None) -> None:
    """恢复真实时间 · Back to real time."""
    clocks.reset(layouts.Layout.at(directory).clock)
    show(directory)
