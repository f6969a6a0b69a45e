"""The matrix as a table, as JSON, and as the page in docs."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cli import screen
from cli.faults.matrix import Fault, Outcome
from cli.stack import layout

_FILE_WIDTH = 160
_HEADINGS = (
    *("故障 fault", "操作员提示 message", "指标 metric", "告警 alert"),
    *("反例 control", "照片 frames", "结果 result"),
)
_RULES = Path("deploy") / "prometheus" / "rules" / "alerts.yml"


def show(outcomes: Sequence[Outcome], console: Console) -> None:
    """A row a fault: what the operator read, what moved, what covers it, what the control showed, frames, verdict."""
    table = Table(title="故障矩阵 Fault matrix", title_justify="left", show_lines=True)
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    for one in outcomes:
        table.add_row(
            f"{one.fault.zh}\n{one.fault.en}\n[dim]{one.fault.simulator}[/dim]",
            f"[bold]{one.fault.code}[/bold]\n{screen.plain(one.seen.zh)}",
            f"{one.fault.metric}\n{_moved(one)}",
            one.fault.alert,
            f"{one.fault.control}\n→ {screen.plain(one.seen.control or '–')}",
            _frames(one),
            _verdict(one),
        )
    _wide(console).print(table)
    console.print(summary(outcomes))


def _wide(console: Console) -> Console:
    """In a file or a pipe seven columns need more room than the eighty characters that are taken for granted there."""
    if console.is_terminal:
        return console
    return Console(file=console.file, width=max(console.width, _FILE_WIDTH), highlight=False)


def _frames(one: Outcome) -> str:
    planted = f"植入缺失均查出 planted losses found: {one.seen.planted}"
    return f"{one.seen.frames}\n{planted}\n[dim]{screen.plain(one.seen.note)}[/dim]"


def summary(outcomes: Sequence[Outcome]) -> str:
    """One line."""
    tried = [one for one in outcomes if not one.fault.is_open]
    passed, frames = sum(one.passed for one in tried), sum(one.seen.frames for one in tried)
    left = len(outcomes) - len(tried)
    return (
        f"{passed}/{len(tried)} 项通过，未做 {left} 项；{frames} 张照片各在服务器上恰一次，哈希一致 · "
        f"{passed} of {len(tried)} rows passed, {left} open; {frames} frames, each on the server once, hash-equal"
    )


def as_dict(one: Outcome) -> dict[str, Any]:
    """A row for machines."""
    fault, seen = one.fault, one.seen
    return {
        "name": fault.name,
        "state": "open" if fault.is_open else "passed" if one.passed else "failed",
        "simulator": fault.simulator,
        "message": {"code": fault.code, "zh": seen.zh},
        "metric": {"series": fault.metric, "before": seen.moved[0], "after": seen.moved[1]},
        "alert": fault.alert,
        "control": {"what": fault.control, "showed": seen.control},
        "frames": seen.frames,
        "planted": seen.planted,
        "wrong": seen.missing,
        "note": seen.note,
        "seconds": round(one.seconds, 1),
    }


def alerts() -> set[str]:
    """The names of all alert rules."""
    return set(re.findall(r"^\s*- alert: (\w+)", (layout.PROJECT / _RULES).read_text("utf-8"), re.MULTILINE))


def kills_of(rows: Sequence[Fault]) -> int:
    """How often agents will be killed: each life may begin another student."""
    return sum(int(found[1]) for row in rows if (found := re.search(r"(\d+) times", row.en)))


def _moved(one: Outcome) -> str:
    before, after = one.seen.moved
    return "" if one.fault.is_open else f"{before:.10g} → {after:.10g}"


def _verdict(one: Outcome) -> str:
    if one.fault.is_open:
        return "[yellow]未做 open[/yellow]"
    if one.passed:
        return f"[green]✓[/green] {one.seconds:.0f} s"
    return "[red]✗[/red] " + screen.plain("\n".join(one.seen.missing))
