"""kill -9 at random points: every journalled frame reaches the server exactly once, with its hash.

Here before a server that fails at random; many more kills are in tests/integration/capture/test_kills.py.
"""

import hashlib
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.integration.station.desk import Station
from tests.integration.station.fake_capture import Capture, Running

Act = Callable[[], dict[str, Any]]


class Operator:
    """Somebody who asks again when the desk's program died under their hands, and has it started anew."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.kills = 0

    def do(self, act: Act) -> dict[str, Any]:
        """The answer, after as many restarts as it takes."""
        while True:
            try:
                return act()
            except httpx.TransportError:
                assert self.station.process is not None
                self.station.process.wait(timeout=10)
                self.station.start()

    def kill_after(self, seconds: float) -> threading.Timer:
        """Have the station killed while the operator works."""
        assert self.station.process is not None
        timer = threading.Timer(seconds, self.station.process.kill)
        timer.start()
        self.kills += 1
        return timer

    def photograph(self, place: int, flaw: str | None) -> str:
        """Check in, seat, shoot, retake once when flawed, keep; the capture id kept."""
        post = self.station.post
        ticket = self.do(lambda: post("/v1/checkins", {"scan": f"scan-{place}"}))["ticket"]
        state = self.do(lambda: post("/v1/seat", {"ticket": ticket}))
        assert state["seated"] == ticket
        if flaw:
            shot = self.shoot(place, flaw)
            self.do(lambda: post("/v1/decision", {"capture_id": shot["capture_id"], "decision": "retake"}))
        shot = self.shoot(place + 500, None)
        assert shot["ticket"] == ticket
        self.do(lambda: post("/v1/decision", {"capture_id": shot["capture_id"], "decision": "keep"}))
        return str(shot["capture_id"])

    def shoot(self, seed: int, flaw: str | None) -> dict[str, Any]:
        self.station.sit_down(seed, flaw)
        return self.do(lambda: self.station.post("/v1/shutter"))


@pytest.mark.slow
def test_every_journalled_frame_arrives_once_whatever_kills_the_agent(capture: Capture, station: Station) -> None:
    """15 captures, kills in mid-work, a server that fails a fifth of the time: all frames arrive, once, whole."""
    dice = random.Random(11)
    capture.failing_share = 0.2
    operator = Operator(station)
    kept: dict[str, str] = {}
    for place in range(15):
        if place % 4 == 2:
            operator.kill_after(dice.uniform(0.0, 0.6))
        capture_id = operator.photograph(place, "blurred" if place % 5 == 0 else None)
        kept[capture_id] = capture.students[place]
    time.sleep(0.7)
    state = operator.do(lambda: station.get("/v1/state"))
    assert state["drift"] is None
    capture.failing_share = 0.0
    operator.do(station.drained)
    journal = station.get("/v1/journal")["items"]
    assert operator.kills == 4
    assert {row["capture_id"] for row in journal} == set(capture.captures)
    assert len({row["capture_id"] for row in journal}) == len(journal) >= 18
    for row in journal:
        stored = capture.objects[row["sha256"]]
        assert hashlib.sha256(stored).hexdigest() == row["sha256"] == capture.captures[row["capture_id"]]["sha256"]
    assert capture.conflicts == []
    bound = {key: row["student_id"] for key, row in capture.captures.items() if row["decision"] == "keep"}
    assert bound == kept
    assert len(capture.checkins) == 15
    assert not list((station.directory / "spool").iterdir())
    seal = station.post("/v1/sessions/seal")
    assert seal["balanced"]
    assert seal["camera_frames"] == seal["stored_frames"] == len(journal)


def test_an_undecided_frame_awaits_its_decision_after_a_restart(capture: Capture, station: Station) -> None:
    """A frame shot but not decided when the agent dies comes back as it was, and the queue with it."""
    first = station.post("/v1/checkins", {"scan": "scan-0"})["ticket"]
    second = station.post("/v1/checkins", {"scan": "scan-1"})["ticket"]
    station.post("/v1/seat")
    station.sit_down(0)
    shot = station.post("/v1/shutter")
    station.kill()
    station.start()
    state = station.get("/v1/state")
    assert state["queue"] == [second]
    assert state["seated"] == first == "A-0001"
    assert [frame["capture_id"] for frame in state["undecided"]] == [shot["capture_id"]]
    again = station.post("/v1/shutter")
    assert (again["capture_id"], again["verdict"]) == (shot["capture_id"], shot["verdict"])
    station.post("/v1/decision", {"capture_id": shot["capture_id"], "decision": "unbound"})
    station.drained()
    assert capture.captures[shot["capture_id"]]["student_id"] is None
    assert station.post("/v1/checkins", {"scan": "scan-2"})["ticket"] == "A-0003"


def test_the_day_goes_on_without_a_server(capture: Capture, server: Running, station: Station) -> None:
    """With the server gone the desk works; a kill later everything arrives, check-in before its capture."""
    station.photograph(0)
    station.drained()
    server.down()
    shots = [station.photograph(place) for place in (1, 2, 3)]
    assert not station.get("/v1/state")["online"]
    assert len(list((station.directory / "spool").iterdir())) == 3
    station.kill()
    station.start()
    assert station.get("/v1/state")["backlog"] == 6
    server.up()
    assert station.drained()["online"]
    assert {shot["capture_id"] for shot in shots} <= set(capture.captures)
    places = {what: place for place, what in enumerate(capture.order)}
    for key, row in capture.captures.items():
        assert places[f"checkin {row['checkin_id']}"] < places[f"capture {key}"]


def test_a_second_agent_on_one_directory_is_refused(station: Station) -> None:
    """Two agents over one journal would issue the same numbers: the second says so and ends."""
    second = station.run_to_end("run")
    assert second.returncode == 2
    assert "station's directory" in second.stderr.decode()
    assert station.photograph(0)["verdict"] == "accept"
