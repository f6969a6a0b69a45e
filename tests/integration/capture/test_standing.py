"""What an audit may not say: nothing clean that was not looked at, nothing finished that was not, nothing left out."""

from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from gradphoto_contracts import roster
from kit import errors, metrics
from services.capture.domain import audits
from services.capture.handlers import audit, desk, floor
from services.capture.store import images
from tests.integration.capture.conftest import Capture
from tests.integration.capture.test_audit import of, photographed, wipe

DAY = timedelta(days=1)


async def shown(capture: Capture) -> dict[str, float]:
    """The gauges of this campaign's audits, and of the audit of what lies elsewhere."""
    async with capture.unit() as work:
        await audit.show_audits(work)
    lines = [line for line in metrics.exposition().decode().splitlines() if line.startswith("gradphoto_audit_")]
    of_ours = [line for line in lines if str(capture.campaign_id) in line or '"elsewhere"' in line]
    whole = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in of_ours}
    return {name.replace(f'campaign="{capture.campaign_id}",', ""): value for name, value in whole.items()}


def counted(found: dict[str, float], kind: audits.Kind) -> float:
    return found[f'gradphoto_audit_findings{{kind="{kind}"}}']


async def run(capture: Capture, *, decode: bool = True, grace_s: int = 0) -> audits.Audit:
    async with capture.unit() as work:
        begun = await audit.start_audit(work, capture.campaign_id, "somebody", decode=decode, grace_s=grace_s)
    while await audit.audit_next(capture.unit, capture.objects, images.Inspector(1)):
        pass
    async with capture.unit() as work:
        return await audit.audit_of(work, begun.audit_id)


