"""Money comes in, money goes back."""

from uuid import UUID

from gradphoto_contracts import billing, ids
from gradphoto_contracts.billing import Payer
from kit import errors
from services.billing.domain import accounts, payments, vouchers
from services.billing.handlers import campaigns, closing
from services.billing.ports import Work


async def record_payment(work: Work, payment: payments.Payment) -> payments.Payment:
    """Take note of money that came in. The same payment again changes nothing.

    Raises:
        errors.NotFound: the campaign is not known here (yet).
        errors.Invalid: payer, method or amount do not fit the campaign's fee.
        errors.Conflict: the id belongs to another payment.
    """
    campaign = await campaigns.shared(work, payment.campaign_id)
    if not await work.payments.add(payment):
        known = await work.payments.get(payment.payment_id)
        if known != payment:
            raise errors.Conflict("billing-payment-differs", payment_id=str(payment.payment_id))
        return payment
    payments.check_payment(campaign, payment)
    await _check_payer_known(work, payment.campaign_id, payment.payer)
    account, posting = (await work.accounts.lock(payment.campaign_id, payment.payer)).pay(payment)
    await work.ledger.add(payment.campaign_id, [posting])
    await work.events.add(
        billing.PaymentRecordedV1(
            version=1,
            payment_id=payment.payment_id,
            campaign_id=payment.campaign_id,
            payer=payment.payer,
            method=payment.method,
            heads=payment.heads,
            amount_fen=payment.amount_fen,
        )
    )
    await closing.close_books(work, campaign, account, payment.payment_id)
    return payment


async def refund(work: Work, refund: payments.Refund) -> payments.Refund:
    """Give unused money back; a college hands in as many unused vouchers. The same refund again changes nothing."""
    campaign = await campaigns.shared(work, refund.campaign_id)
    payments.check_refund(campaign, refund)
    account = await work.accounts.lock(refund.campaign_id, refund.payer)
    if not await work.refunds.add(refund):
        if await work.refunds.get(refund.refund_id) != refund:
            raise errors.Conflict("billing-refund-differs", refund_id=str(refund.refund_id))
        return refund
    account, posting = account.repay(refund)
    await _take_vouchers_back(work, account, refund.heads)
    await work.ledger.add(refund.campaign_id, [posting])
    await work.events.add(
        billing.RefundRecordedV1(
            version=1,
            refund_id=refund.refund_id,
            campaign_id=refund.campaign_id,
            payer=refund.payer,
            heads=refund.heads,
            amount_fen=refund.amount_fen,
        )
    )
    await closing.close_books(work, campaign, account, refund.refund_id)
    return refund


async def _take_vouchers_back(work: Work, account: accounts.Account, heads: int) -> None:
    """Void vouchers so that no more stand out than money is left for; heads paid without a voucher go first."""
    if account.payer.kind != "college":
        return
    free = await work.vouchers.outstanding(account.campaign_id, account.payer, closing.MATCH_LIMIT)
    left, kept = account.credit_fen, 0
    for voucher in free:
        left -= voucher.amount_fen
        kept += left >= 0
    void = [vouchers.retire(voucher, "void") for voucher in free[kept:]]
    if len(void) > heads:
        raise errors.Conflict("billing-refund-exceeds-vouchers", heads=heads, vouchers=len(void))
    await work.vouchers.save(void)


async def _check_payer_known(work: Work, campaign_id: ids.CampaignId, payer: Payer) -> None:
    known = payer.kind == "school"
    if payer.kind == "college":
        known = await work.classes.college_exists(campaign_id, payer.ref)
    if payer.kind == "class":
        try:
            found = await work.classes.get(ids.ClassId(UUID(payer.ref)))
        except ValueError:
            found = None
        known = found is not None and found.campaign_id == campaign_id
    if not known:
        raise errors.Invalid("billing-payer-unknown", kind=payer.kind, ref=payer.ref)
