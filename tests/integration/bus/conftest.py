"""What the bus tests share: queues of their own on the common broker, a database with outbox and inbox."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from kit import db, topology
from tests.conftest import FreshDatabase
from tests.integration.bus import things

Declare = Callable[..., Awaitable[str]]
TTL_MS = (50, 100, 150)


@pytest.fixture
async def service(amqp_url: str) -> str:
    """A service of this test alone that hears a key of this test alone: `<service>.thing.happened.v1`."""
    name = things.name()
    await topology.declare(amqp_url, {name: [f"{name}.#"]}, retry_ttl_ms=TTL_MS)
    return name


@pytest.fixture
async def database(fresh_database: FreshDatabase) -> AsyncIterator[db.Database]:
    """A database with the tables of `things`."""
    url = await asyncio.to_thread(fresh_database, things.SCHEMA, migrated=False)
    opened = db.Database(url, things.SCHEMA)
    async with opened.transaction() as tx:
        await tx.run_sync(things.METADATA.create_all)
    yield opened
    await opened.close()
