"""What billing's handlers need of the world outside."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from gradphoto_contracts import ids
from gradphoto_contracts.billing import Payer
from gradphoto_contracts.envelope import Event
from services.billing.domain import accounts, charges, copies, ledger, payments, settlements, vouchers


class Campaigns(Protocol):
    """Copies of roster's campaigns, and the campaign's lock, which is taken first; then students, then accounts."""

    async def share(self, campaign_id: ids.CampaignId) -> None:
        """Keep the campaign and its classes as they are until the transaction ends; others may do the same."""

    async def hold(self, campaign_id: ids.CampaignId) -> None:
        """Keep everybody else out of the campaign until the transaction ends."""

    async def get(self, campaign_id: ids.CampaignId) -> copies.Campaign | None: ...
    async def save(self, campaign: copies.Campaign) -> bool:
        """Keep the copy if it is newer; whether it was."""
        ...

    async def close(self, campaign_id: ids.CampaignId) -> None:
        """Remember that the campaign takes no more changes, also when it is not known yet."""

    async def all(self) -> list[copies.Campaign]: ...


class Classes(Protocol):
    """Copies of roster's classes."""

    async def get(self, class_id: ids.ClassId) -> copies.Class | None: ...
    async def college_exists(self, campaign_id: ids.CampaignId, college_zh: str) -> bool: ...
    async def save(self, known: copies.Class) -> bool:
        """Keep the copy if it is newer; whether it was."""
        ...


class Students(Protocol):
    """Copies of roster's students; a row also exists, at version 0, for a student seen only in a photo."""

    async def lock(self, students: Iterable[copies.Student]) -> list[copies.Student]:
        """The students as stored (unknown ones as given), by id, each kept to this transaction."""
        ...

    async def save(self, student: copies.Student) -> bool:
        """Keep the copy if it is newer; whether it was."""
        ...

    async def with_money(self, campaign_id: ids.CampaignId, class_id: ids.ClassId | None) -> list[copies.Student]:
        """Students of a campaign (or one class of it) that have a photo or a charge."""
        ...


class Photos(Protocol):
    """Copies of capture's photos: whose each one is, and whether it counts."""

    async def keep(self, photo: copies.Photo) -> tuple[bool, copies.Photo | None]:
        """Keep the copy if it is newer: whether it was, and the copy before.

        Shares the campaign, and keeps this capture to this transaction, also when there was no copy yet.
        """
        ...


class Charges(Protocol):
    """One charge a student and campaign."""

    async def standing(self, campaign_id: ids.CampaignId, student: copies.Student) -> charges.Standing: ...
    async def save(self, charge: charges.Charge) -> None: ...
    async def uncovered(self, campaign_id: ids.CampaignId, payer: Payer, limit: int) -> list[ids.StudentId]:
        """Students whose charge this payer bears and no voucher covers, longest charged first."""
        ...

    async def by_class(self, campaign_id: ids.CampaignId, payer: Payer) -> list[settlements.ClassHeads]: ...


class Accounts(Protocol):
    """One account a payer and campaign."""

    async def lock(self, campaign_id: ids.CampaignId, payer: Payer) -> accounts.Account:
        """The account, made when it is new, kept to this transaction. Lock several in the order of their keys."""
        ...

    async def save(self, account: accounts.Account) -> None: ...
    async def of(self, campaign_id: ids.CampaignId) -> list[accounts.Account]:
        """All accounts of a campaign, by key."""
        ...


class Ledger(Protocol):
    """The journal: postings are added, never changed."""

    async def add(self, campaign_id: ids.CampaignId, postings: Sequence[ledger.Posting]) -> None: ...
    async def page(self, campaign_id: ids.CampaignId, after: int, limit: int) -> list[dict[str, Any]]: ...
    async def balance_fen(self, campaign_id: ids.CampaignId) -> int:
        """The sum of all entries: zero."""
        ...

    async def by_account(self, campaign_id: ids.CampaignId) -> dict[str, int]: ...


class Payments(Protocol):
    """Money that came in."""

    async def add(self, payment: payments.Payment) -> bool:
        """Store a payment; False when its id is taken. A second one at the same time waits for the first."""
        ...

    async def get(self, payment_id: ids.PaymentId) -> payments.Payment | None: ...
    async def without_receipt(self, campaign_id: ids.CampaignId) -> list[payments.Payment]: ...


class Vouchers(Protocol):
    """拍照凭证."""

    async def get(self, voucher_id: ids.VoucherId) -> vouchers.Voucher | None: ...
    async def add(self, vouchers: Sequence[vouchers.Voucher]) -> None: ...
    async def save(self, vouchers: Sequence[vouchers.Voucher]) -> None: ...
    async def of_payment(self, payment_id: ids.PaymentId) -> list[vouchers.Voucher]: ...
    async def stale(self, campaign_id: ids.CampaignId, payer: Payer) -> list[vouchers.Voucher]:
        """Redeemed ones whose student is no charge of this payer any more."""
        ...

    async def outstanding(self, campaign_id: ids.CampaignId, payer: Payer, limit: int) -> list[vouchers.Voucher]:
        """Free ones, lowest number first."""
        ...

    async def counts(self, campaign_id: ids.CampaignId) -> dict[tuple[Payer, vouchers.VoucherState], int]: ...


class Refunds(Protocol):
    """Money that went back."""

    async def add(self, refund: payments.Refund) -> bool:
        """Store a refund; False when its id is taken."""
        ...

    async def get(self, refund_id: ids.RefundId) -> payments.Refund | None: ...


class Receipts(Protocol):
    """Papers for payments."""

    async def add(self, receipt: payments.Receipt) -> None:
        """Store a receipt and mark its payments."""

    async def covering(self, payment_ids: Iterable[ids.PaymentId]) -> list[payments.Receipt]:
        """The receipts that any of these payments stands on."""
        ...


class Settlements(Protocol):
    """Closed classes."""

    async def of(self, class_ids: Iterable[ids.ClassId]) -> dict[ids.ClassId, settlements.Settlement]: ...
    async def save(self, settlement: settlements.Settlement, payer: Payer) -> None: ...
    async def reopen(self, campaign_id: ids.CampaignId, payer: Payer, keep: Sequence[ids.ClassId]) -> None:
        """A later fact opened this payer's classes again, all but `keep`."""


class Numbers(Protocol):
    """Running numbers of a campaign's papers."""

    async def take(self, campaign_id: ids.CampaignId, kind: str, count: int) -> range:
        """The next `count` numbers, from 1, without gaps."""
        ...


class Events(Protocol):
    """The outbox."""

    async def add(self, event: Event) -> None: ...
    async def add_all(self, events: Iterable[Event]) -> None: ...


class Inbox(Protocol):
    """Events handled already."""

    async def unseen(self, event_ids: Sequence[UUID]) -> set[UUID]: ...


@dataclass(frozen=True)
class Work:
    """What one handler call may touch: one transaction."""

    campaigns: Campaigns
    classes: Classes
    students: Students
    photos: Photos
    charges: Charges
    accounts: Accounts
    ledger: Ledger
    payments: Payments
    vouchers: Vouchers
    refunds: Refunds
    receipts: Receipts
    settlements: Settlements
    numbers: Numbers
    events: Events
    inbox: Inbox
    now: datetime
    new_id: Callable[[], UUID]


Unit = Callable[[], AbstractAsyncContextManager[Work]]
