"""The matrix names only what there is: messages with words, metrics that are kept, alerts with rules."""

import re
from typing import Any

import pytest
import yaml

from cli.faults import command, report
from cli.faults.matrix import Fault, Outcome, Seen
from cli.stack import layout
from kit import messages

ROWS = command.matrix(50)
TRIED = [row for row in ROWS if not row.is_open]
#: What the issue asks for, by the names of the rows.
ASKED = {
    *("camera-unplugged", "camera-busy", "camera-frozen", "camera-empty", "camera-raw", "reader-hang"),
    *("printer-paper-out", "disk-full", "clock-ahead", "clock-behind", "wifi-flap", "hub-lost"),
    *("server-5xx", "store-5xx", "kill-9"),
}


def test_the_public_matrix_is_whole() -> None:
    """Every fault that was asked for has its row."""
    assert {row.name for row in ROWS} == ASKED


@pytest.mark.parametrize("row", TRIED, ids=lambda row: row.name)
def test_a_row_names_what_there_is(row: Fault) -> None:
    """Its message is in the catalogue, in Chinese; its alert is a rule; its metric is of ours."""
    zh, _ = messages.render(
        row.code,
        {"file": "x", "holder": "x", "frames": 1, "waiting": 1, "seconds": 1, "http_status": 503, "silent": "A"},
    )
    assert re.search("[\\u4e00-\\u9fff]", zh)
    assert row.alert in report.alerts()
    assert row.metric.startswith("gradphoto_")


@pytest.mark.parametrize("row", TRIED, ids=lambda row: row.name)
def test_the_alert_of_a_row_looks_at_its_metric(row: Fault) -> None:
    """Not at something else that happens to go wrong in the trial too. Of devices: at what is troubled now."""
    rules = yaml.safe_load((layout.PROJECT / "deploy" / "prometheus" / "rules" / "alerts.yml").read_text("utf-8"))
    (expression,) = [rule["expr"] for group in rules["groups"] for rule in group["rules"] if rule["alert"] == row.alert]
    series = row.metric.partition("{")[0]
    assert series.replace("_faults_total", "_troubled") in expression


@pytest.mark.parametrize(
    "lacks",
    [{"zh": ""}, {"moved": (2.0, 2.0)}, {"frames": 0}, {"planted": 0}, {"control": ""}, {"wrong": ["x"]}],
    ids=lambda lacks: next(iter(lacks)),
)
def test_a_row_passes_only_with_everything_that_is_promised(lacks: dict[str, Any]) -> None:
    """Message, metric, frames, a check that finds losses, control, nothing wrong: each alone fails it, and is told."""
    whole: dict[str, Any] = {"zh": "有字", "moved": (0.0, 1.0), "frames": 3, "planted": 5, "control": "查出"}
    assert Outcome(TRIED[0], Seen(**whole), 1).passed
    failed = Outcome(TRIED[0], Seen(**{**whole, **lacks}), 1)
    assert not failed.passed
    assert len(report.as_dict(failed)["wrong"]) == 1
