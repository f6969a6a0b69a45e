"""What the demo prints and writes at the end: a table per desk, the reconciliations, the invariants."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from cli import screen
from cli.demo.desks import Desk
from cli.demo.invariants import Finding


@dataclass
class Report:
    """All that a run found out; `as_dict` is what `--json` writes."""

    scenario: str
    seed: int
    plan: dict[str, Any] = field(default_factory=dict)
    desks: list[dict[str, Any]] = field(default_factory=list)
    troubles: dict[str, int] = field(default_factory=dict)
    accidents: list[str] = field(default_factory=list)
    kills: list[str] = field(default_factory=list)
    seals: list[dict[str, Any]] = field(default_factory=list)
    billing: dict[str, Any] = field(default_factory=dict)
    chsi: dict[str, Any] = field(default_factory=dict)
    events: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return bool(self.findings) and all(finding.holds for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "holds": self.holds}

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.as_dict(), ensure_ascii=False, indent=2, default=str) + "\n", "utf-8")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank); 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def desk_row(desk: Desk) -> dict[str, Any]:
    """One desk's figures; seconds are real ones."""
    waits, verdicts = desk.timings["checkin_to_shutter"], desk.timings["shutter_to_verdict"]
    return {
        "desk": desk.code,
        "group": desk.group,
        "students": desk.done,
        "students_per_hour": round(desk.done / desk.busy_s * 3600) if desk.busy_s else 0,
        "checkin_to_shutter_s": {"p50": round(percentile(waits, 0.5), 3), "p95": round(percentile(waits, 0.95), 3)},
        "shutter_to_verdict_s": {
            "p50": round(percentile(verdicts, 0.5), 3),
            "p95": round(percentile(verdicts, 0.95), 3),
        },
        "verdicts_by_rule": dict(sorted(desk.verdicts.items())),
        "retakes": desk.retakes,
    }


def show(report: Report, console: Console) -> None:
    """Print the whole report, tables first."""
    console.print(_desk_table(report.desks))
    console.print(_sums_table(report))
    console.print(_findings_table(report.findings))
    for finding in report.findings:
        for violation in finding.violations:
            console.print(f"  ✗ {finding.zh} {finding.en}: {violation}", style="red", markup=False)


_HEADINGS = (
    "台\ndesk",
    "人数\nheads",
    "人/时\nper h",
    "签到→快门 s\nscan→shutter",
    "快门→判定 ms\nshot→verdict",
    "重拍\nretakes",
)

#: What the report's own names are called; rule ids and accidents speak for themselves.
_WORDS = {
    "late": "迟到",
    "absent": "缺席",
    "queue_jump": "插队",
    "walk_off": "离开",
    "walk_off_for_good": "一去不回",
    "double_scan": "重复扫码",
    "walk_in": "临时到场",
    "forgotten_code": "忘带采集码",
    "tariff_fen": "单价",
    "photographed_heads": "拍摄人数",
    "paid_heads": "缴费人数",
    "owed_fen": "应收",
    "paid_fen": "实收",
    "refunded_fen": "退费",
    "open_fen": "未收",
    "ledger_balance_fen": "账平差额",
    "mode": "方式",
    "batch": "交付",
    "missed": "未拍",
    "confirmed": "已确认",
    "corrected": "已更正",
    "defaulted": "逾期视为确认",
    "makeup_done": "已补拍",
    "makeup_expired": "补拍逾期",
    "seen": "收到",
    "repeats": "重复",
}


def _desk_table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(title="各采集台 Desks (p50/p95)", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading is _HEADINGS[0] else "right", no_wrap=True)
    table.add_column("按规则判定\nverdicts by rule")
    for row in rows:
        table.add_row(*_desk_cells(row))
    return table


def _desk_cells(row: dict[str, Any]) -> tuple[str, ...]:
    waits, verdicts = row["checkin_to_shutter_s"], row["shutter_to_verdict_s"]
    return (
        screen.plain(row["desk"]),
        str(row["students"]),
        str(row["students_per_hour"]),
        f"{waits['p50']:.2f}/{waits['p95']:.2f}",
        f"{verdicts['p50'] * 1000:.0f}/{verdicts['p95'] * 1000:.0f}",
        str(row["retakes"]),
        "  ".join(f"{rule} {count}" for rule, count in row["verdicts_by_rule"].items()),
    )


def _sums_table(report: Report) -> Table:
    table = Table(title="对账 Reconciliation", title_justify="left", show_header=False, box=box.SIMPLE)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("场景 scenario", screen.plain(report.scenario))
    table.add_row("现场 on the day", _listed(dict(sorted(report.troubles.items()))))
    table.add_row("故障 accidents", screen.plain("\n".join([*report.accidents, *report.kills])))
    balanced = sum(1 for seal in report.seals if seal["balanced"])
    table.add_row("封存 seals", f"{balanced}/{len(report.seals)} 平 balanced")
    table.add_row("收费 billing", _listed(report.billing))
    table.add_row("学信网 CHSI", _listed(report.chsi))
    table.add_row("事件 events", _listed(report.events))
    table.add_row("用时 seconds", "  ".join(f"{name} {value:.0f}" for name, value in report.seconds.items()))
    return table


def _listed(figures: Mapping[str, Any]) -> str:
    """Each name in both languages with its figure; sums of money in yuan."""
    return " · ".join(_figure(name, value) for name, value in figures.items())


def _figure(name: str, value: Any) -> str:
    word = _WORDS.get(name, "")
    if name.endswith("_fen"):
        return f"{word} {name.removesuffix('_fen')} {value / 100:.2f} 元".strip()
    return f"{word} {name} {value}".strip()


_INVARIANTS = "不变量（自外部查验） Invariants, checked from outside"


def _findings_table(findings: Sequence[Finding]) -> Table:
    table = Table(title=_INVARIANTS, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("", "不变量", "invariant", "查验 checked"):
        table.add_column(heading)
    for finding in findings:
        mark = "[green]✓[/green]" if finding.holds else "[red]✗[/red]"
        table.add_row(mark, finding.zh, finding.en, str(finding.checked))
    return table
