"""A whole station with a tethered camera: what the photographer and the operator take is journalled and sent."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from station.cameras.tethered import faulty
from tests.integration.station.desk import Station
from tests.integration.station.fake_capture import Capture, Running


@pytest.fixture
def tethered(server: Running, tmp_path: Path) -> Iterator[Station]:
    """Enrolled with the simulated tethered camera, before which somebody sits."""
    station = Station(tmp_path / "station", server.capture.url)
    station.enrol("simulated")
    station.sit_down(0)
    station.start()
    yield station
    station.client.close()
    if station.process is not None and station.process.poll() is None:
        station.kill()


def test_presses_survive_the_cable_and_the_agent_s_death(capture: Capture, tethered: Station) -> None:
    """The cable breaks as the shutter goes, then the agent is killed: three students, three frames, each sent once."""
    folder = tethered.directory / "camera"
    shots = [tethered.photograph(0)]
    faulty.write_script(folder, {"fault": "cable", "step": "lost"}, {"fault": "unplugged", "step": "open"})
    shots.append(tethered.photograph(1))
    door = json.loads((tethered.directory / "door.json").read_text())
    figures = httpx.get(door["metrics"], trust_env=False, timeout=30).text
    for fault in ("io", "unplugged"):
        assert f'device="camera",fault="{fault}"' in figures.replace('desk="A",', "").replace(" ", "")
    tethered.kill()
    tethered.start()
    shots.append(tethered.photograph(2))
    tethered.drained()
    assert set(capture.captures) == {shot["capture_id"] for shot in shots}
    counters = sorted(row["frame_counter"] for row in capture.captures.values())
    assert counters == [1, 2, 3]
    assert set(capture.capture_puts.values()) == {1}
    assert len(list((folder / "card").glob("*.JPG"))) == 3


def test_the_photographer_fires_and_whoever_sits_is_meant(capture: Capture, tethered: Station) -> None:
    """Nobody at the desk presses anything but the decision."""
    ticket = tethered.post("/v1/checkins", {"scan": "scan-0"})["ticket"]
    tethered.post("/v1/seat", {"ticket": ticket})
    (tethered.directory / "camera" / faulty.PRESS).touch()
    state = tethered.wait_for(lambda state: any(frame["verdict"] for frame in state["undecided"]))
    assert [frame["ticket"] for frame in state["undecided"]] == [ticket]
    tethered.post("/v1/decision", {"capture_id": state["undecided"][0]["capture_id"], "decision": "keep"})
    tethered.drained()
    (row,) = capture.captures.values()
    assert (row["ticket"], row["camera_serial"], row["frame_counter"]) == (ticket, "drawn-1", 1)
