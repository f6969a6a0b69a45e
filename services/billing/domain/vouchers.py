"""拍照凭证 (photo vouchers): given out, matched with photographed heads, retired."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gradphoto_contracts import billing, ids
from gradphoto_contracts.billing import Payer
from kit import errors
from services.billing.domain import payments

VoucherState = Literal["outstanding", "redeemed", "void", "lost"]


@dataclass(frozen=True)
class Voucher:
    """A 拍照凭证 (photo voucher) for one head: given out, then used up by a photo, returned (void) or lost."""

    voucher_id: ids.VoucherId
    version: int
    campaign_id: ids.CampaignId
    payer: Payer
    payment_id: ids.PaymentId
    number: str
    amount_fen: int
    state: VoucherState = "outstanding"
    student_id: ids.StudentId | None = None

    def said(self) -> billing.VoucherIssuedV1 | billing.VoucherRedeemedV1:
        """The event that tells of this state; a voucher set free by a withdrawn photo is out again."""
        if self.state == "redeemed" and self.student_id is not None:
            return billing.VoucherRedeemedV1(
                version=self.version,
                voucher_id=self.voucher_id,
                campaign_id=self.campaign_id,
                student_id=self.student_id,
            )
        return billing.VoucherIssuedV1(
            version=self.version,
            voucher_id=self.voucher_id,
            campaign_id=self.campaign_id,
            payer=self.payer,
            payment_id=self.payment_id,
            number=self.number,
        )


def check_issue(payment: payments.Payment, payer: Payer, issued: int, heads: int) -> int:
    """How many vouchers are still to be issued so that this payment has `heads` of them."""
    if payer != payment.payer:
        raise errors.Conflict("billing-voucher-other-payer", payment_id=str(payment.payment_id))
    if payer.kind != "college":
        raise errors.Invalid("billing-no-vouchers-here", kind=payer.kind)
    if heads > payment.heads:
        raise errors.Invalid("billing-vouchers-exceed-heads", heads=heads, paid_heads=payment.heads)
    if heads < issued:
        raise errors.Conflict("billing-vouchers-already-issued", heads=heads, issued=issued)
    return heads - issued


def match_vouchers(
    stale: Sequence[Voucher], outstanding: Sequence[Voucher], uncovered: Iterable[ids.StudentId]
) -> list[Voucher]:
    """Set free what no photo holds any more, then give each uncovered photo the free voucher with the lowest number.

    Returns:
        The vouchers that changed; `stale` and `outstanding` belong to one payer and do not overlap.
    """
    free = {voucher.voucher_id: replace(voucher, state="outstanding", student_id=None) for voucher in stale}
    ranked = sorted([*free.values(), *outstanding], key=lambda voucher: voucher.number)
    for voucher, student_id in zip(ranked, uncovered, strict=False):
        free[voucher.voucher_id] = replace(voucher, state="redeemed", student_id=student_id)
    return [replace(voucher, version=voucher.version + 1) for voucher in free.values()]


def retire(voucher: Voucher, state: Literal["lost", "void"]) -> Voucher:
    """Take a voucher out: it can never be used again."""
    if voucher.state != "outstanding":
        raise errors.Conflict("billing-voucher-not-outstanding", number=voucher.number, state=voucher.state)
    return replace(voucher, state=state, version=voucher.version + 1)


def worth(before: Iterable[Voucher], after: Iterable[Voucher]) -> int:
    """By how many fen vouchers cover more (or less, below zero) than before."""
    return _redeemed_fen(after) - _redeemed_fen(before)


def _redeemed_fen(vouchers: Iterable[Voucher]) -> int:
    return sum(voucher.amount_fen for voucher in vouchers if voucher.state == "redeemed")
