"""What the world does to a desk: wrong clocks, lost networks, damaged disks, people at a door that is not theirs."""

import json
from datetime import datetime, timedelta

import httpx
import pytest

from tests.integration.station.desk import Station
from tests.integration.station.fake_capture import Capture


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _problem(error: httpx.HTTPStatusError) -> tuple[int, str]:
    return error.response.status_code, error.response.json()["code"]


def test_a_clock_ten_minutes_off_is_measured_and_applied(capture: Capture, station: Station) -> None:
    """The server's clock jumps by an hour: the station learns it from the refusal and goes on, with right times."""
    station.photograph(0)
    station.drained()
    capture.skew = timedelta(hours=1)
    shot = station.photograph(1)
    state = station.drained()
    assert capture.skew_answers >= 1
    assert state["skew_s"] == pytest.approx(3600, abs=30)
    assert shot["capture_id"] in capture.captures
    station.kill()
    station.start()
    assert station.get("/v1/state")["skew_s"] == pytest.approx(3600, abs=30)
    station.photograph(2)
    station.drained()
    (last,) = [row for row in capture.captures.values() if row["ticket"] == "A-0003"]
    assert abs((capture.now() - _time(last["shutter_at"])).total_seconds()) < 60


def test_the_cable_pulled_for_a_drill(capture: Capture, station: Station) -> None:
    """Unplugged, the desk works and says so; plugged in again, everything goes up; students done elsewhere are told."""
    station.post("/v1/network", {"online": False})
    station.photograph(0)
    state = station.get("/v1/state")
    assert (state["online"], state["backlog"], len(capture.captures)) == (False, 2, 0)
    capture.elsewhere.add(capture.students[7])
    station.post("/v1/network", {"online": True})
    assert station.drained()["online"]
    assert len(capture.captures) == 1
    answers = {station.post("/v1/checkins", {"scan": "unknown"})["outcome"]}
    for _ in range(200):
        answer = station.post("/v1/checkins", {"scan": "scan-7"})
        if answer["outcome"] == "already_photographed":
            break
        station.post(f"/v1/tickets/{answer['ticket']}/release", {"reason": "waits for the pack"})
        answers.add(station.post("/v1/checkins", {"scan": "unknown"})["outcome"])
    assert answers == {"unknown_code"}
    assert answer["outcome"] == "already_photographed"
    assert answer["zh"]
    assert answer["en"]


