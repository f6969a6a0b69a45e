"""Scheduler over HTTP, on a real database of its own, with a clock that a test sets."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from gradphoto_contracts import catalogue
from gradphoto_contracts.envelope import Envelope, Event
from kit import auth, clock, crypto, db, inbox
from services.scheduler import app, handlers, settings
from services.scheduler.ports import Work

PRIVATE, PUBLIC = crypto.new_key()
#: 09:00 in China.
MORNING = datetime(2030, 5, 27, 1, 0, tzinfo=UTC)


class SetClock:
    """Sets the clock that the service follows: it stands still until it is set again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.set(MORNING - timedelta(days=1))

    def set(self, at: datetime) -> None:
        self.at = at
        self._path.write_text(json.dumps({"real_epoch": 0, "simulated_epoch": at.timestamp(), "speed": 0}))


@dataclass(frozen=True)
class Scheduler:
    """The service under test: its door, its unit of work, its database, its clock."""

    door: httpx.AsyncClient
    unit: db.Unit[Work]
    database: db.Database
    time: SetClock

    def token(self, role: str, **scope: list[str]) -> dict[str, str]:
        """Headers of a person of that role."""
        minted = auth.mint(PRIVATE, f"{role}-1", role, scope, self.time.at)
        return {"authorization": f"Bearer {minted}"}

    async def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        """POST as the registrar; the answer, which must have that status."""
        answer = await self.door.post(path, json=body, headers=self.token("registrar"))
        assert answer.status_code == status, answer.text
        return answer.json()

    async def get(self, path: str, *, status: int = 200, headers: dict[str, str] | None = None) -> Any:
        """GET as the registrar, or as whom `headers` say."""
        answer = await self.door.get(path, headers=headers or self.token("registrar"))
        assert answer.status_code == status, answer.text
        return answer.json()

    async def tell(self, *events: Event) -> None:
        """Deliver events, each twice."""
        dispatch = inbox.dispatcher(self.unit, catalogue.read, handlers.HEARS)
        for event in events:
            envelope = Envelope.seal(event, id=uuid4(), source="x", time=MORNING, correlation_id="c")
            await dispatch([envelope])
            await dispatch([envelope])

    async def said(self, kind: str) -> list[dict[str, Any]]:
        """What was said of one kind (`slot.moved`), in order."""
        async with self.database.read() as tx:
            found = await tx.exec_driver_sql(
                f"select envelope->'data' as data from scheduler.outbox where type = 'scheduler.{kind}.v1' order by seq"
            )
            return [row.data for row in found]


@pytest.fixture
async def scheduler(fresh_database: Callable[..., str], tmp_path: Path) -> AsyncIterator[Scheduler]:
    """Scheduler with an empty database. Nothing is relayed: its events are read in its outbox."""
    time = SetClock(tmp_path / "clock.json")
    given = settings.Settings(
        deployment="embedded",
        clock_file=tmp_path / "clock.json",
        port=0,
        database_url=SecretStr(fresh_database("scheduler")),
        amqp_url=SecretStr("amqp://nobody@127.0.0.1:1/"),
        auth_public_key=PUBLIC,
    )
    service = app.build(given)
    database = db.Database(given.database_url.get_secret_value(), "scheduler")
    unit = db.Unit(database, app.working(clock.clock_for(given)))
    transport = httpx.ASGITransport(app=service.web)
    async with httpx.AsyncClient(transport=transport, base_url="http://scheduler") as door:
        yield Scheduler(door, unit, database, time)
    await database.close()
    for act in service.stop:
        await act()
