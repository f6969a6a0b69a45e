"""Between rows and domain values: what all of billing's stores share."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from gradphoto_contracts.billing import Payer


def save_newer(table: sa.Table, key: str, values: dict[str, Any]) -> postgresql.Insert:
    """Insert, or overwrite what is older; the statement changes no row when what is stored is as new."""
    insert = postgresql.insert(table).values(values)
    fresh = {name: insert.excluded[name] for name in values if name != key}
    return insert.on_conflict_do_update(
        index_elements=[key], set_=fresh, where=insert.excluded.version > table.c.version
    )


def payer_of(row: Any) -> Payer:
    """The payer that a row names."""
    return Payer(kind=row.payer_kind, ref=row.payer_ref)


def pays(table: sa.Table, campaign_id: ids.CampaignId, payer: Payer) -> sa.ColumnElement[bool]:
    """Rows of this payer."""
    columns = table.c
    return sa.and_(columns.campaign_id == campaign_id, columns.payer_kind == payer.kind, columns.payer_ref == payer.ref)


def flat(value: Any, *names: str) -> dict[str, Any]:
    """The columns `names` of a domain value, with its payer as two columns."""
    return {name: getattr(value, name) for name in names} | {
        "payer_kind": value.payer.kind,
        "payer_ref": value.payer.ref,
    }


_HOLD = sa.text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")
_SHARE = sa.text("select pg_advisory_xact_lock_shared(hashtextextended(:key, 0))")


class Table:
    """A connection with its transaction open, and the moment it stands for."""

    def __init__(self, tx: AsyncConnection, now: datetime) -> None:
        self._tx = tx
        self._now = now

    async def _one(self, query: sa.Executable, **values: Any) -> Any:
        return (await self._tx.execute(query, values)).one_or_none()

    async def _all(self, query: sa.Executable) -> list[Any]:
        return list((await self._tx.execute(query)).all())

    async def _lock(self, kind: str, key: UUID, *, shared: bool = False) -> None:
        await self._tx.execute(_SHARE if shared else _HOLD, {"key": f"billing:{kind}:{key}"})
