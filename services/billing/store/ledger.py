"""The ledger."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from gradphoto_contracts import ids
from services.billing.domain import ledger
from services.billing.store import ENTRIES, TRANSACTIONS, mapping

_POST = sa.text("""
    with head as (
        insert into billing.transactions (campaign_id, kind, cause_id, recorded_at)
        values (:campaign_id, :kind, :cause_id, :recorded_at) returning seq
    )
    insert into billing.entries (seq, line, account, amount_fen)
    select head.seq, entry.line, entry.account, entry.amount_fen
    from head, unnest(cast(:accounts as text[]), cast(:amounts_fen as bigint[]))
        with ordinality as entry (account, amount_fen, line)
""")


class Ledger(mapping.Table):
    async def add(self, campaign_id: ids.CampaignId, postings: Sequence[ledger.Posting]) -> None:
        for posting in postings:
            head = {"campaign_id": campaign_id, "kind": posting.kind, "cause_id": posting.cause_id}
            lines = {
                "accounts": [entry.account for entry in posting.entries],
                "amounts_fen": [entry.amount_fen for entry in posting.entries],
            }
            await self._tx.execute(_POST, head | lines | {"recorded_at": self._now})

    async def page(self, campaign_id: ids.CampaignId, after: int, limit: int) -> list[dict[str, Any]]:
        ours = sa.and_(TRANSACTIONS.c.campaign_id == campaign_id, TRANSACTIONS.c.seq > after)
        page = sa.select(TRANSACTIONS).where(ours).order_by(TRANSACTIONS.c.seq).limit(limit).subquery()
        query = sa.select(page, ENTRIES.c.line, ENTRIES.c.account, ENTRIES.c.amount_fen)
        joined = query.join(ENTRIES, ENTRIES.c.seq == page.c.seq).order_by(page.c.seq, ENTRIES.c.line)
        transactions: dict[int, dict[str, Any]] = {}
        for row in await self._all(joined):
            head = {name: getattr(row, name) for name in ("seq", "kind", "cause_id", "recorded_at")}
            lines = transactions.setdefault(row.seq, head | {"entries": []})["entries"]
            lines.append({"account": row.account, "amount_fen": row.amount_fen})
        return list(transactions.values())

    async def balance_fen(self, campaign_id: ids.CampaignId) -> int:
        return sum((await self.by_account(campaign_id)).values())

    async def by_account(self, campaign_id: ids.CampaignId) -> dict[str, int]:
        query = (
            sa.select(ENTRIES.c.account, sa.func.sum(ENTRIES.c.amount_fen).label("fen"))
            .join(TRANSACTIONS, TRANSACTIONS.c.seq == ENTRIES.c.seq)
            .where(TRANSACTIONS.c.campaign_id == campaign_id)
            .group_by(ENTRIES.c.account)
            .order_by(ENTRIES.c.account)
        )
        return {row.account: int(row.fen) for row in await self._all(query)}
