"""The console's questions in a real Chromium: what is scanned in front of them, and the ways out of a refused photo."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.station import browser
from tests.integration.station.desk import Station
from tests.integration.station.fake_capture import Capture

REASON = "document.querySelector('.dialog input[name=text]')"
AT_ROLE = "document.querySelector('[data-dialog=override] .options')?.innerText.includes('crew lead')"
REFUSED = "document.querySelector('[data-test=verdict].reject')"


@pytest.fixture
def refused(station: Station, page: browser.Page) -> Iterator[browser.Page]:
    """The console in front of a refused photo of the first student, who sits beside the middle."""
    page.open(station.console())
    page.until("document.querySelector('[data-link=live] .desk')")
    station.post("/v1/seat", {"ticket": station.post("/v1/checkins", {"scan": "scan-1"})["ticket"]})
    station.sit_down(3, "off_centre")
    shoot(station, page)
    yield page
    assert page.faults == []


def shoot(station: Station, page: browser.Page) -> None:
    """A photo, refused."""
    station.post("/v1/shutter")
    page.until(REFUSED)


def decide(station: Station, decision: str) -> dict[str, Any]:
    """What becomes of the photo, said at the door."""
    (frame,) = station.get("/v1/state")["undecided"]
    return station.post("/v1/decision", {"capture_id": frame["capture_id"], "decision": decision})


def ask_why(page: browser.Page) -> None:
    """Open the override's question for the reason, and step into its field."""
    page.press("F4")
    page.until(AT_ROLE)
    page.press("ArrowDown")
    page.press(" ")
    page.until(REASON)
    page.press("Tab")
    page.until("document.activeElement.name === 'text'")


@pytest.mark.thorough
def test_a_scan_into_a_reason_s_field_is_a_scan(capture: Capture, station: Station, refused: browser.Page) -> None:
    """Whoever scans while the focus is in the field checks a student in; nothing is kept, and nothing is a reason."""
    page = refused
    ask_why(page)
    page.type("sc")
    page.scan("scan-2")
    station.wait_for(lambda state: len(state["queue"]) == 1)
    page.until("document.querySelector('.message.accept')?.innerText.includes('A-0002')")
    assert page.tell(f"{REASON}.value") == "sc"
    assert len(station.get("/v1/state")["undecided"]) == 1
    browser.picture_of(page, "override-scanned")
    swallowed_by_an_input_method(page)
    page.press("Escape")
    page.until("!document.querySelector('[data-dialog]')")


def swallowed_by_an_input_method(page: browser.Page) -> None:
    """What no key tells is said aloud, and is no reason either."""
    time.sleep(0.5)  # what was pressed before lies before
    begun = time.time() - 0.1
    for place in range(6):
        told = {"key": "Process", "windowsVirtualKeyCode": 229, "timestamp": begun + place / 100}
        page.call("Input.dispatchKeyEvent", type="rawKeyDown", **told)
    page.press("Enter", begun + 0.06)
    page.until("document.querySelector('[data-code=scan-unread]')")
    assert page.tell(f"{REASON}.value") == "sc"


@pytest.mark.thorough
def test_a_reason_is_looked_at_before_it_counts(capture: Capture, station: Station, refused: browser.Page) -> None:
    """Enter behind a typed reason, or a slow scanner's, keeps nothing: what was typed has to be chosen."""
    page = refused
    ask_why(page)
    page.write("scan-2")
    page.until(f"!{REASON} && document.querySelector('.dialog .options').innerText.includes('scan-2')")
    browser.picture_of(page, "override-typed")
    page.press("Enter")
    page.press("ArrowUp")
    page.press(" ")
    page.until(REASON)
    assert len(station.get("/v1/state")["undecided"]) == 1
    page.press("Tab")
    page.write("scar on the chin")
    page.until(f"!{REASON}")
    page.press("ArrowDown")
    page.press(" ")
    station.drained()
    (row,) = capture.captures.values()
    assert (row["override"]["role"], row["override"]["reason"]) == ("crew_lead", "scar on the chin")


@pytest.mark.thorough
def test_an_override_keeps_the_photo_that_it_was_asked_of(station: Station, refused: browser.Page) -> None:
    """While the question stands the photo is retaken: the answer is refused, and the new photo awaits its own."""
    page = refused
    ask_why(page)
    assert (left_in_the_folder(page, "hotfolder:D:/photos"), left_in_the_folder(page, "virtual")) == (True, False)
    decide(station, "retake")
    station.post("/v1/shutter")
    (second,) = station.get("/v1/state")["undecided"]
    page.until(f"document.querySelector('.picture image')?.getAttribute('href').includes('{second['capture_id']}')")
    page.tell("document.querySelector('.dialog .options button').click()")
    page.until("document.querySelector('[data-code=desk-frame-decided]')")
    assert station.get("/v1/state")["undecided"] == [second]


def left_in_the_folder(page: browser.Page, camera: str) -> bool:
    """Whether the page says, after a seal, that pictures lie in `taken/`."""
    sealed = "{balanced: true, missing: []}"
    said = (
        f"m.sealedDialog({sealed}, {{devices: {{camera: '{camera}'}}}}).lines.some(line => line.zh.includes('taken'))"
    )
    return bool(page.tell(f"import('/web/console/dialogs.js').then(m => {said})"))


@pytest.mark.thorough
def test_at_the_limit_a_photo_may_be_left_to_nobody(capture: Capture, station: Station, refused: browser.Page) -> None:
    """F4 asks who decides, F6 binds to nobody; then nothing is left but to leave, and the next one is called by F8."""
    page = refused
    for _ in range(3):
        decide(station, "retake")
        shoot(station, page)
    page.until("document.querySelector('.acts .main[data-act=override]:enabled')")
    browser.picture_of(page, "retake-limit")
    page.press("F4")
    page.until("document.activeElement.dataset.dialog === 'override'")
    browser.picture_of(page, "override")
    page.press("Escape")
    page.press("F6")
    page.until("document.activeElement.dataset.dialog === 'giveUp'")
    browser.picture_of(page, "give-up")
    page.press("ArrowDown")
    page.press(" ")
    page.until("document.querySelector('.acts .main[data-act=release]:enabled')")
    browser.picture_of(page, "gave-up")
    page.press("F6")
    page.until("document.querySelector('[data-dialog=release]')")
    page.press("ArrowDown")
    page.press(" ")
    station.wait_for(lambda state: state["seated"] is None)
    called_by_number(station, page)
    station.drained()
    assert [row["decision"] for row in capture.captures.values()].count("unbound") == 1
    assert not any(row["student_id"] for row in capture.captures.values() if row["decision"] == "unbound")


def called_by_number(station: Station, page: browser.Page) -> None:
    """The tenth in the queue is not among those that are offered, and is typed: what follows is the desk's question."""
    for place in range(2, 13):
        station.post("/v1/checkins", {"scan": f"scan-{place}"})
    page.until("document.querySelector('.queue h2').innerText.includes('11')")
    for typed, told in (("scan-4", "[data-code=no-number]"), ("11", "[data-dialog=drift]")):
        page.press("F8")
        page.until("document.activeElement.dataset.dialog === 'call'")
        browser.picture_of(page, "call")
        page.press("Tab")
        page.write(typed)
        page.until(f"document.querySelector('{told}')")
    browser.picture_of(page, "drift")
    assert "A-0011" in page.tell("document.querySelector('[data-dialog=drift]').innerText")
    assert page.tell("document.querySelectorAll('[data-dialog=drift] .at').length") == 0
