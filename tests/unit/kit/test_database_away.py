"""A database that is there and takes nobody in: what the inbox makes of its answers. The server is a few bytes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa

from gradphoto_contracts.envelope import Envelope, Event
from kit import db, errors, ids, inbox


class ThingHappenedV1(Event):
    """Something happened."""

    TYPE: ClassVar[str] = "things.thing.happened.v1"
    KEY: ClassVar[str] = "thing"

    thing: str


@asynccontextmanager
async def refusing(sqlstate: str) -> AsyncIterator[db.Database]:
    """A database that answers each start of a session with this error."""
    told = f"SFATAL\0VFATAL\0C{sqlstate}\0Mnot now\0\0".encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"E" + (len(told) + 4).to_bytes(4, "big") + told)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    database = db.Database(f"postgresql://u:p@127.0.0.1:{port}/x?ssl=disable", "things")
    try:
        yield database
    finally:
        await database.close()
        server.close()
        await server.wait_closed()


class _Work:
    """A unit of work whose transaction cannot begin, so that nothing of it is ever asked."""

    class inbox:  # noqa: N801 - the name that the dispatcher asks for
        @staticmethod
        async def unseen(event_ids: Sequence[Any]) -> set[Any]:
            return set(event_ids)


async def _dispatch(database: db.Database) -> None:
    def read(type_: str, data: dict[str, Any]) -> Event:
        return ThingHappenedV1.model_validate(data)

    async def nothing(_work: Any, _event: Any) -> None:
        return

    unit: Any = db.Unit(database, lambda _tx: _Work())
    event = ThingHappenedV1(thing="one", version=1)
    said = Envelope.seal(event, id=ids.new(), source="things", time=datetime.now(UTC), correlation_id="test")
    await inbox.dispatcher(unit, read, {ThingHappenedV1: nothing})([said])


@pytest.mark.parametrize("sqlstate", ["57P03", "57P01", "53300", "08006"])
async def test_a_server_that_recovers_or_is_full_is_no_fault_of_the_event(sqlstate: str) -> None:
    """Recovery after a crash, shutdown, too many connections: the event waits as long as for one that is away."""
    async with refusing(sqlstate) as database:
        with pytest.raises(errors.Unavailable, match="database-unavailable"):
            await _dispatch(database)


async def test_a_wrong_password_is_a_fault() -> None:
    """What waiting does not mend is told as it is, and counted as unexpected."""
    async with refusing("28P01") as database:
        with pytest.raises(sa.exc.DBAPIError):
            await _dispatch(database)
