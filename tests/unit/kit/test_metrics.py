"""Metrics."""

from itertools import count

import pytest

from kit import metrics

_numbers = count()


@pytest.fixture
def name() -> str:
    """A metric's name that no other test has."""
    return f"gradphoto_test_{next(_numbers)}_total"


def test_a_metric_is_made_once(name: str) -> None:
    """Asked for twice it is the same one, so that two modules may count together."""
    first = metrics.counter(name, "A test", ["desk"])
    first.labels("A1").inc()
    metrics.counter(name, "A test", ["desk"]).labels("A1").inc()
    assert f'{name}{{desk="A1"}} 2.0' in metrics.exposition().decode()


def test_one_name_is_one_metric(name: str) -> None:
    """The same name with other labels or of another kind is a mistake."""
    metrics.counter(name, "A test", ["desk"])
    with pytest.raises(metrics.MetricMismatch):
        metrics.counter(name, "A test", ["campus"])
    with pytest.raises(metrics.MetricMismatch):
        metrics.gauge(name, "A test", ["desk"])


def test_names_are_ours() -> None:
    """A name without our prefix is refused."""
    with pytest.raises(metrics.MetricMismatch):
        metrics.gauge("queue_length", "A test")


def test_timed_observes_success_and_failure(name: str) -> None:
    """A block that fails took its time as well."""
    measured = metrics.histogram(name, "A test", ["part"], buckets=[0.1, 1])
    with metrics.timed(measured, part="x"):
        pass
    with pytest.raises(RuntimeError), metrics.timed(measured, part="x"):
        raise RuntimeError
    assert f'{name}_count{{part="x"}} 2.0' in metrics.exposition().decode()
