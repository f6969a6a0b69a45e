"""Helper mode: who runs the reader for a class checks in, and can do and see nothing else."""

import json
from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from tests.integration.station.desk import Station
from tests.unit.station.test_codes import drawn, written


def frame(code: str | None) -> bytes:
    """A webcam's frame, with a code held up or without one."""
    page = np.full((540, 720), 90, np.uint8)
    if code is not None:
        shown = drawn(code)
        page[60 : 60 + shown.shape[0], 80 : 80 + shown.shape[1]] = shown
    return written(page, ".jpg")


@pytest.fixture
def helper(station: Station) -> Iterator[httpx.Client]:
    """A browser that came with a helper's link."""
    door = json.loads((station.directory / "door.json").read_text())["url"]
    invited = station.post("/v1/console/invitations", {"role": "helper"})
    with httpx.Client(base_url=door, timeout=30, trust_env=False, headers={"origin": door}) as client:
        entered = client.get(invited["path"])
        assert (entered.status_code, entered.headers["location"]) == (303, "/console/helper")
        yield client


def test_a_helper_checks_in_and_does_nothing_else(station: Station, helper: httpx.Client) -> None:
    """A scan and a webcam's frame give the number, once per showing; a slip seats nobody; all else is refused."""
    assert "协助签到" in helper.get("/console/helper").text
    answer = helper.post("/console/helper/checkins", json={"scan": "scan-0"})
    assert (answer.status_code, answer.json()["ticket"]) == (200, "A-0001")
    assert set(answer.json()) == {"outcome", "ticket", "code", "zh", "en"}
    unknown = helper.post("/console/helper/checkins", json={"scan": "nobody's"})
    assert (unknown.json()["outcome"], unknown.json()["ticket"]) == ("unknown_code", None)
    looked = [
        helper.post("/console/helper/checkins/webcam", content=frame(code)) for code in (None, "scan-1", "scan-1")
    ]
    assert [answer.json()["seen"] for answer in looked] == ["nothing", "code", "same"]
    assert looked[1].json()["checked_in"]["ticket"] == "A-0002"
    slip = helper.post("/console/helper/checkins/picture", content=frame("A-0001")).json()
    assert (slip["outcome"], station.get("/v1/state")["seated"]) == ("already_ticketed", None)
    assert helper.post("/console/helper/checkins/webcam", content=b"GIF89a").json()["code"] == "code-picture-unreadable"
    acts = [
        "checkins",
        "checkins/webcam",
        "checkins/picture",
        "seat",
        "releases",
        "consents",
        "drift",
        "seals",
        "shutter",
        "decisions",
    ]
    for act in acts:
        refused = helper.post(f"/console/{act}", json={})
        assert (refused.status_code, refused.json()["code"]) == (403, "console-helper-only"), act
    for place in ("events", "admitted", "frames/0199aaaa-0000-7000-8000-000000000001.jpg"):
        assert helper.get(f"/console/{place}").json()["code"] == "console-helper-only", place
    assert helper.get("/v1/state").status_code == 401
    forged = {name: value.replace("helper", "operator") for name, value in helper.cookies.items()}
    stranger = httpx.get(f"{helper.base_url}/console/admitted", cookies=forged, trust_env=False)
    assert stranger.status_code == 401, "the role is in what is signed"
    assert helper.post("/console/helper/checkins", json={"scan": "x"}, headers={"origin": "http://evil"}).is_error
    assert station.get("/v1/state")["queue"] == ["A-0001", "A-0002"]
