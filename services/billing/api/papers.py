"""Vouchers and receipts over HTTP."""

from uuid import UUID

from fastapi import APIRouter, status

from gradphoto_contracts import ids
from kit import pages
from services.billing.api import access, bodies
from services.billing.handlers import issuing, receipts
from services.billing.ports import Unit


def router(unit: Unit) -> APIRouter:
    """Give out vouchers and receipts, retire vouchers."""
    doors = APIRouter(tags=["papers"])

    @doors.post("/campaigns/{campaign_id}/vouchers", status_code=status.HTTP_201_CREATED)
    async def issue_vouchers(
        campaign_id: UUID, body: bodies.VouchersBody, who: access.Writer
    ) -> pages.Page[bodies.VoucherAnswer]:
        campaign, payer = ids.CampaignId(campaign_id), body.payer.value()
        async with unit() as work:
            await access.require(work, who, campaign, payer)
            vouchers = await issuing.issue_vouchers(work, campaign, ids.PaymentId(body.payment_id), payer, body.heads)
        return pages.Page(items=[bodies.voucher(voucher) for voucher in vouchers])

    @doors.post("/vouchers/{voucher_id}/lost")
    async def lose_voucher(voucher_id: UUID, who: access.Writer) -> bodies.VoucherAnswer:
        async with unit() as work:
            voucher = await issuing.retire_voucher(work, ids.VoucherId(voucher_id), "lost")
            await access.require(work, who, voucher.campaign_id, voucher.payer)
        return bodies.voucher(voucher)

    @doors.post("/vouchers/{voucher_id}/void")
    async def void_voucher(voucher_id: UUID, who: access.Writer) -> bodies.VoucherAnswer:
        async with unit() as work:
            voucher = await issuing.retire_voucher(work, ids.VoucherId(voucher_id), "void")
            await access.require(work, who, voucher.campaign_id, voucher.payer)
        return bodies.voucher(voucher)

    @doors.post("/campaigns/{campaign_id}/receipts", status_code=status.HTTP_201_CREATED)
    async def write_receipt(campaign_id: UUID, body: bodies.ReceiptBody, who: access.Writer) -> bodies.ReceiptAnswer:
        campaign = access.whole(who, campaign_id)
        chosen = None if body.payment_ids is None else [ids.PaymentId(payment_id) for payment_id in body.payment_ids]
        async with unit() as work:
            receipt = await receipts.write_receipt(work, campaign, chosen)
        return bodies.ReceiptAnswer(
            receipt_id=receipt.receipt_id,
            number=receipt.number,
            payment_ids=list(receipt.payment_ids),
            amount_fen=receipt.amount_fen,
        )

    return doors
