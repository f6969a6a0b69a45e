"""Accounts, reconciliation and the ledger over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from gradphoto_contracts import ids
from gradphoto_contracts.billing import Payer
from kit import pages
from services.billing.api import access, bodies
from services.billing.domain import vouchers
from services.billing.handlers import closing
from services.billing.ports import Unit, Work

_TOTALS = ("photographed_heads", "paid_heads", "owed_fen", "paid_fen", "open_fen")


def router(unit: Unit) -> APIRouter:
    """Look at accounts and the ledger."""
    doors = APIRouter(tags=["books"])

    @doors.get("/campaigns/{campaign_id}/accounts")
    async def list_accounts(campaign_id: UUID, who: access.Reader) -> pages.Page[bodies.AccountAnswer]:
        who.require_scope(campaign_id=campaign_id)
        campaign = ids.CampaignId(campaign_id)
        async with unit() as work:
            answers = await _accounts(work, campaign)
            return pages.Page(items=[a for a in answers if await access.outside(work, who, campaign, a.payer) is None])

    @doors.get("/campaigns/{campaign_id}/reconciliation")
    async def reconcile(campaign_id: UUID, who: access.Reader) -> bodies.ReconciliationAnswer:
        campaign_id_ = access.whole(who, campaign_id)
        async with unit() as work:
            campaign, accounts, balance_fen = await closing.reconcile(work, campaign_id_)
            payers = await _accounts(work, campaign_id_)
        return bodies.ReconciliationAnswer(
            mode=campaign.mode,
            tariff_fen=campaign.amount_fen,
            **{name: sum(getattr(a, name) for a in payers) for name in _TOTALS},
            ledger_balance_fen=balance_fen,
            payers=payers,
            discrepancies=[bodies.discrepancy(account) for account in accounts if account.found],
        )

    @doors.get("/campaigns/{campaign_id}/ledger")
    async def show_ledger(
        campaign_id: UUID,
        who: access.Reader,
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> pages.Page[bodies.TransactionAnswer]:
        campaign = access.whole(who, campaign_id)
        async with unit() as work:
            page = await work.ledger.page(campaign, after, limit)
        items = [bodies.TransactionAnswer.model_validate(transaction) for transaction in page]
        return pages.Page(items=items, next=items[-1].seq if len(items) == limit else None)

    return doors


async def _accounts(work: Work, campaign_id: ids.CampaignId) -> list[bodies.AccountAnswer]:
    counts = await work.vouchers.counts(campaign_id)
    return [bodies.account(account, _counts(counts, account.payer)) for account in await work.accounts.of(campaign_id)]


async def account(work: Work, campaign_id: ids.CampaignId, payer: Payer) -> bodies.AccountAnswer:
    """How a payer stands now."""
    account = await work.accounts.lock(campaign_id, payer)
    return bodies.account(account, _counts(await work.vouchers.counts(campaign_id), payer))


def _counts(counts: dict[tuple[Payer, vouchers.VoucherState], int], payer: Payer) -> bodies.VoucherCounts:
    mine: dict[str, Any] = {state: number for (owner, state), number in counts.items() if owner == payer}
    return bodies.VoucherCounts(issued=sum(mine.values()), **mine)
