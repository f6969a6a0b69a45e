"""Three desks of one hall, as processes of their own, without a server: one queue, a hub that dies, a split."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from kit import ids
from tests.integration.station.desk import Station
from tests.integration.station.fake_capture import Running, running
from tests.integration.station.fake_hall import HallCapture

#: A lease so long that a busy machine's stalls are not taken for a desk's death; a dead one is known at once.
LEASE_S = "60"


@pytest.fixture
def capture() -> HallCapture:
    return HallCapture([str(ids.new()) for _ in range(20)])


@pytest.fixture
def hall(capture: HallCapture, tmp_path: Path) -> Iterator[tuple[Running, list[Station]]]:
    """Three stations that have found each other by the server's list."""
    with ExitStack() as stack, running(capture) as server:
        stations = [
            Station(tmp_path / code, capture.url, GRADPHOTO_STATION_HALL_LEASE_S=LEASE_S) for code in ("A", "B", "C")
        ]
        for station in stations:
            stack.callback(_end, station)
            station.enrol()
            (station.directory / "hall.json").write_text(json.dumps({"listen": "127.0.0.1:0"}))
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda station: station.start(), stations))
        until(lambda: all(len(of(station)["heard"]) == 2 for station in stations))
        until(lambda: sorted(of(station)["part"] for station in stations) == ["hub", "member", "member"])
        yield server, stations


def _end(station: Station) -> None:
    station.client.close()
    if station.process is not None and station.process.poll() is None:
        station.kill()


def of(station: Station) -> dict[str, Any]:
    """The desk in its hall."""
    hall: dict[str, Any] = station.get("/v1/state")["hall"]
    return hall


def until(so: Callable[[], bool], timeout_s: float = 300) -> None:
    """Wait for it."""
    deadline = time.monotonic() + timeout_s
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def scan(station: Station, place: int) -> dict[str, Any]:
    return station.post("/v1/checkins", {"scan": f"scan-{place}"})


def shoot(station: Station, ticket: str, place: int) -> None:
    """Seat this ticket's holder, take their picture and keep it."""
    station.post("/v1/seat", {"ticket": ticket})
    station.sit_down(place)
    shot = station.post("/v1/shutter")
    station.post("/v1/decision", {"capture_id": shot["capture_id"], "decision": "keep"})


@pytest.mark.slow
def test_a_hall_without_a_server(capture: HallCapture, hall: tuple[Running, list[Station]]) -> None:
    """One queue; two scans at once, one ticket; the hub is killed and replaced; a split is kept, seen and told."""
    server, stations = hall
    a, b, c = stations
    server.down()

    both_scan_the_same_student(b, c)
    one_queue_for_all(a, b, c)
    hub = next(station for station in stations if of(station)["part"] == "hub")
    others = [station for station in stations if station is not hub]
    the_hub_dies(hub, others)
    a_split_is_seen(*others)
    hub.launch()
    until(lambda: of(hub)["part"] == "member" and of(hub)["doubles"] == 1)
    server.up()
    the_server_has_both(capture, stations)


def both_scan_the_same_student(b: Station, c: Station) -> None:
    """Exactly one of them gets the student; the other is told which ticket they hold."""
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda station: scan(station, 0), (b, c)))
    assert sorted(answer["outcome"] for answer in answers) == ["already_ticketed", "issued"]
    assert len({answer["ticket"] for answer in answers}) == 1


def one_queue_for_all(a: Station, b: Station, c: Station) -> None:
    """Whoever checked in anywhere waits everywhere, and is called once."""
    tickets = [scan(b, 0)["ticket"], scan(a, 1)["ticket"], scan(c, 2)["ticket"]]
    for station in (a, b, c):
        until(lambda station=station: station.get("/v1/state")["queue"] == tickets)  # type: ignore[misc]
    assert c.post("/v1/seat")["seated"] == tickets[0]
    until(lambda: all(station.get("/v1/state")["queue"] == tickets[1:] for station in (a, b)))
    with ThreadPoolExecutor(2) as pool:
        seated = list(pool.map(lambda station: station.post("/v1/seat")["seated"], (a, b)))
    assert sorted(seated) == sorted(tickets[1:])
    for station in (a, b, c):
        ticket = station.get("/v1/state")["seated"]
        shoot(station, ticket, 50)
    until(lambda: scan(a, 0)["outcome"] == scan(b, 2)["outcome"] == scan(c, 1)["outcome"] == "already_photographed")


def the_hub_dies(hub: Station, others: list[Station]) -> None:
    """What it granted last is known to whom it granted it; the next desk takes over and grants no one twice."""
    held = scan(others[0], 3)
    assert held["outcome"] == "issued"
    before = of(others[0])["term"]
    hub.kill()
    again = scan(others[1], 3)
    assert (again["outcome"], again["ticket"]) == ("already_ticketed", held["ticket"])
    until(lambda: sorted(of(station)["part"] for station in others) == ["hub", "member"])
    fresh = scan(others[1], 4)
    assert fresh["outcome"] == "issued"
    until(lambda: all(station.get("/v1/state")["queue"] == [held["ticket"], fresh["ticket"]] for station in others))
    until(lambda: len({of(station)["term"] for station in others}) == 1)
    assert of(others[0])["term"] > before
    for station, ticket in zip(others, (held["ticket"], fresh["ticket"]), strict=True):
        shoot(station, ticket, 51)


def a_split_is_seen(x: Station, y: Station) -> None:
    """Cut off, both take the same two students; together again they know it, and stop before the second photo."""
    y.post("/v1/network", {"online": True, "lan": False})
    until(lambda: of(x)["part"] == of(y)["part"] == "alone")
    for station in (x, y):
        shoot(station, scan(station, 5)["ticket"], 52)
    waiting = {station: scan(station, 6)["ticket"] for station in (x, y)}
    assert waiting[x] != waiting[y]
    y.post("/v1/network", {"online": True, "lan": True})
    until(lambda: of(x)["doubles"] == of(y)["doubles"] == 2)
    until(lambda: all(len(station.get("/v1/state")["queue"]) == 2 for station in (x, y)))
    for station in (x, y):
        state = station.post("/v1/seat", {"ticket": waiting[station]})
        assert (state["seated"], state["drift"]["sign"]) == (None, "double_checkin")
        if station is x:
            answer = {"drift_id": state["drift"]["drift_id"], "resolution": "expected"}
            assert station.post("/v1/drift/resolve", answer)["seated"] == waiting[x]
            shoot(x, waiting[x], 53)
        else:
            station.post("/v1/drift/resolve", {"drift_id": state["drift"]["drift_id"], "resolution": "seen"})
    until(lambda: of(x)["doubles"] == of(y)["doubles"] == 1)


def the_server_has_both(capture: HallCapture, stations: list[Station]) -> None:
    """Each frame once, each check-in alike whoever tells it; those made in the split say so."""
    for station in stations:
        station.post("/v1/network", {"online": True})
        station.drained(300)
    assert capture.conflicts == []
    kept = [row["student_id"] for row in capture.captures.values()]
    assert sorted(map(capture.students.index, kept)) == [0, 1, 2, 3, 4, 5, 5, 6]
    apart = {
        capture.students.index(capture.checkins[key]["student_id"])
        for key, told in capture.grants.items()
        if any(grant["apart"] for grant in told)
    }
    assert apart >= {5, 6}
    assert len(capture.checkins) == 9
    assert len(capture.releases) == 1
