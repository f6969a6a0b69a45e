"""The fault matrix's row of kill -9, in its short form: desks that are killed at random, before the real capture."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from cli.demo import doors
from cli.faults import agents, command, hall, kills
from cli.stack.stack import Stack
from kit import db
from services.capture.store import images
from tests.integration.capture.conftest import CODE_KEY, Capture, FreshDatabase, Hands
from tests.integration.capture.served import Served, serving

#: The desks of the trial and its control's; a student for each life, and some more.
DESKS, STUDENTS = 6, command.SHORT_KILLS + 30


class Today(Hands):
    """A clock that goes by itself, as the agents' do."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Parts:
    """Capture's door and the store, as a stack names them: all that a hall asks of it."""

    served: Served
    s3_url: str

    def url(self, service: str) -> str:
        return {"capture": self.served.url}[service]

    def urls(self) -> dict[str, str]:
        return {"S3_URL": self.s3_url}

    def now(self) -> float:
        return time.time()


@pytest.fixture
async def place(fresh_database: FreshDatabase, s3_url: str, tmp_path: Path) -> AsyncIterator[hall.Hall]:
    """A hall whose capture has heard of a campaign with a student for each life of an agent."""
    kept = images.Objects(s3_url)
    await kept.ensure_bucket()
    database = db.Database(fresh_database("capture"), "capture", pool_size=20)
    capture = Capture(database, kept, Today())
    await capture.open()
    told = hall.Campaign(DESKS, STUDENTS, CODE_KEY, capture.clock.now())
    for event in told.events():
        await capture.hear(event)
    async with serving(capture) as served:
        made = hall.Hall(
            stack=cast(Stack, Parts(served, s3_url)),
            folder=tmp_path,
            nursery=await asyncio.to_thread(agents.Nursery.open),
            desk_ids=told.desk_ids,
            student_ids=told.student_ids,
            campaign_id=told.campaign_id,
            capture=doors.Door(lambda: served.url, lambda: f"Bearer {served.token()}"),
            store=kept,
        )
        yield made
        await made.close()
    await database.close()


@pytest.mark.slow
async def test_fifty_kills_at_random_moments_lose_and_double_nothing(place: hall.Hall) -> None:
    """Each journalled frame is on the server once, hash-equal and its sitter's; an agent that spools nothing fails."""
    row = kills.row(command.SHORT_KILLS)
    assert row.trial is not None
    seen = await row.trial(place)
    assert seen.missing == []
    assert f"kill -9 × {command.SHORT_KILLS}" in seen.note
    assert seen.frames > 0
    assert seen.zh
    assert seen.control, "an agent that keeps frames in memory only was not found out"
