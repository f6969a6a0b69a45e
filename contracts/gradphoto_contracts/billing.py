"""What billing says: charges, payments, vouchers, receipts, refunds, and whether a class's account is closed."""

from typing import ClassVar, Literal

from pydantic import Field

from gradphoto_contracts import ids
from gradphoto_contracts.envelope import Event, Value
from gradphoto_contracts.money import AmountFen

PaymentMethod = Literal["cash", "epay", "transfer"]


class Payer(Value):
    """Who pays: a class, a college or the school. `ref` is the class's id, the college's name, or the school's code."""

    kind: Literal["class", "college", "school"]
    ref: str


class ChargeRaisedV1(Event):
    """One photographed head is owed for; `reversed` says that the charge was taken back."""

    TYPE: ClassVar[str] = "billing.charge.raised.v1"
    KEY: ClassVar[str] = "charge_id"

    charge_id: ids.ChargeId
    campaign_id: ids.CampaignId
    class_id: ids.ClassId
    student_id: ids.StudentId
    amount_fen: AmountFen
    reversed: bool = False


class PaymentRecordedV1(Event):
    """Money came in."""

    TYPE: ClassVar[str] = "billing.payment.recorded.v1"
    KEY: ClassVar[str] = "payment_id"

    payment_id: ids.PaymentId
    campaign_id: ids.CampaignId
    payer: Payer
    method: PaymentMethod
    heads: int = Field(ge=0)
    amount_fen: AmountFen


class VoucherIssuedV1(Event):
    """A 拍照凭证 for one head was given out; it is not reissued if lost."""

    TYPE: ClassVar[str] = "billing.voucher.issued.v1"
    KEY: ClassVar[str] = "voucher_id"

    voucher_id: ids.VoucherId
    campaign_id: ids.CampaignId
    payer: Payer
    payment_id: ids.PaymentId
    number: str


class VoucherRedeemedV1(Event):
    """A voucher was used up by a photographed head."""

    TYPE: ClassVar[str] = "billing.voucher.redeemed.v1"
    KEY: ClassVar[str] = "voucher_id"

    voucher_id: ids.VoucherId
    campaign_id: ids.CampaignId
    student_id: ids.StudentId


class ReceiptIssuedV1(Event):
    """A receipt was written for these payments together (S1: cumulatively, after the campaign)."""

    TYPE: ClassVar[str] = "billing.receipt.issued.v1"
    KEY: ClassVar[str] = "receipt_id"

    receipt_id: ids.ReceiptId
    campaign_id: ids.CampaignId
    number: str
    payment_ids: tuple[ids.PaymentId, ...]
    amount_fen: AmountFen


class RefundRecordedV1(Event):
    """Money went back."""

    TYPE: ClassVar[str] = "billing.refund.recorded.v1"
    KEY: ClassVar[str] = "refund_id"

    refund_id: ids.RefundId
    campaign_id: ids.CampaignId
    payer: Payer
    heads: int = Field(ge=0)
    amount_fen: AmountFen


class ClassSettledV1(Event):
    """Paid heads equal photographed heads for this class, and nothing is open."""

    TYPE: ClassVar[str] = "billing.class.settled.v1"
    KEY: ClassVar[str] = "class_id"

    class_id: ids.ClassId
    campaign_id: ids.CampaignId
    heads: int = Field(ge=0)
    amount_fen: AmountFen


class DiscrepancyFoundV1(Event):
    """Paid heads and photographed heads differ for this payer. `version` grows each time it is found anew."""

    TYPE: ClassVar[str] = "billing.discrepancy.found.v1"
    KEY: ClassVar[str] = "payer_key"

    payer_key: str
    campaign_id: ids.CampaignId
    payer: Payer
    photographed_heads: int = Field(ge=0)
    paid_heads: int = Field(ge=0)
