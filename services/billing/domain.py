"""The rules of the money: who owes for which photographed head, what covers it, and when an account is closed.

One account a payer. What is owed stands in `receivable`, what was paid and not yet used in `deferred`; *covering* moves
money from the second to the first, so that at any time owed = covered + open. A college's money covers by vouchers, one
a head; everybody else's covers as far as it reaches. All follows from the present facts, so events may come in any
order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from gradphoto_contracts import billing, ids
from gradphoto_contracts.billing import Payer
from gradphoto_contracts.policy import FeeMode
from kit import errors

VoucherState = Literal["outstanding", "redeemed", "void", "lost"]

#: Which money each mode takes. On site no cash is taken in the e-payment mode, and nothing but cash in the cash mode.
METHODS: dict[FeeMode, tuple[billing.PaymentMethod, ...]] = {
    "cash_on_site": ("cash",),
    "prepaid_voucher": ("cash", "epay", "transfer"),
    "school_pays": ("epay", "transfer"),
    "class_epay": ("epay",),
}
PAYER_KINDS: dict[FeeMode, Literal["class", "college", "school"]] = {
    "cash_on_site": "class",
    "prepaid_voucher": "college",
    "school_pays": "school",
    "class_epay": "class",
}
#: In these modes money comes after the photos, by heads: a difference is an error as soon as money is there.
PAID_AFTERWARDS: tuple[FeeMode, ...] = ("school_pays", "class_epay")


# What billing keeps of other services' facts.


@dataclass(frozen=True)
class Campaign:
    """The part of a campaign's policy that concerns money."""

    campaign_id: ids.CampaignId
    version: int
    code: str
    school_code: str
    mode: FeeMode
    amount_fen: int
    closed: bool = False


@dataclass(frozen=True)
class Class:
    """A class and its college."""

    class_id: ids.ClassId
    campaign_id: ids.CampaignId
    version: int
    college_zh: str
    label: str


@dataclass(frozen=True)
class Student:
    """A student's class. `version` 0: roster has not told of the student yet."""

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    class_id: ids.ClassId
    version: int


@dataclass(frozen=True)
class Photo:
    """A photo, whose it is, and whether it counts."""

    capture_id: ids.CaptureId
    version: int
    campaign_id: ids.CampaignId
    student_id: ids.StudentId
    class_id: ids.ClassId
    in_force: bool


# What billing owns.


@dataclass(frozen=True)
class Charge:
    """One student's head. At most one a campaign and student; it is reversed, moved and raised again, never deleted."""

    charge_id: ids.ChargeId
    version: int
    campaign_id: ids.CampaignId
    student_id: ids.StudentId
    class_id: ids.ClassId
    payer: Payer
    amount_fen: int
    active: bool

    def said(self) -> billing.ChargeRaisedV1:
        """The event that tells of this state."""
        return billing.ChargeRaisedV1(
            version=self.version,
            charge_id=self.charge_id,
            campaign_id=self.campaign_id,
            class_id=self.class_id,
            student_id=self.student_id,
            amount_fen=self.amount_fen,
            reversed=not self.active,
        )


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


@dataclass(frozen=True)
class Receipt:
    """One paper for several payments (S1: written cumulatively after the campaign)."""

    receipt_id: ids.ReceiptId
    campaign_id: ids.CampaignId
    number: str
    payment_ids: tuple[ids.PaymentId, ...]
    amount_fen: int


@dataclass(frozen=True)
class ClassHeads:
    """What a payer owes for one class."""

    class_id: ids.ClassId
    heads: int
    amount_fen: int


@dataclass(frozen=True)
class Settlement:
    """A class's account was closed at these figures. `standing` is false once a later fact opened it again."""

    class_id: ids.ClassId
    campaign_id: ids.CampaignId
    version: int
    heads: int
    amount_fen: int
    standing: bool

    def said(self) -> billing.ClassSettledV1:
        """The event that tells of it."""
        return billing.ClassSettledV1(
            version=self.version,
            class_id=self.class_id,
            campaign_id=self.campaign_id,
            heads=self.heads,
            amount_fen=self.amount_fen,
        )


def payer_key(campaign_id: ids.CampaignId, payer: Payer) -> str:
    """One text for one payer of one campaign: the key of its account and of its events."""
    return f"{campaign_id}/{payer.kind}/{payer.ref}"


# The ledger: double entry; a debit is positive, a credit negative.


class Unbalanced(ValueError):
    """The entries of a posting do not sum to zero."""


@dataclass(frozen=True)
class Entry:
    """One line of a posting."""

    account: str
    amount_fen: int


@dataclass(frozen=True)
class Posting:
    """One transaction of the ledger: what happened, because of which charge, payment, voucher or refund."""

    kind: str
    cause_id: UUID
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        if sum(entry.amount_fen for entry in self.entries):
            raise Unbalanced(self.kind)


