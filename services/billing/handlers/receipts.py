"""Papers for payments."""

from collections.abc import Sequence

from gradphoto_contracts import billing, ids
from kit import errors
from services.billing.domain import payments
from services.billing.handlers import campaigns
from services.billing.ports import Work


async def write_receipt(
    work: Work, campaign_id: ids.CampaignId, payment_ids: Sequence[ids.PaymentId] | None
) -> payments.Receipt:
    """Write one receipt for these payments, or for all without one (S1). The same payments again: the same receipt."""
    await work.campaigns.hold(campaign_id)
    campaign = await campaigns.known(work, campaign_id)
    pending = {payment.payment_id: payment for payment in await work.payments.without_receipt(campaign_id)}
    wanted = list(dict.fromkeys(payment_ids)) if payment_ids is not None else list(pending)
    if not wanted:
        raise errors.Conflict("billing-nothing-to-receipt")
    if any(payment_id not in pending for payment_id in wanted):
        return await _written(work, campaign_id, wanted)
    number = (await work.numbers.take(campaign_id, "receipt", 1)).start
    receipt = payments.Receipt(
        receipt_id=ids.ReceiptId(work.new_id()),
        campaign_id=campaign_id,
        number=f"{campaign.code}-R{number:04}",
        payment_ids=tuple(wanted),
        amount_fen=sum(pending[payment_id].amount_fen for payment_id in wanted),
    )
    await work.receipts.add(receipt)
    fields = ("receipt_id", "campaign_id", "number", "payment_ids", "amount_fen")
    await work.events.add(billing.ReceiptIssuedV1(version=1, **{name: getattr(receipt, name) for name in fields}))
    return receipt


async def _written(work: Work, campaign_id: ids.CampaignId, wanted: list[ids.PaymentId]) -> payments.Receipt:
    for payment_id in wanted:
        payment = await work.payments.get(payment_id)
        if payment is None or payment.campaign_id != campaign_id:
            raise errors.NotFound("billing-payment-unknown", payment_id=str(payment_id))
    written = await work.receipts.covering(wanted)
    if len(written) == 1 and set(written[0].payment_ids) == set(wanted):
        return written[0]
    raise errors.Conflict("billing-already-receipted", number=", ".join(receipt.number for receipt in written))
