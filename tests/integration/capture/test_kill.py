"""Inspectors die at any line, and every photo is still decided once."""

import asyncio
import random
import sys
from collections import Counter
from hashlib import sha256

import pytest

from services.capture import store
from services.capture.domain import photos
from services.capture.handlers import desk, inspection
from tests.integration.capture import doomed_worker
from tests.integration.capture.conftest import Capture

PHOTOS = 30
KILLS = 4


async def doomed(database_url: str, s3_url: str, life_s: float) -> None:
    """Run a worker in a process of its own and kill it after `life_s` seconds of work."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", doomed_worker.__name__, database_url, s3_url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"working\n"
    await asyncio.sleep(life_s)
    process.kill()
    await process.wait()


@pytest.mark.slow
async def test_killed_inspectors_leave_every_photo_decided_once(capture: Capture, s3_url: str) -> None:
    """After workers were killed at moments drawn by chance, each photo is accepted, said and stored once."""
    seeded = random.Random(20240520)
    shots = [await capture.shoot(await capture.enrol_student(number)) for number in range(1, PHOTOS + 1)]
    for shot in shots:
        await desk.receive_capture(capture.unit, capture.objects, shot)
    for _ in range(KILLS):
        await doomed(capture.database.url, s3_url, seeded.uniform(0.05, 0.4))
    survivors = await capture.rows(store.CAPTURES, store.CAPTURES.c.state == "received")
    assert survivors, "the workers lived long enough to finish: nothing was shown"
    await asyncio.sleep(doomed_worker.LEASE_S)
    while await inspection.inspect_next(capture.unit, capture.objects, doomed_worker.Slow()):
        pass
    rows = await capture.rows(store.CAPTURES)
    assert {(row["state"], row["version"]) for row in rows} == {("accepted", 2)}
    said = await capture.rows(store.OUTBOX, store.OUTBOX.c.type == "capture.photo.accepted.v1")
    assert Counter(row["subject"] for row in said) == Counter(str(shot.capture_id) for shot in shots)
    audited, findings = await capture.audit()
    assert (findings, audited.checked) == ([], 2 * PHOTOS)


async def test_attempts_that_died_are_counted(capture: Capture) -> None:
    """An image whose readers all died is given up, though none of them could say so."""
    shot = await capture.shoot(await capture.enrol_student(), content=b"poison")
    await desk.receive_capture(capture.unit, capture.objects, shot)
    for _ in range(photos.ATTEMPTS):
        async with capture.unit() as work:
            assert await work.photos.claim(lease_s=0) is not None
    assert await inspection.inspect_next(capture.unit, capture.objects, doomed_worker.Slow())
    (row,) = await capture.rows(store.CAPTURES)
    assert (row["state"], row["cause"], row["sha256"]) == ("rejected", "unreadable", sha256(b"poison").hexdigest())
