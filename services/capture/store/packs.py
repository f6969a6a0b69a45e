"""The desk pack: what a desk may know, and the number of its version."""

import hashlib
import json
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from services.capture import ports, store
from services.capture.domain import floor
from services.capture.store import sets

CHECKINS, STUDENTS, CLASSES, SLOTS = store.CHECKINS, store.STUDENTS, store.CLASSES, store.SLOTS


class Packs:
    """Desk packs over a transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def pack(self, campaign: floor.Campaign, desk: floor.Desk) -> ports.Pack:
        """The classes are those of the group's slots; one without any slot goes to groups with a delegated block."""
        content = {
            "classes": await self._pack_classes(campaign.campaign_id, desk.group_id),
            "entries": await self._pack_entries(campaign),
            "next_ticket": await self._next_ticket(desk),
            "policy": [campaign.version, desk.revision],
        }
        return ports.Pack(version=await self._pack_version(desk.desk_id, content), content=content)

    async def _pack_classes(self, campaign_id: ids.CampaignId, group_id: ids.GroupId) -> list[dict[str, Any]]:
        live = sa.select(SLOTS).where(SLOTS.c.campaign_id == campaign_id, ~SLOTS.c.cancelled).subquery()
        here = sa.select(live.c.class_id, live.c.order_code, live.c.starts_at).where(live.c.group_id == group_id)
        slots = (await self._tx.execute(here.order_by(live.c.starts_at))).all()
        order_codes = {slot.class_id: slot.order_code for slot in reversed(slots) if slot.class_id is not None}
        takes_unplanned = not slots or any(slot.class_id is None for slot in slots)
        planned = sa.select(live.c.class_id).where(live.c.class_id.is_not(None))
        wanted: sa.ColumnElement[bool] = CLASSES.c.class_id.in_(list(order_codes))
        if takes_unplanned:
            wanted = sa.or_(wanted, CLASSES.c.class_id.not_in(planned))
        query = sa.select(CLASSES.c.class_id, CLASSES.c.label).where(CLASSES.c.campaign_id == campaign_id, wanted)
        rows = await self._tx.execute(query.order_by(CLASSES.c.label, CLASSES.c.class_id))
        return [
            {"class_id": str(row.class_id), "label": row.label, "order_code": order_codes.get(row.class_id)}
            for row in rows
        ]

    async def _pack_entries(self, campaign: floor.Campaign) -> list[dict[str, Any]]:
        query = (
            sa.select(
                STUDENTS.c.student_id,
                STUDENTS.c.class_id,
                STUDENTS.c.ordinal,
                STUDENTS.c.eligible,
                store.CODES.c.digest,
                sets.photographed(campaign.campaign_id).label("photographed"),
            )
            .select_from(STUDENTS)
            .outerjoin(
                store.CODES,
                sa.and_(
                    store.CODES.c.student_id == STUDENTS.c.student_id, store.CODES.c.mode == campaign.identity_mode
                ),
            )
            .where(STUDENTS.c.campaign_id == campaign.campaign_id, ~STUDENTS.c.withdrawn)
            .order_by(STUDENTS.c.class_id, STUDENTS.c.ordinal, STUDENTS.c.student_id)
        )
        return [_as_text(row) for row in (await self._tx.execute(query)).mappings()]

    async def _next_ticket(self, desk: floor.Desk) -> int:
        number = sa.cast(sa.func.right(CHECKINS.c.ticket, 4), sa.Integer)
        last = sa.select(sa.func.max(number)).where(
            CHECKINS.c.campaign_id == desk.campaign_id, CHECKINS.c.desk_id == desk.desk_id
        )
        return ((await self._tx.execute(last)).scalar() or 0) + 1

    async def _pack_version(self, desk_id: ids.DeskId, content: dict[str, Any]) -> int:
        packs = store.PACKS
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        insert = postgresql.insert(packs).values(desk_id=desk_id, content_sha256=digest, version=1)
        put = insert.on_conflict_do_update(
            index_elements=[packs.c.desk_id],
            set_={"content_sha256": digest, "version": packs.c.version + 1},
            where=packs.c.content_sha256 != digest,
        )
        await self._tx.execute(put)
        found = await self._tx.execute(sa.select(packs.c.version).where(packs.c.desk_id == desk_id))
        return int(found.scalar_one())


def _as_text(row: sa.RowMapping) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, UUID) else value for name, value in row.items()}
