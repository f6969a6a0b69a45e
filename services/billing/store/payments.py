"""Payments, refunds, receipts and the running numbers of papers."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from gradphoto_contracts import ids
from services.billing.domain import payments
from services.billing.store import NUMBERS, PAYMENTS, RECEIPTS, REFUNDS, mapping

_PAYMENT = ("payment_id", "campaign_id", "method", "heads", "amount_fen")


def _payment(row: Any) -> payments.Payment:
    return payments.Payment(**{name: getattr(row, name) for name in _PAYMENT}, payer=mapping.payer_of(row))


class Payments(mapping.Table):
    async def add(self, payment: payments.Payment) -> bool:
        insert = postgresql.insert(PAYMENTS).values(**mapping.flat(payment, *_PAYMENT), recorded_at=self._now)
        return bool((await self._tx.execute(insert.on_conflict_do_nothing())).rowcount)

    async def get(self, payment_id: ids.PaymentId) -> payments.Payment | None:
        row = await self._one(sa.select(PAYMENTS).where(PAYMENTS.c.payment_id == payment_id))
        return _payment(row) if row else None

    async def without_receipt(self, campaign_id: ids.CampaignId) -> list[payments.Payment]:
        query = sa.select(PAYMENTS).where(PAYMENTS.c.campaign_id == campaign_id, PAYMENTS.c.receipt_id.is_(None))
        return [_payment(row) for row in await self._all(query.order_by(PAYMENTS.c.recorded_at, PAYMENTS.c.payment_id))]


_REFUND = ("refund_id", "campaign_id", "heads", "amount_fen")


class Refunds(mapping.Table):
    async def add(self, refund: payments.Refund) -> bool:
        insert = postgresql.insert(REFUNDS).values(**mapping.flat(refund, *_REFUND), recorded_at=self._now)
        return bool((await self._tx.execute(insert.on_conflict_do_nothing())).rowcount)

    async def get(self, refund_id: ids.RefundId) -> payments.Refund | None:
        row = await self._one(sa.select(REFUNDS).where(REFUNDS.c.refund_id == refund_id))
        return (
            payments.Refund(**{name: getattr(row, name) for name in _REFUND}, payer=mapping.payer_of(row))
            if row
            else None
        )


class Receipts(mapping.Table):
    async def add(self, receipt: payments.Receipt) -> None:
        values = {name: getattr(receipt, name) for name in ("receipt_id", "campaign_id", "number", "amount_fen")}
        await self._tx.execute(RECEIPTS.insert().values(**values, written_at=self._now))
        on_it = PAYMENTS.c.payment_id.in_(receipt.payment_ids)
        await self._tx.execute(PAYMENTS.update().where(on_it).values(receipt_id=receipt.receipt_id))

    async def covering(self, payment_ids: Iterable[ids.PaymentId]) -> list[payments.Receipt]:
        touched = sa.select(PAYMENTS.c.receipt_id).where(PAYMENTS.c.payment_id.in_(list(payment_ids)))
        rows = await self._all(sa.select(RECEIPTS).where(RECEIPTS.c.receipt_id.in_(touched)))
        found = []
        for row in rows:
            listed = await self._all(sa.select(PAYMENTS.c.payment_id).where(PAYMENTS.c.receipt_id == row.receipt_id))
            listed_ids = tuple(payment.payment_id for payment in listed)
            found.append(payments.Receipt(row.receipt_id, row.campaign_id, row.number, listed_ids, row.amount_fen))
        return found


class Numbers(mapping.Table):
    async def take(self, campaign_id: ids.CampaignId, kind: str, count: int) -> range:
        insert = postgresql.insert(NUMBERS).values(campaign_id=campaign_id, kind=kind, last=count)
        counted = insert.on_conflict_do_update(
            index_elements=["campaign_id", "kind"], set_={"last": NUMBERS.c.last + count}
        )
        last: int = (await self._tx.execute(counted.returning(NUMBERS.c.last))).scalar_one()
        return range(last - count + 1, last + 1)