async def test_an_object_that_the_store_cannot_read_is_a_finding_in_the_end(
    capture: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of three keys fails for ever: tried some times, said, found as unreadable; the others are looked at."""
    monkeypatch.setattr(audit, "WAIT_S", 0.0)
    shots = await photographed(capture, 3)
    read = capture.objects.get

    async def get(key: str, version: str | None = None, *, at_most: int | None = None) -> bytes:
        if key == of(shots[1]):
            raise errors.Unavailable("object-store-unavailable")
        return await read(key, version, at_most=at_most)

    monkeypatch.setattr(capture.objects, "get", get)
    async with capture.unit() as work:
        begun = await audit.start_audit(work, capture.campaign_id, "somebody", decode=False, grace_s=0)
    for turn in range(1, audits.TRIES + 1):
        assert not await audit.audit_next(capture.unit, capture.objects, images.Inspector(1))
        async with capture.unit() as work:
            assert (await audit.audit_of(work, begun.audit_id)).tries == turn
    while await audit.audit_next(capture.unit, capture.objects, images.Inspector(1)):
        pass
    async with capture.unit() as work:
        ended = await audit.audit_of(work, begun.audit_id)
        findings = await work.audits.findings(begun.audit_id, 0, 10)
    assert [(one["kind"], one["object_key"]) for one in findings] == [("unreadable", of(shots[1]))]
    assert (ended.checked, ended.finished_at is not None) == (6, True)


async def test_a_store_that_is_away_is_never_a_finding(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: where nothing answers at all the audit waits, however long, and its age grows."""
    monkeypatch.setattr(audit, "WAIT_S", 0.0)
    (shot,) = await photographed(capture, 1)
    async with capture.unit() as work:
        begun = await audit.start_audit(work, capture.campaign_id, "somebody", decode=True, grace_s=0)

    async def away(*_: object, **__: object) -> bytes:
        raise errors.Unavailable("object-store-unavailable")

    async def not_ready() -> bool:
        return False

    monkeypatch.setattr(capture.objects, "get", away)
    monkeypatch.setattr(capture.objects, "ready", not_ready)
    for _ in range(audits.TRIES * 3):
        assert not await audit.audit_next(capture.unit, capture.objects, images.Inspector(1))
    capture.clock.time += 3 * DAY
    assert await shown(capture) == {'gradphoto_audit_age_seconds{open="true"}': 3 * DAY.total_seconds()}
    async with capture.unit() as work:
        assert await work.audits.counts(begun.audit_id) == {}, of(shot)


async def test_a_smaller_audit_clears_nothing(capture: Capture) -> None:
    """What a decoding audit found stays found until a decoding audit does not; smaller ones may only add to it.

    Nor does a smaller one put off the daily one.
    """
    garbage = await capture.shoot(await capture.enrol_student(), b"\xff\xd8 no picture", decision="retake")
    whole = await capture.shoot(await capture.enrol_student(), b"\xff\xd8 no picture either")
    for shot in (garbage, whole):
        await desk.receive_capture(capture.unit, capture.objects, shot)
    first = await run(capture)
    assert first.known_unreadable == 1
    capture.clock.time += timedelta(hours=23)
    await run(capture, decode=False, grace_s=86_400)
    found = await shown(capture)
    assert counted(found, "undecodable") == 1
    assert found['gradphoto_audit_age_seconds{open="true"}'] == 23 * 3600
    await wipe(capture, of(garbage))
    capture.clock.time += timedelta(hours=2)
    await run(capture, decode=False)
    found = await shown(capture)
    assert (counted(found, "undecodable"), counted(found, "missing")) == (1, 1)
    async with capture.unit() as work:
        assert capture.campaign_id in await work.audits.due(capture.clock.now() - DAY, capture.clock.now() - 7 * DAY)
    await wipe(capture, of(whole))
    capture.clock.time += timedelta(minutes=1)
    await run(capture)
    found = await shown(capture)
    assert (counted(found, "undecodable"), counted(found, "missing")) == (0, 2)


async def test_who_asks_for_more_than_runs_is_told(capture: Capture) -> None:
    """An audit that leaves things out is no answer to one that would not; the same again is."""
    await photographed(capture, 1)
    async with capture.unit() as work:
        begun = await audit.start_audit(work, capture.campaign_id, "one", decode=False, grace_s=86_400)
        assert await audit.start_audit(work, capture.campaign_id, "two", decode=False, grace_s=86_400) == begun
        for decode, grace_s in ((True, 86_400), (False, 0)):
            with pytest.raises(errors.Conflict, match="audit-runs-otherwise"):
                await audit.start_audit(work, capture.campaign_id, "three", decode=decode, grace_s=grace_s)


async def test_a_closed_campaign_is_audited_once_a_week(capture: Capture) -> None:
    """Its photos matter until they are wiped; its age says that it is closed, and is measured by another rule."""
    await photographed(capture, 1)
    await run(capture)
    closed = roster.CampaignClosedV1(campaign_id=capture.campaign_id, version=2)
    async with capture.unit() as work:
        await floor.on_campaign_closed(work, closed)
    for days, due in ((6, False), (2, True)):
        capture.clock.time += days * DAY
        async with capture.unit() as work:
            asked = await work.audits.due(capture.clock.now() - DAY, capture.clock.now() - 7 * DAY)
        assert (capture.campaign_id in asked) is due
        assert audits.ELSEWHERE in asked
    assert (await shown(capture))['gradphoto_audit_age_seconds{open="false"}'] == 8 * DAY.total_seconds()
    async with capture.unit() as work:
        assert await audit.start_due(work, DAY) == 2


async def test_what_lies_in_no_campaigns_folder_is_found(
    capture: Capture, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the bucket's root, under a campaign that nobody knows, in a folder of another name; what is ours is not."""
    monkeypatch.setattr(audit, "PAGE", 3)
    url = urlsplit(s3_url)
    objects = images.Objects(urlunsplit(url._replace(path=f"/audited-{uuid4().hex[:12]}")))
    await objects.ensure_bucket()
    stray = ["stray.jpg", f"originals/{uuid4()}/a.jpg", "photos/stray.jpg", "other/folder/x.jpg"]
    ours = [f"{folder}/{capture.campaign_id}/x.jpg" for folder in ("originals", "photos", "batches")]
    for key in (*stray, *ours):
        await objects.put(key, b"x", "image/jpeg")
    async with capture.unit() as work:
        begun = await audit.start_audit(work, audits.ELSEWHERE, "somebody", decode=True, grace_s=0)
    while await audit.audit_next(capture.unit, objects, images.Inspector(1)):
        pass
    async with capture.unit() as work:
        findings = await work.audits.findings(begun.audit_id, 0, 100)
        assert (await audit.audit_of(work, begun.audit_id)).finished_at
    assert {(one["kind"], one["object_key"]) for one in findings} == {("orphan", key) for key in stray}
    assert (await shown(capture))['gradphoto_audit_findings{campaign="elsewhere",kind="orphan"}'] == len(stray)
