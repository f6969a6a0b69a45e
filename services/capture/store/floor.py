"""Copies of roster's and scheduler's facts: written only when what comes is newer."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from services.capture import store
from services.capture.domain import floor


class Floor:
    """The copies, over a transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def campaign(self, campaign_id: ids.CampaignId) -> floor.Campaign | None:
        row = await self._row(store.CAMPAIGNS, campaign_id)
        if row is None:
            return None
        campuses = {ids.CampusId(UUID(key)): code for key, code in row["campuses"].items()}
        return floor.Campaign(**{**row, "campuses": campuses})

    async def student(self, student_id: ids.StudentId) -> floor.Student | None:
        row = await self._row(store.STUDENTS, student_id)
        return floor.Student(**row) if row else None

    async def desk(self, desk_id: ids.DeskId) -> floor.Desk | None:
        row = await self._row(store.DESKS, desk_id)
        return floor.Desk(**row) if row else None

    async def desks(self) -> Sequence[floor.Desk]:
        rows = await self._tx.execute(sa.select(store.DESKS))
        return [floor.Desk(**row) for row in rows.mappings()]

    async def place(self, desk_id: ids.DeskId) -> floor.Place:
        desks, campaigns = store.DESKS, store.CAMPAIGNS
        query = (
            sa.select(desks.c.code, desks.c.campus_id, campaigns.c.campuses)
            .select_from(desks.outerjoin(campaigns, campaigns.c.campaign_id == desks.c.campaign_id))
            .where(desks.c.desk_id == desk_id)
        )
        row = (await self._tx.execute(query)).one_or_none()
        if row is None:
            return floor.Place(campus="", desk="")
        return floor.Place(campus=(row.campuses or {}).get(str(row.campus_id), ""), desk=row.code)

    async def put_campaign(self, campaign: floor.Campaign) -> None:
        campuses = {str(key): code for key, code in campaign.campuses.items()}
        await self._put(store.CAMPAIGNS, [{**asdict(campaign), "campuses": campuses}])

    async def close_campaign(self, campaign_id: ids.CampaignId, version: int) -> bool:
        table = store.CAMPAIGNS
        newer = sa.update(table).where(table.c.campaign_id == campaign_id, table.c.version < version)
        await self._tx.execute(newer.values(open=False, version=version))
        return await self._row(table, campaign_id) is not None

    async def put_class(self, school_class: floor.SchoolClass) -> None:
        await self._put(store.CLASSES, [asdict(school_class)])

    async def put_student(self, student: floor.Student) -> None:
        await self._put(store.STUDENTS, [asdict(student)])

    async def put_code(self, code: floor.Code) -> None:
        await self._put(store.CODES, [asdict(code)])

    async def put_desks(self, desks: Sequence[floor.Desk]) -> None:
        await self._put(store.DESKS, [asdict(desk) for desk in desks], newer="revision")

    async def put_slot(self, slot: floor.Slot) -> None:
        await self._put(store.SLOTS, [asdict(slot)])

    async def cancel_slot(self, slot_id: ids.SlotId, campaign_id: ids.CampaignId, version: int) -> None:
        # A cancellation that overtakes its slot leaves a row that the older word cannot revive.
        row = {"slot_id": slot_id, "campaign_id": campaign_id, "cancelled": True, "version": version}
        await self._put(store.SLOTS, [row])

    async def _row(self, table: sa.Table, key: UUID) -> dict[str, Any] | None:
        (column,) = table.primary_key.columns
        row = (await self._tx.execute(sa.select(table).where(column == key))).mappings().one_or_none()
        return dict(row) if row else None

    async def _put(self, table: sa.Table, rows: Sequence[dict[str, Any]], newer: str = "version") -> None:
        if not rows:
            return
        # One row by itself has a text that is compiled once; that of several is another for each number of rows.
        insert = postgresql.insert(table).values(rows[0] if len(rows) == 1 else list(rows))
        (key,) = table.primary_key.columns
        put = insert.on_conflict_do_update(
            index_elements=[key],
            set_={name: insert.excluded[name] for name in rows[0] if name != key.name},
            where=insert.excluded[newer] > table.c[newer],
        )
        await self._tx.execute(put)
