"""What goes in and out of billing's doors."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gradphoto_contracts import billing
from gradphoto_contracts.billing import Payer
from gradphoto_contracts.money import AmountFen
from services.billing.domain import accounts, vouchers

Heads = Annotated[int, Field(ge=1, le=100_000)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PayerBody(Body):
    """Who pays: a class's id, a college's name or the school's code."""

    kind: Annotated[str, Field(pattern="^(class|college|school)$")]
    ref: Annotated[str, Field(min_length=1, max_length=200)]

    def value(self) -> Payer:
        return Payer.model_validate(self.model_dump())


class PaymentBody(Body):
    """Money that came in. `payment_id` is made by whoever takes the money, so that a repeat is known as one."""

    payment_id: UUID
    campaign_id: UUID
    payer: PayerBody
    method: billing.PaymentMethod
    heads: Heads
    amount_fen: AmountFen


class RefundBody(Body):
    """Money that goes back."""

    refund_id: UUID
    campaign_id: UUID
    payer: PayerBody
    heads: Heads
    amount_fen: AmountFen


class VouchersBody(Body):
    """How many vouchers this payment is to have in all."""

    payment_id: UUID
    payer: PayerBody
    heads: Heads


class ReceiptBody(Body):
    """Which payments; none named: all that have no receipt yet."""

    payment_ids: Annotated[list[UUID], Field(min_length=1)] | None = None


class VoucherAnswer(BaseModel):
    """A 拍照凭证."""

    voucher_id: UUID
    number: str
    state: str
    student_id: UUID | None


class ReceiptAnswer(BaseModel):
    """A receipt."""

    receipt_id: UUID
    number: str
    payment_ids: list[UUID]
    amount_fen: int


class VoucherCounts(BaseModel):
    """Vouchers of a payer. issued = redeemed + void + lost + outstanding."""

    issued: int = 0
    redeemed: int = 0
    void: int = 0
    lost: int = 0
    outstanding: int = 0


class AccountAnswer(BaseModel):
    """How a payer stands. `owed_fen` = what was covered + `open_fen`; `credit_fen` is paid and not used."""

    payer: Payer
    photographed_heads: int
    paid_heads: int
    owed_fen: int
    paid_fen: int
    open_fen: int
    credit_fen: int
    vouchers: VoucherCounts
    state: str


class DiscrepancyAnswer(BaseModel):
    """A payer whose paid heads are not its photographed heads, when they should be."""

    payer: Payer
    photographed_heads: int
    paid_heads: int


class ReconciliationAnswer(BaseModel):
    """Paid heads against photographed heads, and the sum of the ledger (zero)."""

    mode: str
    tariff_fen: int
    photographed_heads: int
    paid_heads: int
    owed_fen: int
    paid_fen: int
    open_fen: int
    ledger_balance_fen: int
    payers: list[AccountAnswer]
    discrepancies: list[DiscrepancyAnswer]


class EntryAnswer(BaseModel):
    """A debit (positive) or credit (negative)."""

    account: str
    amount_fen: int


class TransactionAnswer(BaseModel):
    """One transaction of the ledger."""

    seq: int
    kind: str
    cause_id: UUID
    recorded_at: datetime
    entries: list[EntryAnswer]


def account(account: accounts.Account, vouchers: VoucherCounts) -> AccountAnswer:
    """An account as people see it."""
    return AccountAnswer(
        payer=account.payer,
        photographed_heads=account.photographed_heads,
        paid_heads=account.counted_heads,
        owed_fen=account.owed_fen,
        paid_fen=account.paid_fen,
        open_fen=account.open_fen,
        credit_fen=account.credit_fen,
        vouchers=vouchers,
        state="settled" if account.settled else "discrepancy" if account.found else "open",
    )


def discrepancy(account: accounts.Account) -> DiscrepancyAnswer:
    """The difference that was found in an account."""
    return DiscrepancyAnswer(
        payer=account.payer, photographed_heads=account.photographed_heads, paid_heads=account.counted_heads
    )


def voucher(voucher: vouchers.Voucher) -> VoucherAnswer:
    """A voucher as people see it."""
    return VoucherAnswer(
        voucher_id=voucher.voucher_id, number=voucher.number, state=voucher.state, student_id=voucher.student_id
    )
