"""Campaigns with their campuses, in PostgreSQL."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids, policy
from gradphoto_contracts import roster as says
from services.roster.domain import campaigns
from services.roster.store import CAMPAIGNS, CAMPUSES


class Campaigns:
    """See `ports.Campaigns`."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def get(self, campaign_id: ids.CampaignId) -> campaigns.Campaign | None:
        return await self._one(sa.select(CAMPAIGNS).where(CAMPAIGNS.c.campaign_id == campaign_id))

    async def locked(self, campaign_id: ids.CampaignId) -> campaigns.Campaign | None:
        return await self._one(sa.select(CAMPAIGNS).where(CAMPAIGNS.c.campaign_id == campaign_id).with_for_update())

    async def by_code(self, code: str) -> campaigns.Campaign | None:
        # Two who open the same campaign at once: the second waits here, and then finds the first's.
        await self._tx.execute(
            sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"campaign:{code}", 0)))
        )
        return await self._one(sa.select(CAMPAIGNS).where(CAMPAIGNS.c.code == code))

    async def all(self) -> list[campaigns.Campaign]:
        found = (await self._tx.execute(sa.select(CAMPAIGNS).order_by(CAMPAIGNS.c.campaign_id))).mappings().all()
        return [await self._campaign(row) for row in found]

    async def add(self, campaign: campaigns.Campaign) -> None:
        await self._tx.execute(CAMPAIGNS.insert().values(_row(campaign)))
        rows = [
            {**campus.model_dump(), "campaign_id": campaign.campaign_id, "position": position}
            for position, campus in enumerate(campaign.campuses)
        ]
        if rows:
            await self._tx.execute(CAMPUSES.insert(), rows)

    async def save(self, campaign: campaigns.Campaign) -> None:
        where = CAMPAIGNS.c.campaign_id == campaign.campaign_id
        await self._tx.execute(CAMPAIGNS.update().where(where).values(_row(campaign)))

    async def _one(self, query: sa.Select[Any]) -> campaigns.Campaign | None:
        row = (await self._tx.execute(query)).mappings().one_or_none()
        return None if row is None else await self._campaign(row)

    async def _campaign(self, row: Mapping[Any, Any]) -> campaigns.Campaign:
        query = (
            sa.select(CAMPUSES.c.campus_id, CAMPUSES.c.code, CAMPUSES.c.name_zh)
            .where(CAMPUSES.c.campaign_id == row["campaign_id"])
            .order_by(CAMPUSES.c.position)
        )
        found = (await self._tx.execute(query)).mappings().all()
        campuses = tuple(says.Campus.model_validate(dict(campus)) for campus in found)
        return campaigns.Campaign(**{**row, "policy": policy.Policy.model_validate(row["policy"])}, campuses=campuses)


def _row(campaign: campaigns.Campaign) -> dict[str, Any]:
    return {
        "campaign_id": campaign.campaign_id,
        "code": campaign.code,
        "title_zh": campaign.title_zh,
        "school_code": campaign.school_code,
        "graduation_year": campaign.graduation_year,
        "policy": campaign.policy.model_dump(mode="json"),
        "state": campaign.state,
        "version": campaign.version,
        "roster_revision": campaign.roster_revision,
    }
