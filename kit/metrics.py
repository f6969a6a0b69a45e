"""Metrics: the one door to prometheus_client. One process, one registry, names that begin with `gradphoto_`."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import prometheus_client
from prometheus_client import Counter, Gauge, Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Seconds; from a local query to a student's walk to the stool.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)

M = TypeVar("M", Counter, Gauge, Histogram)
_made: dict[str, tuple[Any, tuple[str, ...]]] = {}


class MetricMismatch(ValueError):
    """A name is used for two metrics, or does not begin with `gradphoto_`."""


def counter(name: str, help: str, labels: Sequence[str] = ()) -> Counter:
    """The counter of that name, made at the first call."""
    return _once(Counter, name, labels, lambda: Counter(name, help, labels))


def gauge(name: str, help: str, labels: Sequence[str] = ()) -> Gauge:
    """The gauge of that name, made at the first call."""
    return _once(Gauge, name, labels, lambda: Gauge(name, help, labels))


def histogram(name: str, help: str, labels: Sequence[str] = (), buckets: Sequence[float] = SECONDS) -> Histogram:
    """The histogram of that name, made at the first call; `buckets` are upper bounds."""
    return _once(Histogram, name, labels, lambda: Histogram(name, help, labels, buckets=buckets))


@contextmanager
def timed(measure: Histogram, **labels: str) -> Iterator[None]:
    """Observe how long the block takes, in real seconds, whether it succeeds or not."""
    began = time.perf_counter()
    try:
        yield
    finally:
        (measure.labels(**labels) if labels else measure).observe(time.perf_counter() - began)


@contextmanager
def served(address: str) -> Iterator[None]:
    """The figures, and nothing else, at `host:port` while the block runs; OSError if the port is taken."""
    host, _, port = address.rpartition(":")
    server, thread = prometheus_client.start_http_server(int(port), host)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def exposition() -> bytes:
    """All metrics in Prometheus' text format, to be served as `CONTENT_TYPE`."""
    return prometheus_client.generate_latest()


def _once(kind: type[M], name: str, labels: Sequence[str], make: Callable[[], M]) -> M:
    if not name.startswith("gradphoto_"):
        raise MetricMismatch(f"{name} does not begin with gradphoto_")
    if name not in _made:
        _made[name] = (make(), tuple(labels))
    metric, known = _made[name]
    if not isinstance(metric, kind) or known != tuple(labels):
        raise MetricMismatch(f"{name} is already a {type(metric).__name__} with labels {known}")
    return metric
