"""Audits and what they found; the objects that the rows name, in the order of their keys."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from services.capture import ports, store
from services.capture.domain import audits

TABLE, FINDINGS, CAPTURES = store.AUDITS, store.AUDIT_FINDINGS, store.CAPTURES
_COLUMNS = [column for column in TABLE.c if column.name not in ("claims", "claimed_until")]

#: Keys are compared as the store does: byte by byte.
_ORIGINAL = sa.collate(CAPTURES.c.sha256 + ".jpg", "C")
_PHOTO = sa.collate(sa.func.regexp_replace(CAPTURES.c.photo_key, "^.*/", ""), "C")


def _full(table: sa.FromClause) -> tuple[sa.ColumnElement[bool], ...]:
    return (table.c.decode, table.c.grace_s <= audits.FULL_GRACE_S)


def _lately(campaign_id: Any, since: Any) -> sa.ColumnElement[bool]:
    """Whether an audit of it runs, or a full one has begun since."""
    full_since = sa.and_(*_full(TABLE), TABLE.c.started_at >= since)
    return sa.exists().where(TABLE.c.campaign_id == campaign_id, sa.or_(TABLE.c.finished_at.is_(None), full_since))


class Audits:
    """Audits over a transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def count_expected(self, campaign_id: ids.CampaignId) -> int:
        query = sa.select(
            sa.func.count(CAPTURES.c.sha256.distinct()) + sa.func.count(CAPTURES.c.photo_key.distinct())
        ).where(CAPTURES.c.campaign_id == campaign_id)
        return int((await self._tx.execute(query)).scalar_one())

    async def add(self, audit: audits.Audit) -> audits.Audit:
        insert = postgresql.insert(TABLE).values(asdict(audit))
        await self._tx.execute(insert.on_conflict_do_nothing())
        query = sa.select(*_COLUMNS).where(TABLE.c.campaign_id == audit.campaign_id, TABLE.c.finished_at.is_(None))
        return audits.Audit(**(await self._tx.execute(query)).mappings().one())

    async def get(self, audit_id: UUID) -> audits.Audit | None:
        query = sa.select(*_COLUMNS).where(TABLE.c.audit_id == audit_id)
        row = (await self._tx.execute(query)).mappings().one_or_none()
        return audits.Audit(**row) if row else None

    async def due(self, before: datetime, closed_before: datetime) -> Sequence[ids.CampaignId]:
        campaigns = store.CAMPAIGNS
        since = sa.case((campaigns.c.open, before), else_=closed_before)
        # The first audit comes as long after the first photo as any other comes after the one before.
        photographed = sa.exists().where(
            CAPTURES.c.campaign_id == campaigns.c.campaign_id, CAPTURES.c.received_at < since
        )
        query = sa.select(campaigns.c.campaign_id).where(photographed, ~_lately(campaigns.c.campaign_id, since))
        elsewhere = sa.select(sa.literal(audits.ELSEWHERE, sa.Uuid)).where(
            sa.exists().where(CAPTURES.c.received_at < before), ~_lately(audits.ELSEWHERE, before)
        )
        return list((await self._tx.execute(sa.union_all(query, elsewhere))).scalars())

    async def claim(self, lease_s: float) -> ports.AuditClaim | None:
        clock = sa.func.clock_timestamp()
        free = (
            sa.select(TABLE.c.audit_id)
            .where(
                TABLE.c.finished_at.is_(None), sa.or_(TABLE.c.claimed_until.is_(None), TABLE.c.claimed_until < clock)
            )
            .order_by(TABLE.c.started_at)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        lease = sa.func.make_interval(0, 0, 0, 0, 0, 0, lease_s)
        claim = sa.update(TABLE).where(TABLE.c.audit_id == free)
        claim = claim.values(claims=TABLE.c.claims + 1, claimed_until=clock + lease)
        row = (await self._tx.execute(claim.returning(*_COLUMNS, TABLE.c.claims))).mappings().one_or_none()
        if row is None:
            return None
        facts = dict(row)
        number = facts.pop("claims")
        return ports.AuditClaim(audits.Audit(**facts), number)

    async def release(self, claim: ports.AuditClaim, wait_s: float) -> None:
        until = sa.func.clock_timestamp() + sa.func.make_interval(0, 0, 0, 0, 0, 0, wait_s)
        freed = sa.update(TABLE).where(*self._still(claim))
        await self._tx.execute(freed.values(claimed_until=until, tries=TABLE.c.tries + 1))

    async def save(self, claim: ports.AuditClaim, after: audits.Audit, findings: Sequence[audits.Finding]) -> bool:
        change = sa.update(TABLE).where(*self._still(claim)).values(**asdict(after), claimed_until=None)
        if (await self._tx.execute(change)).rowcount != 1:
            return False
        rows = [{**asdict(one), "audit_id": after.audit_id, "capture_ids": list(one.capture_ids)} for one in findings]
        if rows:
            await self._tx.execute(postgresql.insert(FINDINGS).values(rows).on_conflict_do_nothing())
        return True

    async def counts(self, audit_id: UUID) -> dict[str, int]:
        query = sa.select(FINDINGS.c.kind, sa.func.count().label("findings")).where(FINDINGS.c.audit_id == audit_id)
        return {row.kind: row.findings for row in await self._tx.execute(query.group_by(FINDINGS.c.kind))}

    async def findings(self, audit_id: UUID, after: int, limit: int) -> list[dict[str, Any]]:
        query = sa.select(FINDINGS.c.seq, FINDINGS.c.object_key, FINDINGS.c.kind, FINDINGS.c.capture_ids)
        query = query.where(FINDINGS.c.audit_id == audit_id, FINDINGS.c.seq > after).order_by(FINDINGS.c.seq)
        return [dict(row) for row in (await self._tx.execute(query.limit(limit))).mappings()]

    async def standing(self) -> Sequence[ports.AuditStanding]:
        # Whatever no later full audit has gone over: the last of these, and those by which less was looked at since.
        later = TABLE.alias()
        over = sa.exists().where(
            later.c.campaign_id == TABLE.c.campaign_id,
            later.c.finished_at.is_not(None),
            *_full(later),
            sa.tuple_(later.c.started_at, later.c.audit_id) > sa.tuple_(TABLE.c.started_at, TABLE.c.audit_id),
        )
        query = sa.select(*_COLUMNS).where(~over).order_by(TABLE.c.campaign_id, TABLE.c.started_at)
        known = [audits.Audit(**row) for row in (await self._tx.execute(query)).mappings()]
        closed = sa.select(store.CAMPAIGNS.c.campaign_id).where(~store.CAMPAIGNS.c.open)
        ended = set((await self._tx.execute(closed)).scalars())
        by_campaign: dict[ids.CampaignId, list[audits.Audit]] = {}
        for audit in known:
            by_campaign.setdefault(audit.campaign_id, []).append(audit)
        return [
            ports.AuditStanding(
                campaign_id=campaign_id,
                open=campaign_id not in ended,
                since=next((audit.started_at for audit in theirs if audit.full), None),
                found=await self._worst([audit for audit in theirs if audit.finished_at]),
            )
            for campaign_id, theirs in by_campaign.items()
        ]

    async def _worst(self, ended: Sequence[audits.Audit]) -> dict[audits.Kind, int]:
        return audits.worst([await self.counts(audit.audit_id) for audit in ended]) if ended else {}

    async def expected(
        self, campaign_id: ids.CampaignId, section: audits.Section, after: str, limit: int
    ) -> Sequence[audits.Expected]:
        name = _ORIGINAL if section == "originals" else _PHOTO
        sha256 = CAPTURES.c.sha256 if section == "originals" else CAPTURES.c.photo_sha256
        unreadable = sa.func.bool_and(sa.func.coalesce(CAPTURES.c.cause, "").in_(("unreadable", "retaken")))
        longest = sa.func.max(CAPTURES.c.size_bytes) if section == "originals" else sa.literal(audits.LARGEST_PHOTO)
        query = (
            sa.select(name, sa.func.min(sha256), sa.func.array_agg(CAPTURES.c.capture_id), unreadable, longest)
            .where(CAPTURES.c.campaign_id == campaign_id, sha256.is_not(None), name > after)
            .group_by(name)
            .order_by(name)
            .limit(limit)
        )
        return [
            audits.Expected(name, sha256, tuple(sorted(capture_ids)), unreadable, longest)
            for name, sha256, capture_ids, unreadable, longest in await self._tx.execute(query)
        ]

    def _still(self, claim: ports.AuditClaim) -> tuple[sa.ColumnElement[bool], ...]:
        return (TABLE.c.audit_id == claim.audit.audit_id, TABLE.c.claims == claim.number, TABLE.c.finished_at.is_(None))
