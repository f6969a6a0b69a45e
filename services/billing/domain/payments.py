"""Money that comes in, money that goes back, and the papers for it."""

from dataclasses import dataclass

from gradphoto_contracts import billing, ids
from gradphoto_contracts.billing import Payer
from kit import errors
from services.billing.domain import copies, modes


@dataclass(frozen=True)
class Payment:
    """Money that came in for so many heads."""

    payment_id: ids.PaymentId
    campaign_id: ids.CampaignId
    payer: Payer
    method: billing.PaymentMethod
    heads: int
    amount_fen: int


@dataclass(frozen=True)
class Refund:
    """Money that went back for so many heads."""

    refund_id: ids.RefundId
    campaign_id: ids.CampaignId
    payer: Payer
    heads: int
    amount_fen: int


@dataclass(frozen=True)
class Receipt:
    """One paper for several payments (S1: written cumulatively after the campaign)."""

    receipt_id: ids.ReceiptId
    campaign_id: ids.CampaignId
    number: str
    payment_ids: tuple[ids.PaymentId, ...]
    amount_fen: int


def check_payment(campaign: copies.Campaign, payment: Payment) -> None:
    """Refuse money that does not fit the campaign's way of paying.

    Raises:
        errors.Invalid: another payer pays here, in another way, or the amount is not heads x tariff.
    """
    _check_payer(campaign, payment.payer)
    if payment.method not in modes.METHODS[campaign.mode]:
        methods = "/".join(modes.METHODS[campaign.mode])
        raise errors.Invalid("billing-method-not-taken", mode=campaign.mode, method=payment.method, methods=methods)
    _check_amount(campaign, payment.heads, payment.amount_fen)


def check_refund(campaign: copies.Campaign, refund: Refund) -> None:
    """Refuse a refund that does not fit the campaign's way of paying."""
    _check_payer(campaign, refund.payer)
    _check_amount(campaign, refund.heads, refund.amount_fen)


def _check_payer(campaign: copies.Campaign, payer: Payer) -> None:
    kind = modes.PAYER_KINDS[campaign.mode]
    if payer.kind != kind:
        raise errors.Invalid("billing-payer-does-not-pay", mode=campaign.mode, kind=payer.kind, expected=kind)
    if kind == "school" and payer.ref != campaign.school_code:
        raise errors.Invalid("billing-payer-unknown", kind=kind, ref=payer.ref)


def _check_amount(campaign: copies.Campaign, heads: int, amount_fen: int) -> None:
    expected = heads * campaign.amount_fen
    if amount_fen != expected:
        raise errors.Invalid(
            "billing-amount-mismatch",
            heads=heads,
            tariff_fen=campaign.amount_fen,
            expected_fen=expected,
            amount_fen=amount_fen,
        )
