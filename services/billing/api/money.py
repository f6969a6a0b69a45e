"""Payments, refunds and settlement over HTTP."""

from uuid import UUID

from fastapi import APIRouter

from gradphoto_contracts import ids
from kit import errors
from services.billing.api import access, bodies, books
from services.billing.domain import payments
from services.billing.handlers import closing, paying
from services.billing.ports import Unit


def router(unit: Unit) -> APIRouter:
    """Take money, give it back, settle."""
    doors = APIRouter(tags=["money"])

    @doors.post("/payments")
    async def record_payment(body: bodies.PaymentBody, who: access.Writer) -> bodies.AccountAnswer:
        payment = payments.Payment(
            ids.PaymentId(body.payment_id),
            ids.CampaignId(body.campaign_id),
            body.payer.value(),
            body.method,
            body.heads,
            body.amount_fen,
        )
        async with unit() as work:
            await access.require(work, who, payment.campaign_id, payment.payer)
            await paying.record_payment(work, payment)
            return await books.account(work, payment.campaign_id, payment.payer)

    @doors.post("/refunds")
    async def refund(body: bodies.RefundBody, who: access.Writer) -> bodies.AccountAnswer:
        refund = payments.Refund(
            ids.RefundId(body.refund_id),
            ids.CampaignId(body.campaign_id),
            body.payer.value(),
            body.heads,
            body.amount_fen,
        )
        async with unit() as work:
            await access.require(work, who, refund.campaign_id, refund.payer)
            await paying.refund(work, refund)
            return await books.account(work, refund.campaign_id, refund.payer)

    @doors.post("/classes/{class_id}/settle")
    async def settle_class(class_id: UUID, who: access.Writer) -> bodies.AccountAnswer:
        async with unit() as work:
            account = await closing.settle_class(work, ids.ClassId(class_id))
            # Inside the transaction: out of scope undoes it.
            await access.require(work, who, account.campaign_id, account.payer)
            answer = await books.account(work, account.campaign_id, account.payer)
        # A difference stays on record, so the transaction is committed before the refusal.
        if not account.settled:
            raise errors.Conflict(
                "billing-not-settled",
                photographed_heads=account.photographed_heads,
                paid_heads=account.counted_heads,
                open_fen=account.open_fen,
            )
        return answer

    return doors
