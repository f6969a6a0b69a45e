"""Vouchers."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from gradphoto_contracts import ids
from gradphoto_contracts.billing import Payer
from services.billing.domain import vouchers
from services.billing.store import CHARGES, VOUCHERS, mapping

_VOUCHER = ("voucher_id", "version", "campaign_id", "payment_id", "number", "amount_fen", "state", "student_id")


def _voucher(row: Any) -> vouchers.Voucher:
    return vouchers.Voucher(**{name: getattr(row, name) for name in _VOUCHER}, payer=mapping.payer_of(row))


class Vouchers(mapping.Table):
    async def get(self, voucher_id: ids.VoucherId) -> vouchers.Voucher | None:
        row = await self._one(sa.select(VOUCHERS).where(VOUCHERS.c.voucher_id == voucher_id))
        return _voucher(row) if row else None

    async def add(self, vouchers: Sequence[vouchers.Voucher]) -> None:
        if vouchers:
            await self._tx.execute(VOUCHERS.insert(), [mapping.flat(voucher, *_VOUCHER) for voucher in vouchers])

    async def save(self, vouchers: Sequence[vouchers.Voucher]) -> None:
        # Those set free go first: one student never holds two, not even between two statements.
        for voucher in sorted(vouchers, key=lambda voucher: voucher.state == "redeemed"):
            changed = {"state": voucher.state, "student_id": voucher.student_id, "version": voucher.version}
            mine = VOUCHERS.c.voucher_id == voucher.voucher_id
            await self._tx.execute(VOUCHERS.update().where(mine).values(changed))

    async def of_payment(self, payment_id: ids.PaymentId) -> list[vouchers.Voucher]:
        query = sa.select(VOUCHERS).where(VOUCHERS.c.payment_id == payment_id).order_by(VOUCHERS.c.number)
        return [_voucher(row) for row in await self._all(query)]

    async def stale(self, campaign_id: ids.CampaignId, payer: Payer) -> list[vouchers.Voucher]:
        held = sa.exists().where(
            mapping.pays(CHARGES, campaign_id, payer), CHARGES.c.active, CHARGES.c.student_id == VOUCHERS.c.student_id
        )
        query = sa.select(VOUCHERS).where(
            mapping.pays(VOUCHERS, campaign_id, payer), VOUCHERS.c.state == "redeemed", ~held
        )
        return [_voucher(row) for row in await self._all(query.order_by(VOUCHERS.c.number))]

    async def outstanding(self, campaign_id: ids.CampaignId, payer: Payer, limit: int) -> list[vouchers.Voucher]:
        query = sa.select(VOUCHERS).where(mapping.pays(VOUCHERS, campaign_id, payer), VOUCHERS.c.state == "outstanding")
        return [_voucher(row) for row in await self._all(query.order_by(VOUCHERS.c.number).limit(limit))]

    async def counts(self, campaign_id: ids.CampaignId) -> dict[tuple[Payer, vouchers.VoucherState], int]:
        groups = (VOUCHERS.c.payer_kind, VOUCHERS.c.payer_ref, VOUCHERS.c.state)
        query = sa.select(*groups, sa.func.count().label("vouchers")).where(VOUCHERS.c.campaign_id == campaign_id)
        return {(mapping.payer_of(row), row.state): row.vouchers for row in await self._all(query.group_by(*groups))}
