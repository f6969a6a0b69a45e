"""Charges."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from gradphoto_contracts import ids
from gradphoto_contracts.billing import Payer
from services.billing.domain import charges, settlements
from services.billing.store import CHARGES, VOUCHERS, mapping

_CHARGE = ("charge_id", "version", "campaign_id", "student_id", "class_id", "amount_fen", "active")


class Charges(mapping.Table):
    async def get(self, campaign_id: ids.CampaignId, student_id: ids.StudentId) -> charges.Charge | None:
        row = await self._one(
            sa.select(CHARGES).where(CHARGES.c.campaign_id == campaign_id, CHARGES.c.student_id == student_id)
        )
        return (
            charges.Charge(**{name: getattr(row, name) for name in _CHARGE}, payer=mapping.payer_of(row))
            if row
            else None
        )

    async def save(self, charge: charges.Charge) -> None:
        values = mapping.flat(charge, *_CHARGE)
        insert = postgresql.insert(CHARGES).values(values)
        await self._tx.execute(insert.on_conflict_do_update(index_elements=["charge_id"], set_=values))

    async def uncovered(self, campaign_id: ids.CampaignId, payer: Payer, limit: int) -> list[ids.StudentId]:
        covered = sa.exists().where(
            mapping.pays(VOUCHERS, campaign_id, payer),
            VOUCHERS.c.state == "redeemed",
            VOUCHERS.c.student_id == CHARGES.c.student_id,
        )
        query = sa.select(CHARGES.c.student_id).where(
            mapping.pays(CHARGES, campaign_id, payer), CHARGES.c.active, ~covered
        )
        return [row.student_id for row in await self._all(query.order_by(CHARGES.c.charge_id).limit(limit))]

    async def by_class(self, campaign_id: ids.CampaignId, payer: Payer) -> list[settlements.ClassHeads]:
        columns = (CHARGES.c.class_id, sa.func.count().label("heads"), sa.func.sum(CHARGES.c.amount_fen).label("fen"))
        ours = sa.select(*columns).where(mapping.pays(CHARGES, campaign_id, payer), CHARGES.c.active)
        query = ours.group_by(CHARGES.c.class_id).order_by(CHARGES.c.class_id)
        return [settlements.ClassHeads(row.class_id, row.heads, int(row.fen)) for row in await self._all(query)]
