"""Originals that were lost, altered or never what was said, on the real database and store."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest

from kit import errors
from kit import ids as kit_ids
from services.capture import store
from services.capture.domain import photos
from services.capture.handlers import desk, inspection
from tests.integration.capture import callers
from tests.integration.capture.callers import Approving
from tests.integration.capture.conftest import Capture
from tests.integration.capture.test_audit import of, wipe


@pytest.fixture
async def doors(capture: Capture) -> AsyncIterator[callers.Doors]:
    """The web door over the real database and store."""
    async with callers.served(capture) as opened:
        yield opened


async def received(capture: Capture) -> photos.Shot:
    shot = await capture.shoot(await capture.enrol_student())
    await desk.receive_capture(capture.unit, capture.objects, shot)
    return shot


async def state(capture: Capture, shot: photos.Shot) -> dict[str, Any]:
    (row,) = await capture.rows(store.CAPTURES, store.CAPTURES.c.capture_id == shot.capture_id)
    return row


async def turn(capture: Capture) -> bool:
    return await inspection.inspect_next(capture.unit, capture.objects, Approving())


async def settled(capture: Capture, shot: photos.Shot) -> dict[str, Any]:
    """The row once it is decided: its turn comes when it has been lost twice as long."""
    until = time.monotonic() + 120
    while (row := await state(capture, shot))["state"] == "received" and time.monotonic() < until:
        if not await turn(capture):
            await asyncio.sleep(0.1)
    return row


@pytest.mark.parametrize("harm", ["overwritten", "removed"])
async def test_the_version_that_was_verified_is_the_one_that_is_inspected(capture: Capture, harm: str) -> None:
    """Where the store has versions, what happens to the key afterwards changes nothing."""
    shot = await received(capture)
    original = await capture.objects.get(of(shot))
    assert (await state(capture, shot))["original_version"]
    if harm == "overwritten":
        await capture.objects.put(of(shot), b"damaged", "image/jpeg")
    else:
        await wipe(capture, of(shot))
    assert await turn(capture)
    row = await state(capture, shot)
    assert (row["state"], row["lost_at"]) == ("accepted", None)
    assert await capture.objects.get(row["photo_key"]) == b"composed " + original


@pytest.mark.parametrize("harm", [b"damaged", None])
async def test_a_lost_original_is_waited_for(capture: Capture, harm: bytes | None) -> None:
    """Without a version to go by the photo waits, however often it is tried, and goes on once it is put back."""
    shot = await received(capture)
    original = await capture.objects.get(of(shot))
    async with capture.database.transaction() as tx:
        await tx.execute(store.CAPTURES.update().values(original_version=None))
    await wipe(capture, of(shot)) if harm is None else await capture.objects.put(of(shot), harm, "image/jpeg")
    for _ in range(photos.ATTEMPTS * 2):
        assert await turn(capture)
        async with capture.database.transaction() as tx:
            await tx.execute(store.CAPTURES.update().values(claimed_until=None))
    row = await state(capture, shot)
    assert (row["state"], row["attempts"], row["lost_at"] is None) == ("received", 0, False)
    async with capture.unit() as work:
        assert await work.photos.lost() == {capture.campaign_id: 1}
    await capture.objects.put(of(shot), original, "image/jpeg")
    assert (await settled(capture, shot))["state"] == "accepted"
    async with capture.unit() as work:
        assert await work.photos.lost() == {}


async def test_each_wait_for_a_lost_original_is_longer(capture: Capture) -> None:
    """The database counts it: as long as it is lost already, between the two ends."""
    await received(capture)
    waits = []
    for lost_s in (0, 60, 4000):
        async with capture.unit() as work:
            claim = await work.photos.claim(30)
            assert claim
            await work.photos.set_aside(claim, 2.0, 300.0)
        async with capture.database.transaction() as tx:
            row = (await tx.execute(store.CAPTURES.select())).mappings().one()
            waits.append((row["claimed_until"] - row["lost_at"]).total_seconds() - lost_s)
            back = {0: 60, 60: 4000, 4000: 0}[lost_s]
            await tx.execute(
                store.CAPTURES.update().values(
                    claimed_until=None, lost_at=row["lost_at"] - timedelta(seconds=back - lost_s) if back else None
                )
            )
    assert 1.9 < waits[0] < 10
    assert 59 < waits[1] < 130
    assert 290 < waits[2] < 400


async def test_staff_have_the_unreadable_inspected_again(doors: callers.Doors) -> None:
    """Over HTTP, by whoever may rebind, with a reason; the history tells, and the photo is in force."""
    capture = doors.capture
    shot = await received(capture)
    for _ in range(photos.ATTEMPTS + 1):
        async with capture.unit() as work:
            claim = await work.photos.claim(0.0)
        assert claim
        await asyncio.sleep(0.01)
    await callers.accept_all(capture)
    assert (await state(capture, shot))["cause"] == "unreadable"
    path = f"/v1/captures/{shot.capture_id}"
    refused = await doors.staff("POST", f"{path}/inspect-again", {"reason": "memory"}, role="auditor")
    assert refused.status_code == 403
    asked = await doors.staff("POST", f"{path}/inspect-again", {"reason": "memory"})
    assert (asked.status_code, asked.json()["state"]) == (200, "received")
    await callers.accept_all(capture)
    assert (await state(capture, shot))["state"] == "accepted"
    (line,) = (await doors.staff("GET", path)).json()["history"]
    assert (line["act"], line["reason"]) == ("inspected_again", "memory")


async def test_an_upload_longer_than_was_said_is_not_read(
    doors: callers.Doors,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An address takes what is sent to it; the frame is refused by the object's length, and nobody loads it."""
    capture, station = doors.capture, await callers.enrolled(doors)
    digest = sha256(b"abc").hexdigest()
    asked = {"capture_id": str(kit_ids.new()), "sha256": digest, "size_bytes": 3}
    place = (await station.ask("POST", "/v1/uploads", asked)).json()
    async with httpx.AsyncClient(trust_env=False) as plain:
        (await plain.put(place["url"], content=b"x" * 5_000_000)).raise_for_status()

    async def get(*_: object, **__: object) -> bytes:
        raise AssertionError("read")

    with monkeypatch.context() as watched:
        watched.setattr(capture.objects, "get", get)
        frame = callers.taken(await capture.enrol_student(), b"abc")
        refused = await station.ask("PUT", f"/v1/captures/{kit_ids.new()}", frame)
        assert (refused.status_code, refused.json()["code"]) == (409, "original-hash-differs")
        assert (await station.ask("POST", "/v1/uploads", asked)).json()["exists"] is False
    assert len(await capture.objects.get(place["object_key"], at_most=10)) == 11
    await station.upload(b"abc")
    lied = await station.ask("PUT", f"/v1/captures/{kit_ids.new()}", {**frame, "size_bytes": 999_999})
    assert (lied.status_code, lied.json()["code"]) == (409, "original-hash-differs")
    assert (await station.ask("PUT", f"/v1/captures/{kit_ids.new()}", frame)).is_success


async def test_a_long_object_does_not_fill_the_memory_of_the_audit(capture: Capture) -> None:
    """What is longer than its row says is other bytes, whatever follows."""
    shot = await received(capture)
    await capture.objects.put(of(shot), b"x" * 2_000_000, "image/jpeg")
    _, findings = await capture.audit()
    assert findings == [("wrong_hash", of(shot))]
    with pytest.raises(errors.NotFound):
        await capture.objects.get(of(shot) + "x", at_most=1)
