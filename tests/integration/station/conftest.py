"""A fake capture that listens, and a station enrolled with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kit import ids
from tests.integration.station import browser
from tests.integration.station.desk import Station
from tests.integration.station.fake_capture import Capture, Running, running


@pytest.fixture
def capture() -> Capture:
    return Capture([str(ids.new()) for _ in range(40)])


@pytest.fixture
def server(capture: Capture) -> Iterator[Running]:
    with running(capture) as server:
        yield server


@pytest.fixture
def station(server: Running, tmp_path: Path) -> Iterator[Station]:
    """Enrolled and started; ended, by its own pid, when the test is over."""
    with _ended(Station(tmp_path / "station", server.capture.url)) as station:
        station.enrol()
        station.start()
        yield station


@pytest.fixture
def bare_station(server: Running, tmp_path: Path) -> Iterator[Station]:
    """Started with an empty directory: it serves no desk yet."""
    with _ended(Station(tmp_path / "station", server.capture.url)) as station:
        station.launch()
        yield station


@contextmanager
def _ended(station: Station) -> Iterator[Station]:
    try:
        yield station
    finally:
        station.client.close()
        if station.process is not None and station.process.poll() is None:
            station.kill()


@pytest.fixture
def page() -> Iterator[browser.Page]:
    """A Chromium of its own, at the size of a small laptop."""
    with browser.opened() as page:
        yield page
