"""What all sub-commands share on the screen: the console, the option `--dir`, and how to fail with one sentence."""

from pathlib import Path
from typing import Annotated, NoReturn

import rich.console
import rich.markup
import typer

console = rich.console.Console(highlight=False)
errors = rich.console.Console(stderr=True, highlight=False)

Dir = Annotated[
    Path | None,
    typer.Option(
        "--dir", help="状态目录,默认项目内 .gradphoto · state directory, .gradphoto in the project by default."
    ),
]

MARKS = {True: "[green]✓[/green]", False: "[red]✗[/red]"}


def tell(text: str) -> None:
    """A line of progress, not broken at the terminal's width."""
    console.print(text, markup=False, soft_wrap=True)


def plain(text: object) -> str:
    """Text from outside for a cell or a line: a bracket in it is a bracket, and no markup."""
    return rich.markup.escape(str(text))


def fail(text: str, code: int = 1) -> NoReturn:
    """Say what is wrong and end with an exit status."""
    errors.print(text, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)
