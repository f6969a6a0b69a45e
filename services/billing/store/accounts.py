"""Accounts and the classes that are closed with them."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from gradphoto_contracts import ids
from gradphoto_contracts.billing import Payer
from services.billing.domain import accounts, settlements
from services.billing.store import ACCOUNTS, SETTLEMENTS, mapping

_ACCOUNT = (
    "campaign_id",
    "photographed_heads",
    "owed_fen",
    "paid_heads",
    "paid_fen",
    "covered_fen",
    "forfeited_heads",
    "forfeited_fen",
    "settled",
    "finds",
)


def _account_values(account: accounts.Account) -> dict[str, Any]:
    photographed, paid = account.found or (None, None)
    return mapping.flat(account, *_ACCOUNT) | {"found_photographed": photographed, "found_paid": paid}


def _account(row: Any) -> accounts.Account:
    found = None if row.found_photographed is None else (row.found_photographed, row.found_paid)
    return accounts.Account(**{name: getattr(row, name) for name in _ACCOUNT}, payer=mapping.payer_of(row), found=found)


_KEY = ("campaign_id", "payer_kind", "payer_ref")
_SAVE_ACCOUNT = (
    ACCOUNTS.update()
    .where(*(ACCOUNTS.c[name] == sa.bindparam(f"new_{name}") for name in _KEY))
    .values({column.name: sa.bindparam(f"new_{column.name}") for column in ACCOUNTS.c if column.name not in _KEY})
)


class Accounts(mapping.Table):
    async def lock(self, campaign_id: ids.CampaignId, payer: Payer) -> accounts.Account:
        query = sa.select(ACCOUNTS).where(mapping.pays(ACCOUNTS, campaign_id, payer)).with_for_update()
        row = await self._one(query)
        if row is None:
            fresh = _account_values(accounts.Account(campaign_id, payer))
            await self._tx.execute(postgresql.insert(ACCOUNTS).values(fresh).on_conflict_do_nothing())
            row = await self._one(query)
        return _account(row)

    async def save(self, account: accounts.Account) -> None:
        await self._tx.execute(
            _SAVE_ACCOUNT, {f"new_{name}": value for name, value in _account_values(account).items()}
        )

    async def of(self, campaign_id: ids.CampaignId) -> list[accounts.Account]:
        query = sa.select(ACCOUNTS).where(ACCOUNTS.c.campaign_id == campaign_id)
        return [_account(row) for row in await self._all(query.order_by(ACCOUNTS.c.payer_kind, ACCOUNTS.c.payer_ref))]


_SETTLEMENT = ("class_id", "campaign_id", "version", "heads", "amount_fen", "standing")


class Settlements(mapping.Table):
    async def of(self, class_ids: Iterable[ids.ClassId]) -> dict[ids.ClassId, settlements.Settlement]:
        rows = await self._all(sa.select(SETTLEMENTS).where(SETTLEMENTS.c.class_id.in_(list(class_ids))))
        return {
            row.class_id: settlements.Settlement(**{name: getattr(row, name) for name in _SETTLEMENT}) for row in rows
        }

    async def save(self, settlement: settlements.Settlement, payer: Payer) -> None:
        values = {name: getattr(settlement, name) for name in _SETTLEMENT}
        values |= {"payer_kind": payer.kind, "payer_ref": payer.ref}
        insert = postgresql.insert(SETTLEMENTS).values(values)
        await self._tx.execute(insert.on_conflict_do_update(index_elements=["class_id"], set_=values))

    async def reopen(self, campaign_id: ids.CampaignId, payer: Payer, keep: Sequence[ids.ClassId]) -> None:
        theirs = sa.and_(mapping.pays(SETTLEMENTS, campaign_id, payer), SETTLEMENTS.c.class_id.not_in(list(keep)))
        await self._tx.execute(SETTLEMENTS.update().where(theirs).values(standing=False))
