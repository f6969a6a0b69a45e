"""`gradphoto test`: the tests, from the fast ones to those on both brokers."""

import enum
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import rich.table
import typer

from cli import screen
from cli.stack import layout as layouts
from cli.stack.parts import rabbitmq

FAST = ("tests/unit", "tests/contract", "tests/architecture")
# The longest first, so that no process is left alone with it at the end.
REAL = ("tests/story", "tests/integration", "tests/adapters")
#: Processes that share the tests, file by file, each with real parts of its own; half of the time is spent waiting.
AT_ONCE = max(2, min(4, os.cpu_count() or 1))
Lane = tuple[str, tuple[str, ...], dict[str, str]]  # its name, its folders, its environment
NEWER_CHROOT = Path("/var/lib/gradphoto/rabbitmq-newer")


class Extent(enum.StrEnum):
    """How much to run."""

    FAST = "fast"
    PLAIN = "plain"
    ALL = "all"


def test(
    extent: Annotated[
        Extent,
        typer.Argument(help="fast:不启动服务;plain:真实部件;all:再加 RabbitMQ 4.3 · no servers; real parts; and 4.3"),
    ] = Extent.PLAIN,
    extra: Annotated[list[str] | None, typer.Argument(help="传给 pytest,写在 -- 之后 · for pytest, after --")] = None,
) -> None:
    """运行测试 · Run the tests."""
    lanes: list[Lane] = [("快速 fast", FAST, {})]
    if extent is not Extent.FAST:
        lanes.append(("真实部件 real parts", REAL, {}))
    if extent is Extent.ALL:
        for _, _, environment in lanes:
            environment["GRADPHOTO_TEST_EXTENT"] = "all"
        lanes.append(("RabbitMQ 4.3", REAL, {"GRADPHOTO_RABBITMQ": _newer_broker(), "GRADPHOTO_TEST_LANE": "newer"}))
    if not _run(lanes, extra or []):
        raise typer.Exit(1)


def _run(lanes: list[Lane], extra: list[str]) -> bool:
    table = rich.table.Table("测试 tests", "", "s")
    passed = True
    for name, folders, environment in lanes:
        began = time.monotonic()
        well = _pytest(folders, environment, extra)
        passed &= well
        table.add_row(name, screen.MARKS[well], f"{time.monotonic() - began:.0f}")
    screen.console.print(table)
    return passed


def _pytest(folders: tuple[str, ...], environment: dict[str, str], extra: list[str]) -> bool:
    present = [folder for folder in folders if (layouts.PROJECT / folder).is_dir()]
    side_by_side = ["-n", str(AT_ONCE), "--dist", "loadfile", "--no-loadscope-reorder"]
    command = [sys.executable, "-m", "pytest", "-q", *side_by_side, *present, *extra]
    return subprocess.run(command, cwd=layouts.PROJECT, env={**os.environ, **environment}, check=False).returncode == 0


def _newer_broker() -> str:
    given = os.environ.get("GRADPHOTO_RABBITMQ_NEWER")
    if given:
        return given
    if not rabbitmq.may_install():
        screen.fail(
            "没有 RabbitMQ 4.3:请设置 GRADPHOTO_RABBITMQ_NEWER(程序或 chroot)· "
            "no RabbitMQ 4.3: set GRADPHOTO_RABBITMQ_NEWER to its server program, or run as root on Debian"
        )
    script = layouts.PROJECT / "deploy" / "rabbitmq" / "newer.sh"
    if subprocess.run([script, NEWER_CHROOT], check=False).returncode:
        screen.fail("无法准备 RabbitMQ 4.3 · RabbitMQ 4.3 could not be set up")
    return str(NEWER_CHROOT)
