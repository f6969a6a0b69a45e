"""The wizard, the hall and the end of a session in a real Chromium."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kit import ids
from tests.integration.station import browser
from tests.integration.station.desk import Station
from tests.integration.station.fake_capture import running
from tests.integration.station.fake_hall import HallCapture

SIZES = {"": (1366, 768), "-wide": (1920, 1080)}
#: So long that a busy machine's stalls are not taken for a desk's death; a dead one is known at once.
LEASE = {"GRADPHOTO_STATION_HALL_LEASE_S": "60"}


@pytest.fixture
def capture() -> HallCapture:
    return HallCapture([str(ids.new()) for _ in range(20)])


@pytest.fixture
def desks(capture: HallCapture, tmp_path: Path) -> Iterator[list[Station]]:
    """Three stations that serve no desk yet; the first is started."""
    with ExitStack() as stack, running(capture):
        stations = [Station(tmp_path / code, capture.url, **LEASE) for code in "ABC"]
        for station in stations:
            stack.callback(_end, station)
        stations[0].launch()
        yield stations


def _end(station: Station) -> None:
    station.client.close()
    if station.process is not None and station.process.poll() is None:
        station.kill()


#: Whether the question stands whole and in the middle of the page: a style of something else once moved the seal's.
WHOLE = """[...document.querySelectorAll('.dialog')].every((one) => {
  const { left, right, top, bottom } = one.getBoundingClientRect();
  const whole = top >= 0 && bottom <= innerHeight && one.scrollHeight <= one.clientHeight;
  return whole && Math.abs(left + right - innerWidth) < 4;
})"""


def pictures(page: browser.Page, name: str) -> None:
    """Look at it at a laptop's size and at a monitor's; nothing may be wider than the page, or cut off."""
    for suffix, size in SIZES.items():
        page.resize(*size)
        assert page.tell("document.documentElement.scrollWidth <= innerWidth"), (name, size)
        assert page.tell(WHOLE), (name, size)
        browser.picture_of(page, f"{name}{suffix}")
    page.resize(*SIZES[""])


def fill(page: browser.Page, field: str, text: str) -> None:
    """Type into a field in place of what stands there."""
    page.tell(f"document.querySelector('[name={field}]').focus()")
    page.tell(f"document.querySelector('[name={field}]').select()")
    page.type(text)


def enrol(page: browser.Page, desk: Station, url: str) -> None:
    """The first page, with an address that nobody answers at, then with the right one."""
    page.open(desk.console())
    page.until("document.activeElement.name === 'server'")
    pictures(page, "wizard-enrol")
    page.type(url)
    page.press("Tab")
    page.type("ABCDEFGHJK")
    page.press("Enter")
    page.until("document.querySelector('[data-link=live] [data-act=test-shot]')")


def join(page: browser.Page) -> None:
    """The hall's step: what is no address, or not ours, is said; then the desk listens."""
    page.tell("document.querySelector('[data-step=hall]').click()")
    page.until("document.querySelector('[data-test=hall-step] .save:enabled')")
    page.tell("document.querySelector('[name=share][value=true]').click()")
    page.until("document.querySelector('[name=hall-host]')")
    fill(page, "hall-host", "127.0.0.1")
    fill(page, "hall-port", "0")
    page.tell("document.querySelector('.hall-step summary').click()")
    fill(page, "hall-peers", "192.168.1.12")
    page.press("Enter")
    page.until("document.querySelector('[data-code=hall-address-invalid]')")
    page.until("document.querySelector('.field.wrong [name=hall-peers]')")
    pictures(page, "wizard-hall-wrong")
    fill(page, "hall-peers", "")
    page.press("Backspace")
    fill(page, "hall-host", "192.0.2.1")
    page.press("Enter")
    page.until("document.querySelector('[data-code=hall-listen-impossible]')")
    fill(page, "hall-host", "127.0.0.1")
    page.press("Enter")
    page.until("document.querySelector('[data-link=live] [data-test=members]')")


@pytest.mark.thorough
def test_a_desk_is_set_up_joins_its_hall_and_is_sealed(capture: HallCapture, desks: list[Station]) -> None:
    """By the page alone; who is hub and who is away is told; a session is sealed only when all three sides agree."""
    first = desks[0]
    with browser.opened(*SIZES[""]) as page:
        enrol(page, first, capture.url)
        first.wait_for(lambda state: state["pack_entries"] > 0)
        first.sit_down(1, "no_face")
        page.tell("document.querySelector('[data-act=test-shot]').click()")
        page.until("document.querySelector('.zones')")
        pictures(page, "wizard-test-shot")
        join(page)
        told = json.loads((first.directory / "hall.json").read_text())
        assert (told["listen"], told["peers"]) == ("127.0.0.1:0", [])
        for other in desks[1:]:
            other.enrol()
            (other.directory / "hall.json").write_text(json.dumps({"listen": "127.0.0.1:0"}))
            other.start()
        first.wait_for(lambda state: len(state["hall"]["heard"]) == 2)
        page.until("document.querySelectorAll('.members li').length === 3")
        page.until("document.querySelector('.members').innerText.includes('主机')")
        page.until("!document.querySelector('.members .away')")
        pictures(page, "wizard-hall")
        page.press("Escape")
        page.until("document.querySelector('[data-link=live] .desk')")
        desks[2].kill()
        page.until("document.querySelector('[data-code=hall-desks-silent]')")
        page.press("Insert")
        page.until("document.querySelector('.members .away')?.innerText.includes('C')")
        pictures(page, "hall-away")
        page.press("Escape")
        seal(page, capture, first)
        assert page.faults == []


def seal(page: browser.Page, capture: HallCapture, desk: Station) -> None:
    """A frame that the server has lost is named, and the card is not to be wiped; then all agree."""
    for place in (3, 4):
        desk.photograph(place)
    desk.drained()
    lost, row = capture.captures.popitem()
    page.press("F10")
    page.until("document.querySelector('[data-dialog=seal]')")
    pictures(page, "seal-asked")
    page.press("ArrowDown")
    page.press(" ")
    page.until("document.querySelector('[data-dialog=sealed]')")
    assert "没有封存：不要清空存储卡" in page.tell("document.querySelector('[data-dialog=sealed] h1').innerText")
    pictures(page, "seal-refused")
    capture.captures[lost] = row
    page.press("Escape")
    page.press("F10")
    page.until("document.querySelector('[data-dialog=seal]')")
    page.press("ArrowDown")
    page.press(" ")
    page.until("document.querySelector('[data-dialog=sealed]')?.innerText.includes('可以清空存储卡')")
    pictures(page, "seal-done")
