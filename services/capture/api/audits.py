"""Audits of the object store over HTTP: begin one, follow it, read what it found."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, status

from gradphoto_contracts import ids
from kit import auth, errors, pages, web
from services.capture import ports
from services.capture.api.bodies import audits as audits_bodies
from services.capture.api.bodies import shape
from services.capture.domain import audits
from services.capture.handlers import audit as acts

Auditor = Annotated[auth.Principal, Depends(web.principal("ops.read"))]
Limit = Annotated[int, Query(ge=1, le=1000)]


def router(unit: ports.Unit) -> APIRouter:
    """Audits by those who may look at the workings of a campaign."""
    doors = APIRouter(tags=["audits"])

    @doors.post("/audits", status_code=status.HTTP_202_ACCEPTED)
    async def start(body: audits_bodies.AuditAsked, who: Auditor) -> list[audits_bodies.Audit]:
        async with unit() as work:
            asked = [body.campaign_id] if body.campaign_id else [*await work.reports.campaigns(), audits.ELSEWHERE]
            begun = [await _start(work, ids.CampaignId(one), body, who) for one in asked if _may(who, one, body)]
            return [await _shown(work, audit) for audit in begun]

    @doors.get("/audits/{audit_id}")
    async def audit(audit_id: UUID, who: Auditor) -> audits_bodies.Audit:
        async with unit() as work:
            found = await acts.audit_of(work, audit_id)
            who.require_whole(found.campaign_id)
            return await _shown(work, found)

    @doors.get("/audits/{audit_id}/findings")
    async def findings(
        audit_id: UUID, who: Auditor, after: Annotated[int, Query(ge=0, le=shape.LARGEST)] = 0, limit: Limit = 200
    ) -> pages.Page[audits_bodies.AuditFinding]:
        async with unit() as work:
            who.require_whole((await acts.audit_of(work, audit_id)).campaign_id)
            rows = await work.audits.findings(audit_id, after, limit)
        return shape.page(audits_bodies.AuditFinding, rows, limit)

    return doors


def _may(who: auth.Principal, campaign_id: UUID, body: audits_bodies.AuditAsked) -> bool:
    """Whoever names a campaign is told that it is not theirs; whoever names none gets their own."""
    try:
        who.require_whole(campaign_id)
    except errors.Refused:
        if body.campaign_id:
            raise
        return False
    return True


async def _start(
    work: ports.Work, campaign_id: ids.CampaignId, body: audits_bodies.AuditAsked, who: auth.Principal
) -> audits.Audit:
    if campaign_id != audits.ELSEWHERE and await work.floor.campaign(campaign_id) is None:
        raise errors.NotFound("campaign-not-known")
    return await acts.start_audit(work, campaign_id, who.sub, decode=body.decode, grace_s=body.grace_s)


async def _shown(work: ports.Work, audit: audits.Audit) -> audits_bodies.Audit:
    counts = await work.audits.counts(audit.audit_id)
    return audits_bodies.Audit(
        audit_id=audit.audit_id,
        campaign_id=audit.campaign_id,
        state="finished" if audit.finished_at else "running",
        decode=audit.decode,
        grace_s=audit.grace_s,
        asked_by=audit.asked_by,
        started_at=audit.started_at,
        finished_at=audit.finished_at,
        expected=audit.expected,
        checked=audit.checked,
        in_flight=audit.in_flight,
        known_unreadable=audit.known_unreadable,
        tries=audit.tries,
        found={kind: counts.get(kind, 0) for kind in audits.KINDS},
        sound=audit.finished_at is not None and not counts,
    )
