"""What the database itself guarantees about the money."""

from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from kit import db
from services.billing import store
from tests.integration.billing.conftest import Billing
from tests.unit.billing import books


async def test_migrations_lead_to_the_tables_of_the_code(billing: Billing, postgres_url: str) -> None:
    """Nothing stands between the migrated schema and the metadata."""
    # As administrator: to the service's own role its schema is the default one, and bears no name.
    url = urlsplit(postgres_url)._replace(path=urlsplit(billing.url).path).geturl()
    assert await db.differences(url, store.METADATA) == []


async def _post(billing: Billing, *amounts_fen: int) -> None:
    async with billing.database.transaction() as tx:
        head = store.TRANSACTIONS.insert().values(
            campaign_id=books.CAMPAIGN, kind="charge", cause_id=books.CAMPAIGN, recorded_at=books.NOW
        )
        seq = (await tx.execute(head.returning(store.TRANSACTIONS.c.seq))).scalar_one()
        lines = [
            {"seq": seq, "line": n, "account": "cash", "amount_fen": fen} for n, fen in enumerate(amounts_fen, start=1)
        ]
        await tx.execute(store.ENTRIES.insert(), lines)


async def test_unbalanced_transaction_does_not_commit(billing: Billing) -> None:
    """Whatever the code does, entries that do not sum to zero never stand in the ledger."""
    await _post(billing, 1500, -1000, -500)
    with pytest.raises(sa.exc.IntegrityError, match="does not balance"):
        await _post(billing, 1500, -1499)
    assert len(await billing.rows(store.ENTRIES)) == 3


@pytest.mark.parametrize(
    "act",
    [
        "update billing.entries set amount_fen = 0",
        "delete from billing.entries",
        "truncate billing.transactions cascade",
    ],
)
async def test_ledger_is_append_only(billing: Billing, act: str) -> None:
    """No entry is changed or removed, also by us."""
    await _post(billing, 1500, -1500)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        async with billing.database.transaction() as tx:
            await tx.execute(sa.text(act))
