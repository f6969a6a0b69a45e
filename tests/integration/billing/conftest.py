"""Billing on a real database, without bus: events come through the inbox's door, people through HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from gradphoto_contracts import catalogue
from gradphoto_contracts.envelope import Envelope, Event
from kit import auth, clock, crypto, db, ids, inbox
from services.billing import app, handlers, ports, store
from services.billing.settings import Settings


@dataclass
class Billing:
    """The running service as tests reach it."""

    database: db.Database
    unit: db.Unit[ports.Work]
    client: httpx.AsyncClient
    private_pem: str
    url: str

    async def hear(self, *events: Event, envelopes: Iterable[Envelope] = ()) -> None:
        """Deliver events one after the other."""
        for envelope in [*map(sealed, events), *envelopes]:
            await self.dispatch(envelope)

    async def hear_at_once(self, envelopes: Iterable[Envelope]) -> None:
        """Deliver events as several consumers would: all at the same time."""
        await asyncio.gather(*map(self.dispatch, envelopes))

    async def dispatch(self, envelope: Envelope) -> None:
        await inbox.dispatcher(self.unit, catalogue.read, handlers.HEARS)([envelope])

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: str = "cashier",
        scope: dict[str, list[Any]] | None = None,
    ) -> httpx.Response:
        """One request by somebody with this role and scope."""
        token = auth.mint(self.private_pem, "tester", role, scope or {}, datetime.now(UTC))
        return await self.client.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})

    async def rows(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[Any]:
        async with self.database.transaction() as tx:
            return list((await tx.execute(sa.select(table).where(*where))).all())

    async def said(self, kind: type[Event]) -> list[dict[str, Any]]:
        return [row.envelope["data"] for row in await self.rows(store.OUTBOX, store.OUTBOX.c.type == kind.TYPE)]


def sealed(event: Event) -> Envelope:
    now = datetime.now(UTC)
    return Envelope.seal(event, id=ids.new(), source="test", time=now, correlation_id="test")


@pytest.fixture
async def billing(fresh_database: Callable[..., str], tmp_path: Path) -> AsyncIterator[Billing]:
    """Billing over a fresh database."""
    url = fresh_database("billing")
    private_pem, public_pem = crypto.new_key()
    settings = Settings(
        port=0, database_url=SecretStr(url), amqp_url=SecretStr("amqp://nowhere.invalid"), auth_public_key=public_pem
    )
    database = db.Database(url, "billing", pool_size=20)
    service = app.build(settings)
    transport = httpx.ASGITransport(service.web)
    async with httpx.AsyncClient(transport=transport, base_url="http://billing") as client:
        yield Billing(database, db.Unit(database, app.working(clock.SystemClock())), client, private_pem, url)
    for act in service.stop:
        await act()
    await database.close()
