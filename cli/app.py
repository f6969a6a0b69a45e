"""The root of the command line. A sub-command is one module of `cli`, named here once."""

import importlib
import importlib.util
import sys
from typing import Any

import typer
import typer.main
from typer import rich_utils

PROGRAM = "./gradphoto"
_HELP = ["-h", "--help"]

#: Sub-command → module, which offers a typer app named `app`, or a function: of the same name, or as after the colon.
COMMANDS = {
    "demo": "cli.demo.command",
    "up": "cli.up",
    "down": "cli.down",
    "status": "cli.status",
    "doctor": "cli.doctor",
    "token": "cli.token",
    "clock": "cli.clock",
    "dead": "cli.dead",
    "station": "cli.station",
    "audit": "cli.audit",
    "looks": "cli.looks",
    "photo": "cli.photo.command",
    "secrets": "cli.env_file:write",
    "check": "cli.check",
    "test": "cli.suite",
    "bench": "cli.bench.command",
    "canary": "cli.canary.command",
    "faults": "cli.faults.command",
    "drift": "cli.drift.command",
}


def build(names: list[str]) -> typer.Typer:
    """The command line with these sub-commands."""
    root = typer.Typer(
        name="gradphoto",
        help="毕业生图像采集系统 · Graduate-photo capture.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": _HELP},
    )
    root.callback()(lambda: None)  # so that a single sub-command is still called by its name
    for name in names:
        where, _, function = COMMANDS[name].partition(":")
        module = importlib.import_module(where)
        if hasattr(module, "app"):
            root.add_typer(module.app, name=name)
        else:
            root.command(name)(getattr(module, function or name))
    return root


def main() -> None:
    """Run the command line; only the module of the sub-command in question is imported, so that it answers at once."""
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    names = [asked] if asked in COMMANDS and _exists(asked) else [name for name in COMMANDS if _exists(name)]
    speak_both(build(names))(prog_name=PROGRAM)


def speak_both(root: typer.Typer) -> Any:
    """The whole command line, with the library's own words in both languages."""
    rich_utils.OPTIONS_PANEL_TITLE = "选项 Options"
    rich_utils.ARGUMENTS_PANEL_TITLE = "参数 Arguments"
    rich_utils.COMMANDS_PANEL_TITLE = "命令 Commands"
    rich_utils.ERRORS_PANEL_TITLE = "命令行有误 Error"
    rich_utils.RICH_HELP = "用法见 see [blue]'{command_path} {help_option}'[/]"
    whole = typer.main.get_command(root)
    _explain_help(whole, typer.Context(whole, help_option_names=_HELP))
    return whole


def _explain_help(command: Any, context: typer.Context) -> None:
    command.get_help_option(context).help = "显示本说明 · Show this message and exit."
    for each in getattr(command, "commands", {}).values():
        _explain_help(each, context)


def _exists(name: str) -> bool:
    where = COMMANDS[name].partition(":")[0]
    parent = where.rpartition(".")[0]
    return importlib.util.find_spec(parent) is not None and importlib.util.find_spec(where) is not None
