"""The matrix names only what there is: messages with words, metrics that are kept, alerts with rules."""

import re

import pytest

from cli.faults import command, report
from cli.faults.matrix import Fault, Outcome, Seen
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


def test_a_row_passes_only_with_message_control_and_nothing_wrong() -> None:
    """Each of the three alone is enough to fail it."""
    row = TRIED[0]
    assert Outcome(row, Seen(zh="有字", control="查出"), 1).passed
    assert not Outcome(row, Seen(zh="", control="查出"), 1).passed
    assert not Outcome(row, Seen(zh="有字", control=""), 1).passed
    assert not Outcome(row, Seen(zh="有字", control="查出", wrong=["x"]), 1).passed
