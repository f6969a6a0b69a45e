"""Roster over HTTP, on a real database of its own."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from kit import auth, clock, crypto, db, words
from services.roster import app, settings
from services.roster.ports import Work

PRIVATE, PUBLIC = crypto.new_key()


@dataclass(frozen=True)
class Roster:
    """The service under test: its door, its unit of work, its database."""

    door: httpx.AsyncClient
    unit: db.Unit[Work]
    database: db.Database
    settings: settings.Settings
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, role: str, **scope: list[str]) -> dict[str, str]:
        """Headers of a person of that role."""
        minted = auth.mint(PRIVATE, f"{role}-1", role, scope, datetime.now(UTC))
        return {"authorization": f"Bearer {minted}"}

    async def post(self, path: str, body: Any = None, *, status: int = 200, **more: Any) -> Any:
        """POST as the registrar; the answer, which must have that status."""
        answer = await self.door.post(path, json=body, headers=self.token("registrar"), **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def get(self, path: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Any:
        """GET as the registrar, or as whom `headers` say."""
        answer = await self.door.get(path, headers=headers or self.token("registrar"))
        assert answer.status_code == status, answer.text
        return answer.json()

    async def upload(self, campaign_id: str, data: bytes) -> Any:
        """Upload a roster; the preview."""
        answer = await self.door.post(
            f"/v1/campaigns/{campaign_id}/imports",
            files={"file": ("名单.xlsx", data)},
            headers=self.token("registrar"),
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def rows(self, query: str) -> list[dict[str, Any]]:
        """Rows of the service's own tables."""
        async with self.database.read() as tx:
            return [dict(row) for row in (await tx.exec_driver_sql(query)).mappings()]


@pytest.fixture
async def roster(fresh_database: Callable[..., str]) -> AsyncIterator[Roster]:
    """Roster with an empty database. Nothing is relayed: its events are read in its outbox."""
    given = settings.Settings(
        port=0,
        database_url=SecretStr(fresh_database("roster")),
        amqp_url=SecretStr("amqp://nobody@127.0.0.1:1/"),
        auth_public_key=PUBLIC,
        vault_key=SecretStr("11" * 32),
        index_key=SecretStr("22" * 32),
        code_key=SecretStr("33" * 32),
        words_key=SecretStr("44" * 32),
    )
    service = app.build(given)
    database = db.Database(given.database_url.get_secret_value(), "roster")
    unit = db.Unit(database, app.working(clock.SystemClock(), app.keys(given), words.of(given, "roster")))
    transport = httpx.ASGITransport(app=service.web)
    async with httpx.AsyncClient(transport=transport, base_url="http://roster") as door:
        yield Roster(door, unit, database, given)
    await database.close()
    for act in service.stop:
        await act()
