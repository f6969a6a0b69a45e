"""Billing's doors for people: payments, vouchers, refunds, receipts, accounts and the ledger."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, status
from pydantic import BaseModel, ConfigDict, Field

from gradphoto_contracts import billing, ids
from gradphoto_contracts.billing import Payer
from gradphoto_contracts.money import AmountFen
from kit import auth, errors, web
from services.billing import domain, handlers
from services.billing.ports import Unit, Work

Reader = Annotated[auth.Principal, Depends(web.principal("billing.read"))]
Writer = Annotated[auth.Principal, Depends(web.principal("billing.write"))]
Heads = Annotated[int, Field(ge=1, le=100_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PayerBody(_Body):
    """Who pays: a class's id, a college's name or the school's code."""

    kind: Annotated[str, Field(pattern="^(class|college|school)$")]
    ref: Annotated[str, Field(min_length=1, max_length=200)]

    def value(self) -> Payer:
        return Payer.model_validate(self.model_dump())


class PaymentBody(_Body):
    """Money that came in. `payment_id` is made by whoever takes the money, so that a repeat is known as one."""

    payment_id: UUID
    campaign_id: UUID
    payer: PayerBody
    method: billing.PaymentMethod
    heads: Heads
    amount_fen: AmountFen


class RefundBody(_Body):
    """Money that goes back."""

    refund_id: UUID
    campaign_id: UUID
    payer: PayerBody
    heads: Heads
    amount_fen: AmountFen


class VouchersBody(_Body):
    """How many vouchers this payment is to have in all."""

    payment_id: UUID
    payer: PayerBody
    heads: Heads


class ReceiptBody(_Body):
    """Which payments; none named: all that have no receipt yet."""

    payment_ids: Annotated[list[UUID], Field(min_length=1)] | None = None


class VoucherAnswer(BaseModel):
    """A 拍照凭证."""

    voucher_id: UUID
    number: str
    state: str
    student_id: UUID | None


class VouchersAnswer(BaseModel):
    """All vouchers of a payment."""

    items: list[VoucherAnswer]


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


class AccountsAnswer(BaseModel):
    """All accounts of a campaign that the asker may see."""

    items: list[AccountAnswer]


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


class LedgerAnswer(BaseModel):
    """A page of the ledger; `next` is the `after` of the page that follows."""

    items: list[TransactionAnswer]
    next: int | None


def router(unit: Unit) -> APIRouter:
    """All of billing's doors, under /v1."""
    doors = APIRouter(prefix="/v1")
    _money(doors, unit)
    _papers(doors, unit)
    _books(doors, unit)
    return doors


def _money(doors: APIRouter, unit: Unit) -> None:
    @doors.post("/payments")
    async def record_payment(body: PaymentBody, who: Writer) -> AccountAnswer:
        payment = domain.Payment(
            ids.PaymentId(body.payment_id),
            ids.CampaignId(body.campaign_id),
            body.payer.value(),
            body.method,
            body.heads,
            body.amount_fen,
        )
        async with unit() as work:
            await _require(work, who, payment.campaign_id, payment.payer)
            await handlers.record_payment(work, payment)
            return await _account(work, payment.campaign_id, payment.payer)

    @doors.post("/refunds")
    async def refund(body: RefundBody, who: Writer) -> AccountAnswer:
        refund = domain.Refund(
            ids.RefundId(body.refund_id),
            ids.CampaignId(body.campaign_id),
            body.payer.value(),
            body.heads,
            body.amount_fen,
        )
        async with unit() as work:
            await _require(work, who, refund.campaign_id, refund.payer)
            await handlers.refund(work, refund)
            return await _account(work, refund.campaign_id, refund.payer)

    @doors.post("/classes/{class_id}/settle")
    async def settle_class(class_id: UUID, who: Writer) -> AccountAnswer:
        async with unit() as work:
            account = await handlers.settle_class(work, ids.ClassId(class_id))
            # Inside the transaction: out of scope undoes it.
            await _require(work, who, account.campaign_id, account.payer)
            answer = await _account(work, account.campaign_id, account.payer)
        # A difference stays on record, so the transaction is committed before the refusal.
        if not account.settled:
            raise errors.Conflict(
                "billing-not-settled",
                photographed_heads=account.photographed_heads,
                paid_heads=account.counted_heads,
                open_fen=account.open_fen,
            )
        return answer


def _papers(doors: APIRouter, unit: Unit) -> None:
    @doors.post("/campaigns/{campaign_id}/vouchers", status_code=status.HTTP_201_CREATED)
    async def issue_vouchers(campaign_id: UUID, body: VouchersBody, who: Writer) -> VouchersAnswer:
        campaign, payer = ids.CampaignId(campaign_id), body.payer.value()
        async with unit() as work:
            await _require(work, who, campaign, payer)
            vouchers = await handlers.issue_vouchers(work, campaign, ids.PaymentId(body.payment_id), payer, body.heads)
        return VouchersAnswer(items=[_voucher(voucher) for voucher in vouchers])

    @doors.post("/vouchers/{voucher_id}/lost")
    async def lose_voucher(voucher_id: UUID, who: Writer) -> VoucherAnswer:
        async with unit() as work:
            voucher = await handlers.retire_voucher(work, ids.VoucherId(voucher_id), "lost")
            await _require(work, who, voucher.campaign_id, voucher.payer)
        return _voucher(voucher)

    @doors.post("/vouchers/{voucher_id}/void")
    async def void_voucher(voucher_id: UUID, who: Writer) -> VoucherAnswer:
        async with unit() as work:
            voucher = await handlers.retire_voucher(work, ids.VoucherId(voucher_id), "void")
            await _require(work, who, voucher.campaign_id, voucher.payer)
        return _voucher(voucher)

    @doors.post("/campaigns/{campaign_id}/receipts", status_code=status.HTTP_201_CREATED)
    async def write_receipt(campaign_id: UUID, body: ReceiptBody, who: Writer) -> ReceiptAnswer:
        campaign = _whole(who, campaign_id)
        chosen = None if body.payment_ids is None else [ids.PaymentId(payment_id) for payment_id in body.payment_ids]
        async with unit() as work:
            receipt = await handlers.write_receipt(work, campaign, chosen)
        return ReceiptAnswer(
            receipt_id=receipt.receipt_id,
            number=receipt.number,
            payment_ids=list(receipt.payment_ids),
            amount_fen=receipt.amount_fen,
        )


