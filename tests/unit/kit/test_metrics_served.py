"""Figures for a Prometheus on another machine."""

import socket
import urllib.error
import urllib.request

import pytest

from kit import metrics


def test_the_figures_are_served_while_the_block_runs_and_no_longer() -> None:
    """At that address /metrics answers; afterwards nobody listens there."""
    metrics.counter("gradphoto_served_things_total", "Things").inc(3)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with metrics.served(address), urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        assert b"gradphoto_served_things_total 3.0" in answer.read()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://{address}/metrics", timeout=5)
