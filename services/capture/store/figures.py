"""What the figures tell of the desks of open campaigns. Asked every few seconds by every process."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.capture import store

CAMPAIGNS, DESKS, SESSIONS, STATIONS = store.CAMPAIGNS, store.DESKS, store.SESSIONS, store.STATIONS

#: The words of the figures: the codes of campus and desk.
_PLACE = (
    sa.func.coalesce(CAMPAIGNS.c.campuses.op("->>")(sa.cast(DESKS.c.campus_id, sa.Text)), "").label("campus"),
    DESKS.c.code.label("desk"),
)


class Figures:
    """Figures over a transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def plan(self) -> list[dict[str, Any]]:
        return await self._rows(sa.select(*_PLACE, DESKS.c.planned_per_hour).select_from(_open_desks()))

    async def fleet(self) -> list[dict[str, Any]]:
        query = (
            sa.select(
                *_PLACE,
                STATIONS.c.online,
                STATIONS.c.last_seen_at,
                STATIONS.c.health,
                CAMPAIGNS.c.desk_pack_fresh_minutes,
            )
            .select_from(_open_desks().join(STATIONS, STATIONS.c.desk_id == DESKS.c.desk_id))
            .where(STATIONS.c.state == "enrolled", STATIONS.c.last_seen_at.is_not(None))
            .order_by(STATIONS.c.last_seen_at)
        )
        return [{**row.pop("health"), **row} for row in await self._rows(query)]

    async def refused(self) -> list[dict[str, Any]]:
        query = (
            sa.select(*_PLACE, sa.func.count().label("sessions"))
            .select_from(_open_desks().join(SESSIONS, SESSIONS.c.desk_id == DESKS.c.desk_id))
            .where(SESSIONS.c.state == "refused")
            .group_by(CAMPAIGNS.c.campaign_id, DESKS.c.desk_id)
        )
        return await self._rows(query)

    async def _rows(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        return [dict(row) for row in (await self._tx.execute(query)).mappings()]


def _open_desks() -> sa.Join:
    return DESKS.join(CAMPAIGNS, sa.and_(CAMPAIGNS.c.campaign_id == DESKS.c.campaign_id, CAMPAIGNS.c.open))
