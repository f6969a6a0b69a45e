"""Uploads, and the encrypted rows that wait to be applied."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from services.roster.domain import imports
from services.roster.ports import Sealed
from services.roster.store import IMPORTS, STAGED


class Imports:
    """See `ports.Imports`."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def add(self, new: imports.Import, by: str, now: datetime) -> None:
        await self._tx.execute(IMPORTS.insert().values({**_row(new), "uploaded_by": by, "uploaded_at": now}))

    async def locked(self, import_id: ids.ImportId) -> imports.Import | None:
        query = sa.select(IMPORTS).where(IMPORTS.c.import_id == import_id).with_for_update()
        row = (await self._tx.execute(query)).mappings().one_or_none()
        return None if row is None else _import(dict(row))

    async def applied(self, import_id: ids.ImportId, now: datetime) -> None:
        where = IMPORTS.c.import_id == import_id
        await self._tx.execute(IMPORTS.update().where(where).values(state="applied", applied_at=now))

    async def stage(self, import_id: ids.ImportId, rows: Sequence[Sealed]) -> None:
        raw: Any = (await self._tx.get_raw_connection()).driver_connection
        await raw.copy_records_to_table(
            "staged",
            schema_name="roster",
            columns=["change_id", *Sealed._fields],
            records=[(import_id, *row) for row in rows],
        )

    async def drop_before(self, before: datetime) -> int:
        waiting = sa.and_(IMPORTS.c.state == "ready", IMPORTS.c.uploaded_at < before)
        update = IMPORTS.update().where(waiting).values(state="dropped").returning(IMPORTS.c.import_id)
        dropped = (await self._tx.execute(update)).scalars().all()
        await self._tx.execute(STAGED.delete().where(STAGED.c.change_id.in_(dropped)))
        return len(dropped)


def _row(new: imports.Import) -> dict[str, Any]:
    classes = [[str(one.class_id), one.college_zh, one.label, str(one.campus_id)] for one in new.classes]
    return {**{name: getattr(new, name) for name in new.__dataclass_fields__}, "classes": classes}


def _import(row: dict[str, Any]) -> imports.Import:
    classes = tuple(
        imports.KnownClass(ids.ClassId(UUID(class_id)), college_zh, label, ids.CampusId(UUID(campus_id)))
        for class_id, college_zh, label, campus_id in row["classes"]
    )
    return imports.Import(**{name: row[name] for name in imports.Import.__dataclass_fields__} | {"classes": classes})
