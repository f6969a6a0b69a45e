"""A webcam as scanner, in a real Chromium with a fake camera: at the console, and at a helper's page."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.integration.station import browser
from tests.integration.station.desk import Station
from tests.unit.station.test_codes import drawn, written

JPEG = b"\xff\xd8\xff"
STATE = "document.querySelector('[data-test=webcam][data-state={}]')"


def room(code: str | None = None) -> NDArray[np.uint8]:
    """What a webcam sees: somebody holds a phone with a code to it, or nobody does."""
    frame = np.full((480, 640, 3), (96, 84, 78), np.uint8)
    cv2.circle(frame, (120, 200), 70, (120, 150, 190), -1)
    if code is not None:
        screen = cv2.cvtColor(np.pad(drawn(code, 7), 20, constant_values=255), cv2.COLOR_GRAY2BGR)
        cv2.rectangle(frame, (250, 30), (280 + screen.shape[1], 450), (20, 20, 24), -1)
        frame[120 : 120 + screen.shape[0], 265 : 265 + screen.shape[1]] = screen
    return frame


@pytest.fixture
def showing(tmp_path: Path) -> Iterator[browser.Page]:
    """A Chromium whose webcam is a film of a student who holds up a code, and who asks nobody for leave yet."""
    film = tmp_path / "webcam.mjpeg"
    film.write_bytes(b"".join(written(room("scan-1"), ".jpg") for _ in range(30)))
    camera = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}")
    with browser.opened(1366, 768, *camera) as page:
        yield page


def allow(page: browser.Page, address: str, *, camera: bool) -> None:
    """What the person at the browser says to its question about the camera."""
    setting = "granted" if camera else "denied"
    page.call("Browser.setPermission", permission={"name": "camera"}, setting=setting, origin=address)


@pytest.mark.thorough
def test_a_code_held_to_a_webcam_is_a_check_in(station: Station, showing: browser.Page) -> None:
    """Refused leave is said; then one check-in comes of many frames, and nothing of them is on the disk or in a log."""
    page, address = showing, json.loads((station.directory / "door.json").read_text())["url"]
    allow(page, address, camera=False)
    page.open(station.console())
    page.until("document.querySelector('[data-link=live] .desk')")
    page.press("F2")
    page.press("ArrowDown")
    page.press(" ")
    page.until(STATE.format("refused"))
    browser.picture_of(page, "webcam-refused")
    allow(page, address, camera=True)
    page.tell("document.querySelector('.webcam .ways button').click()")
    page.until("document.querySelector('.message.accept')?.innerText.includes('A-0001')")
    browser.picture_of(page, "webcam-scanning")
    page.until(STATE.format("same"))
    station.wait_until(lambda: _looked(station, "same") >= 3)
    assert _looked(station, "code") == 1
    assert station.get("/v1/state")["queue"] == ["A-0001"]
    page.tell("document.querySelector('.webcam h2 button:last-child').click()")
    page.until("!document.querySelector('[data-test=webcam]')")
    assert page.faults == []
    assert "scan-1" not in " ".join(page.addresses)
    kept = [path for path in station.directory.rglob("*") if path.is_file()]
    assert [path for path in kept if b"scan-1" in path.read_bytes() or JPEG in path.read_bytes()] == []


def _looked(station: Station, seen: str) -> float:
    """How many frames showed this."""
    lines = [line for line in station.figures().splitlines() if line.startswith("gradphoto_webcam_frames_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines if f'seen="{seen}"' in line)


@pytest.mark.thorough
def test_a_helper_scans_with_a_webcam_and_from_a_picture(station: Station, showing: browser.Page) -> None:
    """The number stands on the helper's page; a slip in sight seats nobody; a dropped picture is read."""
    page, door = showing, json.loads((station.directory / "door.json").read_text())
    allow(page, door["url"], camera=True)
    page.open(door["url"] + station.post("/v1/console/invitations", {"role": "helper"})["path"])
    page.until("document.readyState === 'complete' && document.querySelector('#webcam')")
    page.tell("document.querySelector('#webcam').click()")
    page.until("document.querySelector('#said .ticket')?.innerText === 'A-0001'")
    browser.picture_of(page, "helper-webcam")
    page.tell("document.querySelector('#webcam').click()")
    for code, said in (("A-0001", "仍是 A-0001"), ("scan-2", "A-0002")):
        drop(page, written(room(code)))
        page.until(f"document.querySelector('#said').innerText.includes('{said}')")
    state = station.get("/v1/state")
    assert (state["seated"], state["queue"]) == (None, ["A-0001", "A-0002"])
    assert page.faults == []


def drop(page: browser.Page, picture: bytes) -> None:
    """Let go of a picture over the page."""
    page.tell(
        f"""(() => {{
          const bytes = Uint8Array.from(atob("{base64.b64encode(picture).decode()}"), (one) => one.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], "code.png", {{ type: "image/png" }}));
          document.body.dispatchEvent(new DragEvent("drop", {{ dataTransfer: data, bubbles: true, cancelable: true }}));
        }})()"""
    )


@pytest.mark.thorough
def test_a_picture_of_a_code_is_dropped_or_pasted_on_the_console(station: Station, page: browser.Page) -> None:
    """Dropped anywhere it is a check-in, and the browser stays where it is; one without a code says so."""
    page.open(station.console())
    page.until("document.querySelector('[data-link=live] .desk')")
    drop(page, written(room("scan-3")))
    page.until("document.querySelector('.message.accept')?.innerText.includes('A-0001')")
    drop(page, written(room()))
    page.until("document.querySelector('[data-code=code-picture-empty]')")
    assert page.tell("location.href").endswith("/console/")
    assert page.faults == []
