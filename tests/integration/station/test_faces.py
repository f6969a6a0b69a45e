"""Faces at a whole station: real SFace, a real page, and drawn portraits, which all look alike to it (.64 to .95)."""

import base64
import os
from pathlib import Path

import httpx
import pytest

from kit import ids
from station.cameras import portraits
from tests.integration.station.browser import Page
from tests.integration.station.desk import Station
from tests.integration.station.fake_capture import Capture

_ALIKE = "document.querySelector('[data-face=face-previous-likely]') || document.querySelector('[data-dialog=drift]')"


@pytest.fixture
def capture() -> Capture:
    """A campaign that compares faces, by the first version of the text."""
    return Capture([str(ids.new()) for _ in range(4)], face_consent="1")


def _picture(page: Page, name: str) -> None:
    """For docs/pictures, where a folder is named."""
    if folder := os.environ.get("GRADPHOTO_PICTURES"):
        page.picture(Path(folder) / name)


def test_students_consent_on_the_page_and_one_face_for_two_is_told(station: Station, page: Page) -> None:
    """F7 shows the text and takes a yes; the second frame of one face says so, and stays accepted."""
    station.client.timeout = httpx.Timeout(300)  # the models are loaded by the first comparison
    page.open(station.console())
    page.until("document.querySelector('[data-link=live] .desk')")
    station.wait_for(lambda state: state["pack_entries"] > 0)
    for number in (1, 2):
        station.post("/v1/checkins", {"scan": f"scan-{number}"})
    for number in (1, 2):
        page.until(f"document.querySelector('.who.next [data-test=ticket]')?.innerText === 'A-000{number}'")
        page.until("document.querySelector('[data-test=consent]')?.innerText.includes('未同意')")
        page.press("F7")
        page.until("document.querySelector('[data-dialog=consent]')?.innerText.includes('单独同意书')")
        _picture(page, "console-consent.png")
        page.press("ArrowDown")
        page.press(" ")
        page.until("document.querySelector('[data-test=consent]')?.innerText.includes('已同意')")
        picture = base64.b64encode(portraits.draw(9, width_px=300, height_px=400)).decode()
        assert station.post("/v1/references", {"ticket": f"A-000{number}", "picture": picture}) == {"face": True}
        station.post("/v1/seat", {"ticket": f"A-000{number}"})
        station.sit_down(number)
        shot = station.post("/v1/shutter")
        assert shot["verdict"] == "accept"
        if number == 1:
            station.post("/v1/decision", {"capture_id": shot["capture_id"], "decision": "keep"})
    page.until(_ALIKE)
    _picture(page, "console-faces.png")
    assert page.faults == []
