"""Plans by revision, and the floor in force."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from services.scheduler.domain import plans, running, wanted
from services.scheduler.store import DESKS, GROUPS, PLANS, SLOTS

_WANTED = TypeAdapter(wanted.Wanted)
_LAYOUT = TypeAdapter(plans.Layout)
_FINDINGS = TypeAdapter(tuple[plans.Finding, ...])


class Plans:
    """See `ports.Plans`."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def add(self, plan: plans.Plan, now: datetime) -> None:
        await self._tx.execute(PLANS.insert().values(**_row(plan), drafted_at=now))

    async def save(self, plan: plans.Plan) -> None:
        await self._tx.execute(PLANS.update().where(PLANS.c.plan_id == plan.plan_id).values(**_row(plan)))

    async def get(self, plan_id: ids.PlanId) -> plans.Plan | None:
        return await self._one(PLANS.c.plan_id == plan_id)

    async def in_force(self, campaign_id: ids.CampaignId) -> plans.Plan | None:
        return await self._one(sa.and_(PLANS.c.campaign_id == campaign_id, PLANS.c.state == "published"))

    async def newest_revision(self, campaign_id: ids.CampaignId) -> int:
        query = sa.select(sa.func.max(PLANS.c.revision)).where(PLANS.c.campaign_id == campaign_id)
        return (await self._tx.execute(query)).scalar() or 0

    async def _one(self, where: sa.ColumnElement[bool]) -> plans.Plan | None:
        row = (await self._tx.execute(sa.select(PLANS).where(where))).mappings().one_or_none()
        return None if row is None else _plan(row)


class Floor:
    """See `ports.Floor`."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def layout(self, campaign_id: ids.CampaignId) -> plans.Layout:
        groups = await self._rows(plans.Group, GROUPS, GROUPS.c.campaign_id == campaign_id, GROUPS.c.code)
        desks = await self._rows(plans.Desk, DESKS, DESKS.c.campaign_id == campaign_id, DESKS.c.code)
        slots = await self._rows(plans.Slot, SLOTS, SLOTS.c.campaign_id == campaign_id, SLOTS.c.starts_at)
        return plans.Layout(tuple(groups), tuple(desks), tuple(slots))

    async def replace(
        self, plan: plans.Plan, groups: Sequence[plans.Group], desks: Sequence[plans.Desk], change: running.Transition
    ) -> None:
        for table in (SLOTS, DESKS):
            await self._tx.execute(table.delete().where(table.c.campaign_id == plan.campaign_id))
        await self._put(GROUPS, groups, plan.campaign_id)
        kept = [group.group_id for group in groups]
        gone = sa.and_(GROUPS.c.campaign_id == plan.campaign_id, GROUPS.c.group_id.not_in(kept))
        await self._tx.execute(GROUPS.delete().where(gone))
        await self._put(DESKS, desks, plan.campaign_id)
        await self._put(SLOTS, change.in_force, plan.campaign_id)

    async def move(self, slots: Sequence[plans.Slot]) -> None:
        for slot in slots:
            await self._tx.execute(SLOTS.update().where(SLOTS.c.slot_id == slot.slot_id).values(**asdict(slot)))

    async def group(self, group_id: ids.GroupId) -> tuple[ids.CampaignId, plans.Group] | None:
        found: tuple[ids.CampaignId, plans.Group] | None
        found = await self._owned(plans.Group, GROUPS, GROUPS.c.group_id == group_id)
        return found

    async def slots_of_group(self, group_id: ids.GroupId) -> Sequence[plans.Slot]:
        return await self._rows(plans.Slot, SLOTS, SLOTS.c.group_id == group_id, SLOTS.c.starts_at)

    async def slot_of_class(self, class_id: ids.ClassId) -> tuple[ids.CampaignId, plans.Slot] | None:
        found: tuple[ids.CampaignId, plans.Slot] | None
        found = await self._owned(plans.Slot, SLOTS, SLOTS.c.class_id == class_id)
        return found

    async def raise_group(self, group_id: ids.GroupId) -> int:
        raised = GROUPS.update().where(GROUPS.c.group_id == group_id).values(version=GROUPS.c.version + 1)
        version: int = (await self._tx.execute(raised.returning(GROUPS.c.version))).scalar_one()
        return version

    async def _put(self, table: sa.Table, things: Iterable[Any], campaign_id: ids.CampaignId) -> None:
        rows = [{**asdict(thing), "campaign_id": campaign_id} for thing in things]
        if not rows:
            return
        insert = postgresql.insert(table)
        changed = {name: insert.excluded[name] for name in rows[0] if name not in table.primary_key.columns}
        keys = list(table.primary_key.columns)
        await self._tx.execute(insert.on_conflict_do_update(index_elements=keys, set_=changed), rows)

    async def _rows(
        self, kind: Any, table: sa.Table, where: sa.ColumnElement[bool], order: sa.Column[Any]
    ) -> list[Any]:
        columns = (table.c[name] for name in kind.__dataclass_fields__)
        found = await self._tx.execute(sa.select(*columns).where(where).order_by(order))
        return [kind(**row) for row in found.mappings()]

    async def _owned(self, kind: Any, table: sa.Table, where: sa.ColumnElement[bool]) -> Any:
        row = (await self._tx.execute(sa.select(table).where(where))).mappings().one_or_none()
        return (
            None
            if row is None
            else (row["campaign_id"], kind(**{name: row[name] for name in kind.__dataclass_fields__}))
        )


def _row(plan: plans.Plan) -> dict[str, Any]:
    return {
        "plan_id": plan.plan_id,
        "campaign_id": plan.campaign_id,
        "revision": plan.revision,
        "state": plan.state,
        "wanted": _WANTED.dump_python(plan.wanted, mode="json"),
        "layout": _LAYOUT.dump_python(plan.layout, mode="json"),
        "findings": _FINDINGS.dump_python(plan.findings, mode="json"),
        "ends_at": plan.ends_at,
    }


def _plan(row: Mapping[Any, Any]) -> plans.Plan:
    return plans.Plan(
        plan_id=row["plan_id"],
        campaign_id=row["campaign_id"],
        revision=row["revision"],
        state=row["state"],
        wanted=_WANTED.validate_python(row["wanted"]),
        layout=_LAYOUT.validate_python(row["layout"]),
        findings=_FINDINGS.validate_python(row["findings"]),
    )
