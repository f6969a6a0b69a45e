"""Settlements: the classes of a closed account are closed, at these figures."""

from dataclasses import dataclass

from gradphoto_contracts import billing, ids
from services.billing.domain import accounts


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


def settle(account: accounts.Account, heads: ClassHeads, before: Settlement | None) -> Settlement | None:
    """Close a class of a closed account; None when it is closed at these very figures."""
    if before and before.standing and (before.heads, before.amount_fen) == (heads.heads, heads.amount_fen):
        return None
    version = before.version + 1 if before else 1
    return Settlement(heads.class_id, account.campaign_id, version, heads.heads, heads.amount_fen, standing=True)
