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
#: Rows and objects of one stretch: so much is done again after a kill. Where keys are only listed, a listing's page.
STRETCH, PAGE = 100, 1000
#: How long a stretch is one worker's, in real seconds: many times what it takes.
LEASE_S = 120.0
#: How long a worker rests that found nothing to do; when a store that is away is asked again, and at the latest.
IDLE_S, WAIT_S, LONGEST_WAIT_S = 1.0, 2.0, 60.0
#: A closed campaign's photos matter until they are wiped, and change no more: so many times less often.
CLOSED_TIMES = 7


async def start_audit(
    work: ports.Work, campaign_id: ids.CampaignId, asked_by: str, *, decode: bool, grace_s: int
) -> audits.Audit:
    """Begin an audit of a campaign; one that runs already is the answer, unless it looks at less, or at more."""
    asked = audits.Audit(
        audit_id=work.new_id(),
        campaign_id=campaign_id,
        asked_by=asked_by,
        decode=decode,
        grace_s=grace_s,
        started_at=work.now,
        expected=await work.audits.count_expected(campaign_id),
        section="elsewhere" if campaign_id == audits.ELSEWHERE else "originals",
    )
    running = await work.audits.add(asked)
    if not running.as_asked(asked):
        terms = {"decode": "yes" if running.decode else "no", "grace_s": running.grace_s}
        raise errors.Conflict("audit-runs-otherwise", campaign_id=str(campaign_id), **terms)
    return running


async def start_due(work: ports.Work, every: timedelta) -> int:
    """Begin a full audit of whatever had none for so long; how many that were."""
    due = await work.audits.due(work.now - every, work.now - CLOSED_TIMES * every)
    for campaign_id in due:
        await start_audit(work, campaign_id, "schedule", decode=True, grace_s=audits.FULL_GRACE_S)
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
        tries = claim.audit.tries + 1
        logs.get().warning("audit.waits", audit_id=str(claim.audit.audit_id), folder=claim.audit.folder, tries=tries)
        async with unit() as work:
            await work.audits.release(claim, min(WAIT_S * 2 ** min(tries - 1, 10), LONGEST_WAIT_S))
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
    """Show how each campaign stands, from the database: every process tells the same."""
    measures.AUDIT_FINDINGS.clear()
    measures.AUDIT_AGE.clear()
    for standing in await work.audits.standing():
        campaign = "elsewhere" if standing.campaign_id == audits.ELSEWHERE else str(standing.campaign_id)
        for kind, count in standing.found.items():
            measures.AUDIT_FINDINGS.labels(campaign=campaign, kind=kind).set(count)
        if standing.since:
            age = (work.now - standing.since).total_seconds()
            measures.AUDIT_AGE.labels(campaign=campaign, open=str(standing.open).lower()).set(max(age, 0))


async def audit_of(work: ports.Work, audit_id: UUID) -> audits.Audit:
    """One audit as it stands."""
    audit = await work.audits.get(audit_id)
    if audit is None:
        raise errors.NotFound("audit-not-known")
    return audit


async def _look(unit: ports.Unit, objects: ports.Objects, decoder: ports.Decoder, audit: audits.Audit) -> audits.Looked:
    # Objects are listed before the rows are read: what is stored meanwhile cannot look orphaned.
    if audit.section == "elsewhere":
        return await _look_elsewhere(unit, audit, await _lying(objects, audit, PAGE))
    lying = await _lying(objects, audit, STRETCH)
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


async def _look_elsewhere(unit: ports.Unit, audit: audits.Audit, lying: Sequence[audits.Lying]) -> audits.Looked:
    """What no known campaign's audit would ever list. Nothing is read of it."""
    async with unit() as work:
        unknown = audits.outside(lying, await work.reports.campaigns())
    orphans, young = audits.judge_unknown(audit, unknown)
    return audits.Looked(orphans, in_flight=young, end=lying[-1].name if len(lying) >= PAGE else None)


async def _lying(objects: ports.Objects, audit: audits.Audit, limit: int) -> Sequence[audits.Lying]:
    found: list[audits.Lying] = []
    # The store's dates are real ones, whatever a simulated clock says.
    now = clock.SystemClock().now()
    async for one in objects.scan(audit.folder, audit.folder + audit.cursor if audit.cursor else None):
        found.append(audits.Lying(one.key.removeprefix(audit.folder), now - one.modified_at))
        if len(found) == limit:
            break
    return found


async def _fault(
    objects: ports.Objects, decoder: ports.Decoder, audit: audits.Audit, one: audits.Expected
) -> audits.Kind | None:
    try:
        data = await objects.get(audit.folder + one.name, at_most=one.at_most)
    except errors.NotFound:
        return "missing"
    except errors.Unavailable:
        # The whole store may be away for a while: nothing is found until it answers for others, and not for this.
        if audit.tries < audits.TRIES or not await objects.ready():
            raise
        logs.get().error("audit.unreadable", audit_id=str(audit.audit_id), key=audit.folder + one.name)
        return "unreadable"
    if await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest()) != one.sha256:
        return "wrong_hash"
    return None if not audit.decode or await decoder.readable(data) else "undecodable"
