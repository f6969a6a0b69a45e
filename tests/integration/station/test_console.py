"""The desk console in a real Chromium, and its door without one."""

import json
import re

import httpx

from tests.integration.station.browser import Page
from tests.integration.station.desk import Station
from tests.integration.station.fake_capture import Capture

NAME = "王*明"
VERDICT = "document.querySelector('[data-test=verdict].{}')"
ACT = "document.querySelector('.acts .main:enabled[data-act={}]')"


def test_a_student_is_photographed_by_keyboard_alone(capture: Capture, bare_station: Station, page: Page) -> None:
    """Enrol, check in, seat, refused photo with overlay, retake, accept, next; the station dies and comes back.

    No scan, ticket, token or name is in any address, and nothing is kept in the browser that a script could read.
    """
    capture.identity_mode, capture.name_masked = "student_no", NAME
    desk = bare_station
    page.open(desk.console())
    page.until("document.activeElement.name === 'server'")
    page.type(capture.url)
    page.press("Tab")
    page.type("ABCDEFGHJK")
    page.press("Enter")
    page.until("document.querySelector('[data-link=live] [data-act=test-shot]')")
    page.press("Escape")
    page.until("document.querySelector('[data-link=live] .desk')")
    desk.wait_for(lambda state: state["pack_entries"] > 0)
    for number in (1, 2):
        page.type(f"scan-{number}")
        page.press("Enter")
    page.until("document.querySelector('.message.accept')?.innerText.includes('A-0002')")
    assert NAME in page.text()
    _next(page, "seat")
    desk.sit_down(3, "off_centre")
    _next(page, "shutter")
    page.until(VERDICT.format("reject"))
    page.until("document.querySelector('.picture .mark.wrong')")
    assert re.search(r"脸部不在照片正中[\s\S]*对学生说[\s\S]*请坐到画面正中", page.text())
    _next(page, "retake")
    desk.sit_down(3)
    _next(page, "shutter")
    page.until(VERDICT.format("accept"))
    _next(page, "keep")
    page.until("document.querySelector('.who.next [data-test=ticket]')?.innerText === 'A-0002'")
    desk.kill()
    page.until("document.querySelector('[data-test=gone]')")
    desk.start()
    page.until("document.querySelector('[data-link=live] .who.next')")
    _next(page, "seat")
    page.until("document.querySelector('.who:not(.next) [data-test=ticket]')?.innerText === 'A-0002'")
    desk.drained()
    assert sorted(row["decision"] for row in capture.captures.values()) == ["keep", "retake"]
    assert page.faults == []
    _demand_nothing_told(page, desk)


def _next(page: Page, act: str) -> None:
    """Press the one key of the loop until the desk has taken it: what comes too early is not meant."""
    page.until(ACT.format(act))
    while page.tell(f"!!({ACT.format(act)})"):
        page.press(" ")


def _demand_nothing_told(page: Page, desk: Station) -> None:
    token = json.loads((desk.directory / "door.json").read_text())["token"]
    asked = " ".join(page.addresses)
    assert "/console/frames/" in asked
    for secret in (token, NAME, "%E7%8E%8B", "scan-", "A-000"):
        assert secret not in asked
    kept = page.tell("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert kept == '[{},{},""]'
    assert page.tell("location.href").endswith("/console/")


def test_the_console_lets_in_whoever_came_by_a_link_once(station: Station) -> None:
    """No cookie, a used link, a forged cookie, another page's request: all refused; what is served may load nothing."""
    base = json.loads((station.directory / "door.json").read_text())["url"]
    link = station.console()
    with httpx.Client(base_url=base, trust_env=False) as stranger:
        assert stranger.get("/console/events").status_code == 401
        assert stranger.post("/console/seat", json={}, headers={"origin": base}).status_code == 401
        stranger.cookies.set("gradphoto_desk", "9999999999.0")
        assert stranger.get("/console/admitted").status_code == 401
    with httpx.Client(base_url=base, trust_env=False) as browser:
        entered = browser.get(link)
        assert (entered.status_code, entered.headers["location"]) == (303, "/console/")
        assert re.search(r"HttpOnly.*SameSite=strict", entered.headers["set-cookie"])
        assert browser.get("/console/admitted").status_code == 204
        assert browser.get(link).status_code == 401
        refused = browser.post("/console/seat", json={}, headers={"origin": "http://127.0.0.1:1"})
        assert (refused.status_code, refused.json()["code"]) == (403, "console-foreign-page")
        page = browser.get("/console/")
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert not re.search(r"https?://", page.text), "the page names another place"
        assert browser.get("/web/console/../../pyproject.toml").status_code == 404
        assert browser.get("/web/../pyproject.toml").status_code == 404


def test_a_test_shot_measures_the_studio_and_raises_no_alarm(capture: Capture, station: Station) -> None:
    """An empty seat is measured against the profile's backdrop; the frame is kept, bound to nobody, and counted."""
    base = json.loads((station.directory / "door.json").read_text())["url"]
    with httpx.Client(base_url=base, trust_env=False, timeout=120, headers={"origin": base}) as browser:
        browser.get(station.console())
        station.sit_down(1, "no_face")
        shot = browser.post("/console/setup/test-shots").raise_for_status().json()
        assert shot["empty"]
        assert shot["studio"]["passed"]
        assert {limit["rule_id"] for limit in shot["studio"]["limits"]} == {"B1", "B2", "E1"}
        station.sit_down(1)
        assert browser.post("/console/setup/test-shots").raise_for_status().json()["verdict"] == "accept"
        assert browser.get(f"/console/frames/{shot['capture_id']}.jpg").headers["cache-control"] == "no-store"
    station.photograph(2)
    station.drained()
    assert capture.drifts == {}
    assert sorted(row["decision"] for row in capture.captures.values()) == ["keep", "unbound", "unbound"]
    assert station.post("/v1/sessions/seal")["balanced"]
