"""The integrity audit, a stretch at a time: bounded memory, and whoever is killed is followed by the next worker."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from gradphoto_contracts import ids
from kit import clock, errors, logs
from services.capture import ports
from services.capture.domain import audits
from services.capture.handlers import measures

#: Objects read at once; more only makes a small store slower. Each may be a picture of many megabytes.
AT_ONCE = 4
#: Rows and objects of one stretch: so much is done again after a kill.
STRETCH = 100
#: How long a stretch is one worker's, in real seconds: many times what it takes.
LEASE_S = 120.0
#: How long a worker rests that found nothing to do, and when a store that is away is asked again.
IDLE_S, WAIT_S = 1.0, 2.0


async def start_audit(
    work: ports.Work, campaign_id: ids.CampaignId, asked_by: str, *, decode: bool, grace_s: int
) -> audits.Audit:
    """Begin an audit of a campaign; one that runs already is the answer."""
    asked = audits.Audit(
        audit_id=work.new_id(),
        campaign_id=campaign_id,
        asked_by=asked_by,
        decode=decode,
        grace_s=grace_s,
        started_at=work.now,
        expected=await work.audits.count_expected(campaign_id),
    )
    return await work.audits.add(asked)


async def start_due(work: ports.Work, every: timedelta) -> int:
    """Begin an audit of each open campaign that had none for so long; how many that were."""
    due = await work.audits.due(work.now - every)
    for campaign_id in due:
        await start_audit(work, campaign_id, "schedule", decode=True, grace_s=3600)
    return len(due)


async def audit_next(unit: ports.Unit, objects: ports.Objects, decoder: ports.Decoder) -> bool:
    """Look at the next stretch of an audit that runs; False when none does, or the store is away."""
    async with unit() as work:
        claim = await work.audits.claim(LEASE_S)
    if claim is None:
        return False
    try:
        looked = await _look(unit, objects, decoder, claim.audit)
    except errors.Unavailable:
        async with unit() as work:
            await work.audits.release(claim)
        return False
    async with unit() as work:
        after = audits.advance(claim.audit, looked, work.now)
        if await work.audits.save(claim, after, looked.findings) and after.finished_at:
            logs.get().info("audit.finished", audit_id=str(after.audit_id), checked=after.checked)
    return True


async def audit_all(unit: ports.Unit, objects: ports.Objects, decoder: ports.Decoder) -> None:
    """Audit whatever is asked for, for ever."""
    while True:
        try:
            found = await audit_next(unit, objects, decoder)
        except Exception:  # noqa: BLE001 - the database may be away: logged, and the lease brings the stretch back
            logs.get().exception("audit.interrupted")
            found = False
        if not found:
            await asyncio.sleep(IDLE_S)


async def show_audits(work: ports.Work) -> None:
    """Show what the last finished audit of each campaign found, from the database: every process tells the same."""
    measures.AUDIT_FINDINGS.clear()
    measures.AUDIT_AGE.clear()
    for audit, counts in await work.audits.last_finished():
        campaign = str(audit.campaign_id)
        for kind in audits.KINDS:
            measures.AUDIT_FINDINGS.labels(campaign=campaign, kind=kind).set(counts.get(kind, 0))
        if audit.finished_at:
            age = (work.now - audit.finished_at).total_seconds()
            measures.AUDIT_AGE.labels(campaign=campaign).set(max(age, 0))


async def audit_of(work: ports.Work, audit_id: UUID) -> audits.Audit:
    """One audit as it stands."""
    audit = await work.audits.get(audit_id)
    if audit is None:
        raise errors.NotFound("audit-not-known")
    return audit


async def _look(unit: ports.Unit, objects: ports.Objects, decoder: ports.Decoder, audit: audits.Audit) -> audits.Looked:
    # Objects are listed before the rows are read: what is stored meanwhile cannot look orphaned.
    lying = await _lying(objects, audit)
    async with unit() as work:
        expected = await work.audits.expected(audit.campaign_id, audit.section, audit.cursor, STRETCH)
    stretch = audits.lay(expected, lying, STRETCH)
    limiter = asyncio.Semaphore(AT_ONCE)

    async def fault(one: audits.Expected) -> audits.Kind | None:
        async with limiter:
            return await _fault(objects, decoder, audit, one)

    # What was not listed is asked for by its name: it may have come since.
    rows = [*stretch.present, *stretch.absent]
    faults = await asyncio.gather(*(fault(one) for one in rows))
    orphans, young = audits.judge_unknown(audit, stretch.unknown)
    bad = [
        audits.Finding(audit.folder + one.name, kind, one.capture_ids)
        for one, kind in zip(rows, faults, strict=True)
        if kind and not (kind == "undecodable" and one.unreadable)
    ]
    known = sum(kind == "undecodable" and one.unreadable for one, kind in zip(rows, faults, strict=True))
    return audits.Looked((*bad, *orphans), len(rows), young, known, stretch.end)


async def _lying(objects: ports.Objects, audit: audits.Audit) -> Sequence[audits.Lying]:
    found: list[audits.Lying] = []
    # The store's dates are real ones, whatever a simulated clock says.
    now = clock.SystemClock().now()
    async for one in objects.scan(audit.folder, audit.folder + audit.cursor if audit.cursor else None):
        found.append(audits.Lying(one.key.removeprefix(audit.folder), now - one.modified_at))
        if len(found) == STRETCH:
            break
    return found


async def _fault(
    objects: ports.Objects, decoder: ports.Decoder, audit: audits.Audit, one: audits.Expected
) -> audits.Kind | None:
    try:
        data = await objects.get(audit.folder + one.name)
    except errors.NotFound:
        return "missing"
    if await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest()) != one.sha256:
        return "wrong_hash"
    return None if not audit.decode or await decoder.readable(data) else "undecodable"
