"""The ledger: double entry; a debit is positive, a credit negative."""

from dataclasses import dataclass
from uuid import UUID

from gradphoto_contracts.billing import Payer


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


def post(kind: str, cause_id: UUID, debit: str, credit: str, amount_fen: int) -> Posting:
    """A posting from one account to another; below zero it goes the other way."""
    if amount_fen < 0:
        debit, credit, amount_fen = credit, debit, -amount_fen
    return Posting(kind, cause_id, (Entry(debit, amount_fen), Entry(credit, -amount_fen)))


def receivable(payer: Payer) -> str:
    """The account of what a payer owes."""
    return f"receivable:{payer.kind}:{payer.ref}"


def deferred(payer: Payer) -> str:
    """The account of what a payer has paid and not used."""
    return f"deferred:{payer.kind}:{payer.ref}"
