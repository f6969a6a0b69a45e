"""Vouchers are given out and taken out."""

from typing import Literal

from gradphoto_contracts import ids
from gradphoto_contracts.billing import Payer
from kit import errors
from services.billing.domain import copies, payments, vouchers
from services.billing.handlers import campaigns, closing
from services.billing.ports import Work


async def issue_vouchers(
    work: Work, campaign_id: ids.CampaignId, payment_id: ids.PaymentId, payer: Payer, heads: int
) -> list[vouchers.Voucher]:
    """Give out vouchers until this payment has `heads` of them; asking again answers the same ones."""
    campaign = await campaigns.shared(work, campaign_id)
    payment = await work.payments.get(payment_id)
    if payment is None or payment.campaign_id != campaign_id:
        raise errors.NotFound("billing-payment-unknown", payment_id=str(payment_id))
    account = await work.accounts.lock(campaign_id, payer)
    issued = await work.vouchers.of_payment(payment_id)
    missing = vouchers.check_issue(payment, payer, len(issued), heads)
    if missing and account.credit_fen < missing * campaign.amount_fen and not account.open_fen:
        raise errors.Conflict("billing-vouchers-refunded", heads=heads)
    numbers = await work.numbers.take(campaign_id, "voucher", missing)
    fresh = [_voucher(work, campaign, payment, number) for number in numbers]
    await work.vouchers.add(fresh)
    await work.events.add_all(voucher.said() for voucher in fresh)
    if fresh:
        await closing.close_books(work, campaign, account, payment_id)
    return await work.vouchers.of_payment(payment_id)


def _voucher(work: Work, campaign: copies.Campaign, payment: payments.Payment, number: int) -> vouchers.Voucher:
    return vouchers.Voucher(
        voucher_id=ids.VoucherId(work.new_id()),
        version=1,
        campaign_id=campaign.campaign_id,
        payer=payment.payer,
        payment_id=payment.payment_id,
        number=f"{campaign.code}-{number:05}",
        amount_fen=payment.amount_fen // payment.heads,
    )


async def retire_voucher(work: Work, voucher_id: ids.VoucherId, state: Literal["lost", "void"]) -> vouchers.Voucher:
    """A voucher is lost (丢失不补) or given up: its head stays paid for and can never be used. Once is enough."""
    seen = await work.vouchers.get(voucher_id)
    if seen is None:
        raise errors.NotFound("billing-voucher-unknown", voucher_id=str(voucher_id))
    campaign = await campaigns.shared(work, seen.campaign_id)
    account = await work.accounts.lock(seen.campaign_id, seen.payer)
    voucher = await work.vouchers.get(voucher_id) or seen
    if voucher.state == state:
        return voucher
    retired = vouchers.retire(voucher, state)
    account, posting = account.forfeit(retired)
    await work.vouchers.save([retired])
    await work.ledger.add(campaign.campaign_id, [posting])
    await closing.close_books(work, campaign, account, voucher_id)
    return retired
