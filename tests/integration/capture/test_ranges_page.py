"""The page for shifted ranges in a real Chromium: pictures beside each other, then moved, then said so."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from gradphoto_contracts import ids
from kit import auth
from services.capture.domain import photos
from services.capture.handlers import inspection
from station.cameras import portraits
from tests.integration.capture.callers import Doors
from tests.integration.capture.conftest import Capture
from tests.integration.capture.test_doors import doors  # noqa: F401 - a fixture
from tests.integration.capture.test_ranges import AS_IT_IS, Line, check_in
from tests.integration.capture.test_store import receive
from tests.integration.station import browser

NUMBERS = 6


class AsShot:
    """Takes every original for the photo."""

    async def inspect(self, original: bytes, profile: str, *, compose_refused: bool) -> photos.Inspection:
        return photos.Inspection("accept", (), profile, original)


@pytest.fixture
async def address(doors: Doors) -> AsyncIterator[str]:  # noqa: F811
    """Capture's web door at a port of this machine."""
    app: Any = doors.client._transport
    config = uvicorn.Config(app.app, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def portrayed(capture: Capture) -> Line:
    """As `line`, with drawn portraits that can be told apart."""
    students = [await capture.enrol_student(place) for place in range(1, NUMBERS + 1)]
    shots: dict[int, ids.CaptureId] = {}
    for place, student_id in enumerate(students, 1):
        checkin = await check_in(capture, student_id, place)
        if place < NUMBERS:
            content = await asyncio.to_thread(portraits.draw, place * 11)
            shot = await capture.shoot(student_id, content, ticket=checkin.ticket, checkin_id=checkin.checkin_id)
            await receive(capture, shot)
            shots[place] = shot.capture_id
    while await inspection.inspect_next(capture.unit, capture.objects, AsShot()):
        pass
    return Line(capture, students, shots)


def looked_at(page: browser.Page, name: str) -> None:
    """At a laptop's size and at a monitor's; nothing is wider than the page."""
    for suffix, size in (("-wide", (1920, 1080)), ("", (1366, 768))):
        page.resize(*size)
        assert page.tell("document.documentElement.scrollWidth <= innerWidth"), (name, size)
        browser.picture_of(page, f"{name}{suffix}")


def put_right(address: str, token: str) -> list[str]:
    """What a crew lead does on the page; the addresses that were asked for."""
    with browser.opened(1366, 768) as page:
        page.open(f"{address}/staff/")
        page.until("document.querySelector('[name=token]')")
        page.tell("document.querySelector('[name=token]').focus()")
        page.type(token)
        page.press("Enter")
        page.until("document.querySelector('[name=first]')")
        for name, value in (("first", "A1-0002"), ("last", "A1-0005"), ("places", "1")):
            page.tell(f"document.querySelector('[name={name}]').focus()")
            page.tell(f"document.querySelector('[name={name}]').select()")
            page.type(value)
        page.press("Enter")
        page.until("document.querySelectorAll('tr.changes').length === 5")
        page.until("[...document.images].length === 8 && [...document.images].every((one) => one.naturalWidth > 0)")
        assert page.tell("document.querySelector('button.apply').disabled")
        looked_at(page, "range-preview")
        page.tell("document.querySelector('[name=seen]').click()")
        page.until("!document.querySelector('button.apply').disabled")
        page.tell("document.querySelector('button.apply').scrollIntoView({ block: 'end' })")
        looked_at(page, "range-confirm")
        page.tell("document.querySelector('button.apply').click()")
        page.until("document.querySelector('[data-test=done]')")
        looked_at(page, "range-done")
        assert "已移动 4 张照片" in page.text()
        assert page.tell("localStorage.length + sessionStorage.length + document.cookie.length") == 0
        assert page.faults == []
        return page.addresses


@pytest.mark.thorough
async def test_a_range_is_put_right_on_the_page(
    capture: Capture, doors: Doors, address: str  # noqa: F811
) -> None:  # fmt: skip
    """Token, range, pictures; nothing can be moved before it was looked at; no token is in an address or kept."""
    line = await portrayed(capture)
    invitation = {"campaign_id": str(capture.campaign_id), "desk_id": str(capture.desk_id), "label": "笔记本 1"}
    assert (await doors.staff("POST", "/v1/stations", invitation)).is_success
    token = auth.mint(doors.token_key, "lead", "crew_lead", {}, capture.clock.now())
    asked = await asyncio.to_thread(put_right, address, token)
    assert await line.owners() == AS_IT_IS
    assert not [one for one in asked if token in one]
