"""The integrity audit on the real database and store: each fault is planted and found, and a sound store is sound."""

import asyncio
from datetime import timedelta

import pytest

from kit import errors, metrics
from services.capture.domain import audits, photos
from services.capture.handlers import audit, desk, inspection
from services.capture.store import images
from station.cameras import portraits
from tests.integration.capture.conftest import Capture


class Composer:
    """Finds every image good; what it composes is the original itself."""

    async def inspect(self, original: bytes, profile: str, *, compose_refused: bool) -> photos.Inspection:
        return photos.Inspection("accept", (), "chsi-2017-99 1", original, maker="a test")


async def photographed(capture: Capture, count: int, content: bytes = b"") -> list[photos.Shot]:
    """So many students with a photo in force."""
    shots = []
    for number in range(count):
        # A byte behind the end of the picture makes each another file.
        shot = await capture.shoot(await capture.enrol_student(number + 1), content and content + bytes([number]))
        await desk.receive_capture(capture.unit, capture.objects, shot)
        shots.append(shot)
    while await inspection.inspect_next(capture.unit, capture.objects, Composer()):
        pass
    return shots


async def test_each_planted_fault_is_found_and_nothing_else(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, wrong, undecodable and orphaned objects among sound ones: told by kind and key, over several stretches.

    Negative control: before the faults are planted the same audit finds nothing.
    """
    monkeypatch.setattr(audit, "STRETCH", 3)
    picture = await asyncio.to_thread(portraits.draw, 7)
    shots = await photographed(capture, 5, picture)
    garbled = await capture.shoot(await capture.enrol_student(9), b"\xff\xd8 no picture")
    decoder = images.Inspector(2)
    ended, findings = await capture.audit(decoder)
    assert (findings, ended.checked, ended.expected) == ([("orphan", of(garbled))], 10, 10)
    capture.clock.time += timedelta(minutes=1)
    await desk.receive_capture(capture.unit, capture.objects, garbled)
    await wipe(capture, of(shots[0]))
    await capture.objects.put(of(shots[1]), picture[:-20], "image/jpeg")
    await wipe(capture, photos.photo_key(capture.campaign_id, shots[2].capture_id))
    stray = f"photos/{capture.campaign_id}/stray.jpg"
    await capture.objects.put(stray, picture, "image/jpeg")
    ended, findings = await capture.audit(decoder)
    assert findings == sorted(
        [
            ("missing", of(shots[0])),
            ("wrong_hash", of(shots[1])),
            ("missing", photos.photo_key(capture.campaign_id, shots[2].capture_id)),
            ("undecodable", of(garbled)),
            ("orphan", stray),
        ]
    )
    async with capture.unit() as work:
        await audit.show_audits(work)
    told = metrics.exposition().decode()
    assert f'gradphoto_audit_findings{{campaign="{capture.campaign_id}",kind="missing"}} 2.0' in told


def of(shot: photos.Shot) -> str:
    return photos.original_key(shot.campaign_id, shot.sha256)


async def wipe(capture: Capture, key: str) -> None:
    """What a fault of the store's disk does: our own door does not remove originals."""
    await capture.objects._do(lambda: capture.objects._remove(key))


async def test_a_killed_auditor_is_followed_from_where_it_was(
    capture: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audit goes on at its cursor: nothing is looked at twice, and the late word of the dead is lost."""
    monkeypatch.setattr(audit, "STRETCH", 2)
    monkeypatch.setattr(audit, "LEASE_S", 0.0)
    await photographed(capture, 4)
    async with capture.unit() as work:
        begun = await audit.start_audit(work, capture.campaign_id, "somebody", decode=False, grace_s=0)
        again = await audit.start_audit(work, capture.campaign_id, "another", decode=False, grace_s=0)
    assert again == begun
    decoder = images.Inspector(1)
    assert await audit.audit_next(capture.unit, capture.objects, decoder)
    async with capture.unit() as work:
        dead = await work.audits.claim(0.0)
    assert dead is not None
    assert (dead.audit.checked, bool(dead.audit.cursor)) == (2, True)
    while await audit.audit_next(capture.unit, capture.objects, decoder):
        pass
    async with capture.unit() as work:
        assert not await work.audits.save(dead, audits.advance(dead.audit, audits.Looked(checked=99), work.now), ())
        assert (await audit.audit_of(work, begun.audit_id)).checked == 8


async def test_a_store_that_is_away_stops_the_audit_and_finds_nothing(capture: Capture) -> None:
    """What cannot be read is not called missing: the audit waits."""
    await photographed(capture, 1)
    async with capture.unit() as work:
        begun = await audit.start_audit(work, capture.campaign_id, "somebody", decode=False, grace_s=0)
    away = images.Objects("http://key:secret@127.0.0.1:1/bucket")
    assert not await audit.audit_next(capture.unit, away, images.Inspector(1))
    async with capture.unit() as work:
        assert await work.audits.counts(begun.audit_id) == {}
        assert (await audit.audit_of(work, begun.audit_id)).finished_at is None


async def test_an_original_is_held_against_removal(capture: Capture) -> None:
    """Once received, not even whoever holds the key of the store removes its bytes, overwritten or not."""
    (shot,) = await photographed(capture, 1)
    key = of(shot)
    assert await capture.objects.locks()
    held = await capture.objects.stat(key)
    assert held is not None
    await capture.objects.put(key, b"other", "image/jpeg")
    await wipe(capture, key)
    bucket = capture.objects._place.bucket
    with pytest.raises(errors.Unavailable) as refused:
        await capture.objects._do(
            lambda: capture.objects._client.remove_object(bucket, key, version_id=held.version), key
        )
    assert getattr(refused.value.__cause__, "code", "") == "AccessDenied"
    assert await capture.objects.get(key, held.version) == f"frame {shot.capture_id}".encode()


async def test_without_a_lock_the_same_removal_succeeds(capture: Capture) -> None:
    """Negative control: an upload that nobody has received yet is not held."""
    shot = await capture.shoot(await capture.enrol_student())
    key = of(shot)
    lying = await capture.objects.stat(key)
    assert lying is not None
    bucket = capture.objects._place.bucket
    await capture.objects._do(lambda: capture.objects._client.remove_object(bucket, key, version_id=lying.version), key)
    with pytest.raises(errors.NotFound):
        await capture.objects.get(key, lying.version)


async def test_a_store_without_lock_keeps_on(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the bucket has no object lock nothing is held, nothing fails, and it is said."""

    async def no_lock() -> bool:
        return False

    monkeypatch.setattr(capture.objects, "locks", no_lock)
    shot = await capture.shoot(await capture.enrol_student())
    assert await capture.objects.keep(of(shot), None) is False
    assert (await desk.receive_capture(capture.unit, capture.objects, shot)).state == "received"