def _post(kind: str, cause_id: UUID, debit: str, credit: str, amount_fen: int) -> Posting:
    if amount_fen < 0:
        debit, credit, amount_fen = credit, debit, -amount_fen
    return Posting(kind, cause_id, (Entry(debit, amount_fen), Entry(credit, -amount_fen)))


def _receivable(payer: Payer) -> str:
    return f"receivable:{payer.kind}:{payer.ref}"


def _deferred(payer: Payer) -> str:
    return f"deferred:{payer.kind}:{payer.ref}"


@dataclass(frozen=True)
class Account:
    """How a payer stands. `found` holds the difference found between photographed and paid heads while it lasts."""

    campaign_id: ids.CampaignId
    payer: Payer
    photographed_heads: int = 0
    owed_fen: int = 0
    paid_heads: int = 0
    paid_fen: int = 0
    covered_fen: int = 0
    forfeited_heads: int = 0
    forfeited_fen: int = 0
    settled: bool = False
    found: tuple[int, int] | None = None
    finds: int = 0

    @property
    def key(self) -> str:
        return payer_key(self.campaign_id, self.payer)

    @property
    def counted_heads(self) -> int:
        """Paid heads that can stand for a photographed one: a lost voucher's cannot."""
        return self.paid_heads - self.forfeited_heads

    @property
    def open_fen(self) -> int:
        """Owed and not covered."""
        return self.owed_fen - self.covered_fen

    @property
    def credit_fen(self) -> int:
        """Paid and not used: what could be given back."""
        return self.paid_fen - self.covered_fen - self.forfeited_fen

    @property
    def balanced(self) -> bool:
        """Paid heads equal photographed heads, nothing is owed and nothing is left over."""
        return self.counted_heads == self.photographed_heads and not self.open_fen and not self.credit_fen

    def owe(self, charge: Charge) -> tuple["Account", Posting]:
        """One more head."""
        after = replace(
            self, photographed_heads=self.photographed_heads + 1, owed_fen=self.owed_fen + charge.amount_fen
        )
        return after, _post("charge", charge.charge_id, _receivable(self.payer), "revenue", charge.amount_fen)

    def forgive(self, charge: Charge) -> tuple["Account", Posting]:
        """One head less."""
        after = replace(
            self, photographed_heads=self.photographed_heads - 1, owed_fen=self.owed_fen - charge.amount_fen
        )
        return after, _post("charge-reversed", charge.charge_id, "revenue", _receivable(self.payer), charge.amount_fen)

    def pay(self, payment: Payment) -> tuple["Account", Posting]:
        """Money comes in."""
        after = replace(self, paid_heads=self.paid_heads + payment.heads, paid_fen=self.paid_fen + payment.amount_fen)
        return after, _post("payment", payment.payment_id, payment.method, _deferred(self.payer), payment.amount_fen)

    def repay(self, refund: Refund) -> tuple["Account", Posting]:
        """Money goes back: only what is not used."""
        if refund.amount_fen > self.credit_fen:
            raise errors.Conflict(
                "billing-refund-exceeds-credit", amount_fen=refund.amount_fen, credit_fen=self.credit_fen
            )
        after = replace(self, paid_heads=self.paid_heads - refund.heads, paid_fen=self.paid_fen - refund.amount_fen)
        return after, _post("refund", refund.refund_id, _deferred(self.payer), "refunds", refund.amount_fen)

    def forfeit(self, voucher: Voucher) -> tuple["Account", Posting]:
        """A lost voucher's head is paid for and can never be used (丢失不补)."""
        after = replace(
            self,
            forfeited_heads=self.forfeited_heads + 1,
            forfeited_fen=self.forfeited_fen + voucher.amount_fen,
        )
        return after, _post("voucher-lost", voucher.voucher_id, _deferred(self.payer), "forfeited", voucher.amount_fen)

    def cover(self, by_vouchers_fen: int, cause_id: UUID) -> tuple["Account", Posting | None]:
        """Let what is paid meet what is owed.

        Args:
            by_vouchers_fen: worth of the vouchers just redeemed (below zero: set free); a college's only cover.
            cause_id: of the act that led to this.
        """
        if self.payer.kind == "college":
            moved = by_vouchers_fen
        else:
            moved = min(self.owed_fen, self.paid_fen - self.forfeited_fen) - self.covered_fen
        if not moved:
            return self, None
        posting = _post("cover", cause_id, _deferred(self.payer), _receivable(self.payer), moved)
        return replace(self, covered_fen=self.covered_fen + moved), posting

    def judge(self, mode: FeeMode, *, final: bool) -> tuple["Account", billing.DiscrepancyFoundV1 | None]:
        """Close the account when it balances; say so when heads differ and money has had its time to come.

        Args:
            mode: the campaign's fee mode.
            final: no more photos or payments are expected: somebody asks to settle, or the campaign is closed.
        """
        settled = self.balanced and self.photographed_heads > 0
        due = final or self.found is not None or (mode in PAID_AFTERWARDS and self.paid_heads > 0)
        differs = due and self.counted_heads != self.photographed_heads
        found = (self.photographed_heads, self.counted_heads) if differs else None
        if found is None or found == self.found:
            return replace(self, settled=settled, found=found), None
        after = replace(self, settled=settled, found=found, finds=self.finds + 1)
        return after, billing.DiscrepancyFoundV1(
            version=after.finds,
            payer_key=after.key,
            campaign_id=after.campaign_id,
            payer=after.payer,
            photographed_heads=found[0],
            paid_heads=found[1],
        )


