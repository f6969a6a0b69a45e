"""`gradphoto check`: format, style, types, import rules and contracts, in under a minute."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import rich.table
import typer

from cli import screen
from cli.stack import layout as layouts

_BIN = Path(sys.executable).parent
STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("格式 format", (str(_BIN / "ruff"), "format", "--check", "--quiet", ".")),
    ("风格 style", (str(_BIN / "ruff"), "check", "--quiet", ".")),
    ("类型 types", (str(_BIN / "mypy"),)),
    ("导入规则 import rules", (str(_BIN / "lint-imports"),)),
    ("契约 contracts", (sys.executable, "-m", "gradphoto_contracts", "check")),
)


def check(
    fix: Annotated[bool, typer.Option("--fix", help="先自动整理格式 · format first.")] = False,
) -> None:
    """检查代码(不运行测试)· Check the code without running tests."""
    if fix:
        subprocess.run([_BIN / "ruff", "format", "--quiet", "."], cwd=layouts.PROJECT, check=False)
        subprocess.run([_BIN / "ruff", "check", "--fix", "--quiet", "."], cwd=layouts.PROJECT, check=False)
    if not run():
        raise typer.Exit(1)


def run() -> bool:
    """Run all steps, also after one failed; prints what failed and a table. True if all is clean."""
    table = rich.table.Table("检查 check", "", "s")
    began = time.monotonic()
    clean = True
    for name, command in STEPS:
        started = time.monotonic()
        done = subprocess.run(command, cwd=layouts.PROJECT, capture_output=True, text=True, check=False)
        passed = done.returncode == 0
        clean &= passed
        if not passed:
            screen.console.rule(name)
            screen.console.print((done.stdout + done.stderr).strip(), markup=False)
        table.add_row(name, screen.MARKS[passed], f"{time.monotonic() - started:.1f}")
    table.add_row("合计 total", screen.MARKS[clean], f"{time.monotonic() - began:.1f}")
    screen.console.print(table)
    return clean
