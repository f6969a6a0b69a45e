"""Charges."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from gradphoto_contracts import ids
from gradphoto_contracts.billing import Payer
from services.billing.domain import charges, copies, settlements
from services.billing.store import CHARGES, VOUCHERS, mapping

_CHARGE = ("charge_id", "version", "campaign_id", "student_id", "class_id", "amount_fen", "active")
#: A student of whom roster has not told is in the class that the photo names.
_STANDING = sa.text("""
    select p.capture_id, p.class_id as photo_class_id,
        k.college_zh,
        c.charge_id, c.version, c.campaign_id, c.student_id, c.class_id, c.payer_kind, c.payer_ref,
        c.amount_fen, c.active
    from (select) one
    left join lateral (
        select * from billing.photos where student_id = :student_id and in_force order by capture_id limit 1
    ) p on true
    left join billing.charges c on c.campaign_id = :campaign_id and c.student_id = :student_id
    left join billing.classes k on k.class_id = coalesce(case when not :told then p.class_id end, :class_id)
""")


_INSERT = postgresql.insert(CHARGES)
_SAVE = _INSERT.on_conflict_do_update(
    index_elements=["charge_id"],
    set_={column.name: _INSERT.excluded[column.name] for column in CHARGES.c if not column.primary_key},
)


def _charge(row: Any) -> charges.Charge:
    return charges.Charge(**{name: getattr(row, name) for name in _CHARGE}, payer=mapping.payer_of(row))


class Charges(mapping.Table):
    async def standing(self, campaign_id: ids.CampaignId, student: copies.Student) -> charges.Standing:
        ours = {"campaign_id": campaign_id, "student_id": student.student_id, "class_id": student.class_id}
        row = await self._one(_STANDING, told=student.version > 0, **ours)
        return charges.Standing(
            class_id=row.photo_class_id if row.capture_id and not student.version else student.class_id,
            photographed=row.capture_id is not None,
            college_zh=row.college_zh,
            charge=_charge(row) if row.charge_id else None,
        )

    async def save(self, charge: charges.Charge) -> None:
        await self._tx.execute(_SAVE, mapping.flat(charge, *_CHARGE))

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
