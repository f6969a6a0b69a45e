"""Alerts and dashboards speak of metrics that the code keeps, under the labels that the code gives them."""

import functools
import importlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client import Histogram

from cli.stack import layout
from kit import metrics
from tests.contract.deploy import conftest, promql, tools

#: What Prometheus itself adds to every series of ours, and what a station's file of targets may add.
TARGET_LABELS = {"job", "instance", "service", "hall"}
#: Series that others keep: Prometheus, and RabbitMQ with `return_per_object_metrics`.
OF_OTHERS = {"up": set[str](), "rabbitmq_queue_messages": {"queue"}}
DASHBOARDS = sorted((conftest.DEPLOY / "grafana" / "dashboards").glob("*.json"))
RULES = sorted((conftest.DEPLOY / "prometheus" / "rules").glob("*.yml"))


@functools.cache
def kept() -> dict[str, set[str]]:
    """Series → labels, of every metric that a module of ours makes."""
    for part in ("kit", "services", "station"):
        for path in sorted((layout.PROJECT / part).rglob("*.py")):
            if re.search(r"^\w+ = metrics\.(counter|gauge|histogram)\(", path.read_text("utf-8"), re.MULTILINE):
                importlib.import_module(".".join(path.relative_to(layout.PROJECT).with_suffix("").parts))
    series: dict[str, set[str]] = {}
    for name, (metric, labels) in metrics._made.items():
        if isinstance(metric, Histogram):
            series |= {f"{name}_sum": set(labels), f"{name}_count": set(labels), f"{name}_bucket": {*labels, "le"}}
        else:
            series[name] = set(labels)
    return series


def rules() -> list[dict[str, Any]]:
    """All recording and alert rules."""
    return [
        rule for path in RULES for group in yaml.safe_load(path.read_text("utf-8"))["groups"] for rule in group["rules"]
    ]


def alerts() -> list[dict[str, Any]]:
    """The alert rules."""
    return [rule for rule in rules() if "alert" in rule]


def known() -> dict[str, set[str]]:
    """Series → labels, of code, rules and others."""
    recorded = {rule["record"]: set(promql.read(rule["expr"]).grouped) - {"le"} for rule in rules() if "record" in rule}
    return kept() | recorded | OF_OTHERS


def faults(expression: str) -> list[str]:
    """What the expression asks for and nobody keeps."""
    asked = promql.read(expression)
    series = known()
    unknown = [f"no series {name}" for name in asked.series if name not in series]
    labels = set().union(*(series.get(name, set()) for name in asked.series)) | TARGET_LABELS
    wrong = [
        f"{name} has no label {label}"
        for name, label in asked.selected
        if label not in series.get(name, set()) | TARGET_LABELS
    ]
    return unknown + wrong + [f"nothing has the label {label}" for label in asked.grouped - labels]


def left_over(expression: str) -> set[str]:
    """Labels that the result may have."""
    asked = promql.read(expression)
    series = known()
    return set(asked.grouped) or set().union(*(series.get(name, set()) for name in asked.series)) | TARGET_LABELS


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every panel with the name of its dashboard."""
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            yield path.stem, panel


def test_the_reader_of_expressions() -> None:
    """Functions, keywords, durations and texts are no series."""
    asked = promql.read('sum by (a, le) (rate(x_bucket{b=~"c{d}"}[5m])) / on (a) max by (a) (r:s) > 0.5 and up == 1e3')
    assert asked.series == {"x_bucket", "r:s", "up"}
    assert asked.selected == {("x_bucket", "b")}
    assert asked.grouped == {"a", "le"}


def test_metrics_of_the_code_are_found() -> None:
    """Kit, a service and the station are among what is compared with."""
    assert kept()["gradphoto_http_seconds_bucket"] == {"service", "route", "method", "status", "le"}
    assert kept()["gradphoto_desk_queue"] == {"campus", "desk"}
    assert kept()["gradphoto_verify_cases"] == {"campaign", "state"}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("record") or rule.get("alert"))
def test_a_rule_asks_for_what_is_kept(rule: dict[str, Any]) -> None:
    """Its series exist in the code or in another rule, with those labels."""
    assert faults(rule["expr"]) == []


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_tells_a_person_what_to_do(rule: dict[str, Any]) -> None:
    """In Chinese first and in English, with a remedy, and with labels that the alert has."""
    assert rule["labels"]["severity"] in {"page", "warn"}
    for text in (rule["annotations"]["summary"], rule["annotations"]["remedy"]):
        assert set(re.findall(r"\$labels\.(\w+)", text)) <= left_over(rule["expr"])
    assert re.search(r"[\u4e00-\u9fff].* / .*[a-z]", rule["annotations"]["summary"])


def test_every_panel_asks_for_what_is_kept() -> None:
    """Its series and labels exist, also those in its legend."""
    found = []
    for name, panel in panels():
        for target in panel["targets"]:
            legend = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
            wrong = faults(target["expr"]) + [f"no label {label}" for label in legend - left_over(target["expr"])]
            found += [f"{name}: {panel['title']}: {fault}" for fault in wrong]
    assert found == []


def test_every_variable_asks_for_what_is_kept() -> None:
    """A dashboard's choices are the values of a label that exists."""
    asked = [
        re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", variable["query"]["query"])
        for path in DASHBOARDS
        for variable in json.loads(path.read_text("utf-8"))["templating"]["list"]
    ]
    assert asked
    for match in asked:
        assert match is not None
        assert match[2] in known()[match[1]]


def test_dashboards_load_as_provisioned() -> None:
    """Each has an id of its own, panels too, and all ask the data source that is provisioned."""
    provisioned = conftest.DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yml"
    (source,) = yaml.safe_load(provisioned.read_text("utf-8"))["datasources"]
    boards = [json.loads(path.read_text("utf-8")) for path in DASHBOARDS]
    assert len({board["uid"] for board in boards}) == len(boards) == 3
    for board in boards:
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        assert {panel["datasource"]["uid"] for panel in board["panels"]} == {source["uid"]}


def test_promtool_accepts_configuration_and_rules(promtool: Any) -> None:
    """Prometheus would start with these files."""
    config = tools.run(promtool, "check", "config", conftest.DEPLOY / "prometheus" / "prometheus.yml")
    assert config.returncode == 0, config.stdout + config.stderr


def test_alerts_fire_when_they_should(promtool: Any) -> None:
    """The rules' own tests pass."""
    files = sorted((conftest.DEPLOY / "prometheus" / "tests").glob("*.yml"))
    done = tools.run(promtool, "test", "rules", *files)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_seen_to_fire_and_to_be_silent() -> None:
    """No alert without a case in which it fires and one in which it does not."""
    cases = [
        case
        for path in (conftest.DEPLOY / "prometheus" / "tests").glob("*.yml")
        for test in yaml.safe_load(path.read_text("utf-8"))["tests"]
        for case in test.get("alert_rule_test", [])
    ]
    names = {rule["alert"] for rule in alerts()}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == names