# Charges.


@dataclass(frozen=True)
class Bill:
    """What a student's photo costs, and whom."""

    class_id: ids.ClassId
    payer: Payer
    amount_fen: int


def bill(campaign: Campaign, class_id: ids.ClassId, known: Class | None, photo: Photo | None) -> Bill | None:
    """The bill of a student who has `photo`; None where nothing is owed, or nobody can be named yet.

    Args:
        campaign: the campaign.
        class_id: the student's class.
        known: that class, when roster has told of it.
        photo: the student's photo in force.
    """
    if photo is None:
        return None
    kind = PAYER_KINDS[campaign.mode]
    if kind == "college" and known is None:
        return None
    refs = {
        "class": str(class_id),
        "college": known.college_zh if known else "",
        "school": campaign.school_code,
    }
    return Bill(class_id, Payer(kind=kind, ref=refs[kind]), campaign.amount_fen)


def adjust(charge: Charge | None, wanted: Bill | None, student: Student, fresh_id: UUID) -> Charge | None:
    """The charge as it should be now: `charge` itself when it is so already."""
    if wanted is None:
        return replace(charge, active=False, version=charge.version + 1) if charge and charge.active else charge
    terms = {"class_id": wanted.class_id, "payer": wanted.payer, "amount_fen": wanted.amount_fen, "active": True}
    if charge is None:
        return Charge(
            charge_id=ids.ChargeId(fresh_id),
            version=1,
            campaign_id=student.campaign_id,
            student_id=student.student_id,
            class_id=wanted.class_id,
            payer=wanted.payer,
            amount_fen=wanted.amount_fen,
            active=True,
        )
    if all(getattr(charge, name) == value for name, value in terms.items()):
        return charge
    return replace(
        charge,
        version=charge.version + 1,
        class_id=wanted.class_id,
        payer=wanted.payer,
        amount_fen=wanted.amount_fen,
        active=True,
    )


# Payments, vouchers, refunds, settlement.


def check_payment(campaign: Campaign, payment: Payment) -> None:
    """Refuse money that does not fit the campaign's way of paying.

    Raises:
        errors.Invalid: another payer pays here, in another way, or the amount is not heads x tariff.
    """
    _check_payer(campaign, payment.payer)
    if payment.method not in METHODS[campaign.mode]:
        methods = "/".join(METHODS[campaign.mode])
        raise errors.Invalid("billing-method-not-taken", mode=campaign.mode, method=payment.method, methods=methods)
    _check_amount(campaign, payment.heads, payment.amount_fen)


def check_refund(campaign: Campaign, refund: Refund) -> None:
    """Refuse a refund that does not fit the campaign's way of paying."""
    _check_payer(campaign, refund.payer)
    _check_amount(campaign, refund.heads, refund.amount_fen)


def _check_payer(campaign: Campaign, payer: Payer) -> None:
    kind = PAYER_KINDS[campaign.mode]
    if payer.kind != kind:
        raise errors.Invalid("billing-payer-does-not-pay", mode=campaign.mode, kind=payer.kind, expected=kind)
    if kind == "school" and payer.ref != campaign.school_code:
        raise errors.Invalid("billing-payer-unknown", kind=kind, ref=payer.ref)


def _check_amount(campaign: Campaign, heads: int, amount_fen: int) -> None:
    expected = heads * campaign.amount_fen
    if amount_fen != expected:
        raise errors.Invalid(
            "billing-amount-mismatch",
            heads=heads,
            tariff_fen=campaign.amount_fen,
            expected_fen=expected,
            amount_fen=amount_fen,
        )


def check_issue(payment: Payment, payer: Payer, issued: int, heads: int) -> int:
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


def settle(account: Account, heads: ClassHeads, before: Settlement | None) -> Settlement | None:
    """Close a class of a closed account; None when it is closed at these very figures."""
    if before and before.standing and (before.heads, before.amount_fen) == (heads.heads, heads.amount_fen):
        return None
    version = before.version + 1 if before else 1
    return Settlement(heads.class_id, account.campaign_id, version, heads.heads, heads.amount_fen, standing=True)