def _books(doors: APIRouter, unit: Unit) -> None:
    @doors.get("/campaigns/{campaign_id}/accounts")
    async def list_accounts(campaign_id: UUID, who: Reader) -> AccountsAnswer:
        who.require_scope(campaign_id=campaign_id)
        campaign = ids.CampaignId(campaign_id)
        async with unit() as work:
            answers = await _accounts(work, campaign)
            return AccountsAnswer(items=[a for a in answers if await _outside(work, who, campaign, a.payer) is None])

    @doors.get("/campaigns/{campaign_id}/reconciliation")
    async def reconcile(campaign_id: UUID, who: Reader) -> ReconciliationAnswer:
        campaign_id_ = _whole(who, campaign_id)
        async with unit() as work:
            campaign, accounts, balance_fen = await handlers.reconcile(work, campaign_id_)
            payers = await _accounts(work, campaign_id_)
        return ReconciliationAnswer(
            mode=campaign.mode,
            tariff_fen=campaign.amount_fen,
            **{name: sum(getattr(a, name) for a in payers) for name in _TOTALS},
            ledger_balance_fen=balance_fen,
            payers=payers,
            discrepancies=[_discrepancy(account) for account in accounts if account.found],
        )

    @doors.get("/campaigns/{campaign_id}/ledger")
    async def show_ledger(
        campaign_id: UUID,
        who: Reader,
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> LedgerAnswer:
        campaign = _whole(who, campaign_id)
        async with unit() as work:
            page = await work.ledger.page(campaign, after, limit)
        items = [TransactionAnswer.model_validate(transaction) for transaction in page]
        return LedgerAnswer(items=items, next=items[-1].seq if len(items) == limit else None)


_TOTALS = ("photographed_heads", "paid_heads", "owed_fen", "paid_fen", "open_fen")


# Who may see and do what.


def _whole(who: auth.Principal, campaign_id: UUID) -> ids.CampaignId:
    """For what concerns a whole campaign: a narrower scope is not enough."""
    who.require_whole(campaign_id)
    return ids.CampaignId(campaign_id)


async def _require(work: Work, who: auth.Principal, campaign_id: ids.CampaignId, payer: Payer) -> None:
    """A class's money is for whose scope holds it, a college's for its secretary, the school's for the school."""
    outside = await _outside(work, who, campaign_id, payer)
    if outside is not None:
        raise errors.Refused("out-of-scope", dimension=outside)


async def _outside(work: Work, who: auth.Principal, campaign_id: ids.CampaignId, payer: Payer) -> str | None:
    """The first dimension of the scope that does not hold this payer; what a payer does not have lies outside."""
    place = {"campaign": str(campaign_id)}
    if payer.kind == "college":
        place["college"] = payer.ref
    elif payer.kind == "class" and (known := await _class(work, payer.ref)):
        place |= {"college": known.college_zh, "class": str(known.class_id)}
    return next((name for name, allowed in who.scope_filter.items() if place.get(name) not in allowed), None)


async def _class(work: Work, ref: str) -> domain.Class | None:
    try:
        return await work.classes.get(ids.ClassId(UUID(ref)))
    except ValueError:
        return None


# Answers.


async def _accounts(work: Work, campaign_id: ids.CampaignId) -> list[AccountAnswer]:
    counts = await work.vouchers.counts(campaign_id)
    return [_account_answer(account, _counts(counts, account.payer)) for account in await work.accounts.of(campaign_id)]


async def _account(work: Work, campaign_id: ids.CampaignId, payer: Payer) -> AccountAnswer:
    account = await work.accounts.lock(campaign_id, payer)
    return _account_answer(account, _counts(await work.vouchers.counts(campaign_id), payer))


def _counts(counts: dict[tuple[Payer, domain.VoucherState], int], payer: Payer) -> VoucherCounts:
    mine: dict[str, Any] = {state: number for (owner, state), number in counts.items() if owner == payer}
    return VoucherCounts(issued=sum(mine.values()), **mine)


def _account_answer(account: domain.Account, vouchers: VoucherCounts) -> AccountAnswer:
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


def _discrepancy(account: domain.Account) -> DiscrepancyAnswer:
    return DiscrepancyAnswer(
        payer=account.payer, photographed_heads=account.photographed_heads, paid_heads=account.counted_heads
    )


def _voucher(voucher: domain.Voucher) -> VoucherAnswer:
    return VoucherAnswer(
        voucher_id=voucher.voucher_id, number=voucher.number, state=voucher.state, student_id=voucher.student_id
    )
