"""From charges and money to accounts that are covered, judged and closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gradphoto_contracts import ids
from gradphoto_contracts.billing import Payer
from kit import errors
from services.billing.domain import accounts, copies, modes, settlements, vouchers
from services.billing.handlers import campaigns
from services.billing.ports import Work

#: Vouchers matched in one go; the payer's account is locked meanwhile.
MATCH_LIMIT = 20_000


async def settle_class(work: Work, class_id: ids.ClassId) -> accounts.Account:
    """Ask for a class's account to be closed; the account of whoever pays for it. Already closed is closed.

    A difference is announced before this raises, so the caller must commit what was done and then refuse.
    """
    known = await work.classes.get(class_id)
    if known is None:
        raise errors.NotFound("billing-class-unknown", class_id=str(class_id))
    campaign = await campaigns.shared(work, known.campaign_id)
    refs = {"class": str(class_id), "college": known.college_zh, "school": campaign.school_code}
    kind = modes.PAYER_KINDS[campaign.mode]
    account = await work.accounts.lock(known.campaign_id, Payer(kind=kind, ref=refs[kind]))
    return await close_books(work, campaign, account, class_id, final=True)


async def reconcile(work: Work, campaign_id: ids.CampaignId) -> tuple[copies.Campaign, list[accounts.Account], int]:
    """The campaign, all its accounts, and the sum of its ledger (zero)."""
    campaign = await campaigns.known(work, campaign_id)
    return campaign, await work.accounts.of(campaign_id), await work.ledger.balance_fen(campaign_id)


@dataclass(frozen=True)
class News:
    """What a change of charges means for a payer: whose heads came to it, and whether any left it."""

    came: Sequence[ids.StudentId]
    left: bool


async def close_books(
    work: Work,
    campaign: copies.Campaign,
    account: accounts.Account,
    cause_id: UUID,
    *,
    final: bool = False,
    news: News | None = None,
) -> accounts.Account:
    """Cover what is owed by what is paid, judge the (locked) account, store it, and tell what follows.

    With `news` the effort does not grow with the payer's heads; without, all of them are looked at.
    """
    stood = account.settled
    by_vouchers_fen = await _match_vouchers(work, account, news) if account.payer.kind == "college" else 0
    account, posting = account.cover(by_vouchers_fen, cause_id)
    if posting:
        await work.ledger.add(account.campaign_id, [posting])
    account, discrepancy = account.judge(campaign.mode, final=final or campaign.closed)
    await work.accounts.save(account)
    if discrepancy:
        await work.events.add(discrepancy)
    if account.settled or stood:
        await _settle_classes(work, account)
    return account


async def _match_vouchers(work: Work, account: accounts.Account, news: News | None) -> int:
    """Each match leaves no head uncovered while a voucher is free. So where no head left, only new ones can be."""
    of = (account.campaign_id, account.payer)
    if news is None or news.left:
        stale = await work.vouchers.stale(*of)
        free = bool(stale or await work.vouchers.outstanding(*of, 1))
        uncovered: Sequence[ids.StudentId] = await work.charges.uncovered(*of, MATCH_LIMIT) if free else []
    else:
        stale, uncovered = [], news.came
    outstanding = await work.vouchers.outstanding(*of, len(uncovered)) if uncovered else []
    if not stale and not outstanding:
        return 0
    changed = vouchers.match_vouchers(stale, outstanding, uncovered)
    await work.vouchers.save(changed)
    await work.events.add_all(voucher.said() for voucher in changed)
    return vouchers.worth([*stale, *outstanding], changed)


async def _settle_classes(work: Work, account: accounts.Account) -> None:
    """Close the classes of a closed account; open them again when it is open again."""
    classes = await work.charges.by_class(account.campaign_id, account.payer) if account.settled else []
    class_ids = [heads.class_id for heads in classes]
    await work.settlements.reopen(account.campaign_id, account.payer, keep=class_ids)
    closed = await work.settlements.of(class_ids)
    for heads in classes:
        settlement = settlements.settle(account, heads, closed.get(heads.class_id))
        if settlement:
            await work.settlements.save(settlement, account.payer)
            await work.events.add(settlement.said())
