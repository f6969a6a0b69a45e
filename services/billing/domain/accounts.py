"""Accounts: who owes for which photographed head, what covers it, and when it is closed.

One account a payer. What is owed stands in `receivable`, what was paid and not yet used in `deferred`; *covering* moves
money from the second to the first, so that at any time owed = covered + open. A college's money covers by vouchers, one
a head; everybody else's covers as far as it reaches. All follows from the present facts, so events may come in any
order.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from gradphoto_contracts import billing, ids
from gradphoto_contracts.billing import Payer
from gradphoto_contracts.policy import FeeMode
from kit import errors
from services.billing.domain import charges, ledger, modes, payments, vouchers


def payer_key(campaign_id: ids.CampaignId, payer: Payer) -> str:
    """One text for one payer of one campaign: the key of its account and of its events."""
    return f"{campaign_id}/{payer.kind}/{payer.ref}"


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

    def owe(self, charge: charges.Charge) -> tuple["Account", ledger.Posting]:
        """One more head."""
        after = replace(
            self, photographed_heads=self.photographed_heads + 1, owed_fen=self.owed_fen + charge.amount_fen
        )
        return after, ledger.post(
            "charge", charge.charge_id, ledger.receivable(self.payer), "revenue", charge.amount_fen
        )

    def forgive(self, charge: charges.Charge) -> tuple["Account", ledger.Posting]:
        """One head less."""
        after = replace(
            self, photographed_heads=self.photographed_heads - 1, owed_fen=self.owed_fen - charge.amount_fen
        )
        return after, ledger.post(
            "charge-reversed", charge.charge_id, "revenue", ledger.receivable(self.payer), charge.amount_fen
        )

    def pay(self, payment: payments.Payment) -> tuple["Account", ledger.Posting]:
        """Money comes in."""
        after = replace(self, paid_heads=self.paid_heads + payment.heads, paid_fen=self.paid_fen + payment.amount_fen)
        return after, ledger.post(
            "payment", payment.payment_id, payment.method, ledger.deferred(self.payer), payment.amount_fen
        )

    def repay(self, refund: payments.Refund) -> tuple["Account", ledger.Posting]:
        """Money goes back: only what is not used."""
        if refund.amount_fen > self.credit_fen:
            raise errors.Conflict(
                "billing-refund-exceeds-credit", amount_fen=refund.amount_fen, credit_fen=self.credit_fen
            )
        after = replace(self, paid_heads=self.paid_heads - refund.heads, paid_fen=self.paid_fen - refund.amount_fen)
        return after, ledger.post("refund", refund.refund_id, ledger.deferred(self.payer), "refunds", refund.amount_fen)

    def forfeit(self, voucher: vouchers.Voucher) -> tuple["Account", ledger.Posting]:
        """A lost voucher's head is paid for and can never be used (丢失不补)."""
        after = replace(
            self,
            forfeited_heads=self.forfeited_heads + 1,
            forfeited_fen=self.forfeited_fen + voucher.amount_fen,
        )
        return after, ledger.post(
            "voucher-lost", voucher.voucher_id, ledger.deferred(self.payer), "forfeited", voucher.amount_fen
        )

    def cover(self, by_vouchers_fen: int, cause_id: UUID) -> tuple["Account", ledger.Posting | None]:
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
        posting = ledger.post("cover", cause_id, ledger.deferred(self.payer), ledger.receivable(self.payer), moved)
        return replace(self, covered_fen=self.covered_fen + moved), posting

    def judge(self, mode: FeeMode, *, final: bool) -> tuple["Account", billing.DiscrepancyFoundV1 | None]:
        """Close the account when it balances; say so when heads differ and money has had its time to come.

        Args:
            mode: the campaign's fee mode.
            final: no more photos or payments are expected: somebody asks to settle, or the campaign is closed.
        """
        settled = self.balanced and self.photographed_heads > 0
        due = final or self.found is not None or (mode in modes.PAID_AFTERWARDS and self.paid_heads > 0)
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