def test_a_damaged_frame_is_told_and_does_not_stop_the_desk(capture: Capture, station: Station) -> None:
    """A spooled frame altered on the disk is never uploaded as if it were right; others go on."""
    station.post("/v1/network", {"online": False})
    bad, good = station.photograph(0), station.photograph(1)
    station.kill()
    file = station.directory / "spool" / f"{bad['capture_id']}.frame"
    sealed = bytearray(file.read_bytes())
    sealed[len(sealed) // 2] ^= 1
    file.write_bytes(sealed)
    station.start()
    station.wait_for(lambda state: state["backlog"] == 1)
    assert station.get("/v1/state")["refused"] == {"sealed-data-unreadable": 1}
    assert set(capture.captures) == {good["capture_id"]}
    assert bad["sha256"] not in capture.objects


def test_the_door_is_for_the_holder_of_its_token(station: Station) -> None:
    """No token, or another one: 401. The metrics need none and carry campus and desk."""
    door = json.loads((station.directory / "door.json").read_text())
    assert (station.directory / "door.json").stat().st_mode & 0o077 == 0
    assert door["url"].startswith("http://127.0.0.1:")
    for headers in ({}, {"authorization": "Bearer wrong"}):
        assert station.client.get(f"{door['url']}/v1/state", headers=headers).status_code == 401
    lines = [json.loads(line) for line in (station.directory / "station.log").read_text().splitlines()]
    denied = [(line["sub"], line["role"]) for line in lines if line.get("event") == "access.denied"]
    enrolled = json.loads((station.directory / "station.json").read_text())
    assert denied == [(enrolled["station_id"], "unknown")] * 2, "the audit line names whose door it was"
    assert [station.client.get(door["url"] + path).status_code for path in ("/docs", "/openapi.json")] == [404, 404]
    station.photograph(0)
    measured = station.client.get(door["metrics"]).text
    assert 'gradphoto_checkins_total{campus="M",desk="A"} 1.0' in measured
    assert 'gradphoto_captures_total{campus="M",desk="A",verdict="accept"} 1.0' in measured


def test_refusals_name_their_code_and_say_it_in_both_languages(station: Station) -> None:
    """The shutter without anybody seated: a problem with code, zh and en; a request with other fields: 422."""
    with pytest.raises(httpx.HTTPStatusError) as refused:
        station.post("/v1/shutter")
    assert _problem(refused.value) == (409, "desk-nobody-seated")
    assert refused.value.response.json()["zh"].startswith("没有人就座")
    with pytest.raises(httpx.HTTPStatusError) as malformed:
        station.post("/v1/checkins", {"scan": "x", "name": "y"})
    assert _problem(malformed.value) == (422, "malformed-request")


def test_a_flawed_photo_is_refused_with_reasons_and_no_code_is_left_on_the_disk(
    capture: Capture, station: Station
) -> None:
    """A blurred photo can't be kept, the reasons are in Chinese; a scanned payload is nowhere under the directory."""
    ticket = station.post("/v1/checkins", {"scan": "scan-3"})["ticket"]
    station.post("/v1/seat", {"ticket": ticket})
    station.sit_down(3, "no_face")
    shot = station.post("/v1/shutter")
    assert shot["verdict"] == "reject"
    assert all(reason["zh"] and reason["rule"] for reason in shot["reasons"])
    with pytest.raises(httpx.HTTPStatusError) as refused:
        station.post("/v1/decision", {"capture_id": shot["capture_id"], "decision": "keep"})
    assert _problem(refused.value) == (409, "desk-keep-refused")
    station.post("/v1/decision", {"capture_id": shot["capture_id"], "decision": "retake"})
    station.sit_down(4)
    station.post("/v1/decision", {"capture_id": station.post("/v1/shutter")["capture_id"], "decision": "keep"})
    station.drained()
    assert sorted(row["decision"] for row in capture.captures.values()) == ["keep", "retake"]
    assert station.stop() == 0
    assert not (station.directory / "door.json").exists()
    for path in station.directory.rglob("*"):
        assert not path.is_file() or b"scan-3" not in path.read_bytes()


STRANGERS: list[tuple[int, bytes, dict[str, str]]] = [
    (200, b"<html>sign in</html>", {}),
    (200, b"no gzip", {"content-encoding": "gzip"}),
    (200, b"[]", {}),
    (200, b"{}", {}),
    (401, b'{"code": "station-clock-skew"}', {}),
]


def test_a_desk_outlives_whatever_answers(capture: Capture, station: Station) -> None:
    """A captive portal and other strangers answer: the desk says so, starts anew among them, and loses nothing."""
    capture.strangers = STRANGERS
    shots = [station.photograph(0), station.photograph(1)]
    _heard_by(capture, station)
    station.kill()
    station.launch()
    _heard_by(capture, station)
    assert not station.get("/v1/state")["online"]
    assert 'gradphoto_uplink_failures_total{campus="M",code="server-not-ours",desk="A"}' in station.figures()
    assert len(list((station.directory / "spool").iterdir())) == len(shots)
    capture.strangers = []
    station.post("/v1/network", {"online": True})
    station.drained()
    assert {shot["capture_id"] for shot in shots} == set(capture.captures)


def _heard_by(capture: Capture, station: Station) -> None:
    """Heartbeat, pack and uplink have asked, and each stranger has answered some of them."""
    enough = capture.strange_answers + 3 * len(STRANGERS)

    def asked() -> bool:
        station.post("/v1/network", {"online": True})
        return capture.strange_answers >= enough

    station.wait_until(asked)
