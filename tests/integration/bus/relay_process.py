"""A relay as a process of its own, so that a test can kill it: `python -m … DATABASE_URL AMQP_URL`."""

import asyncio
import sys

from kit import bus, db, outbox
from tests.integration.bus import things


async def main(database_url: str, amqp_url: str) -> None:
    database = db.Database(database_url, things.SCHEMA)
    await outbox.Relay(database, things.OUTBOX, bus.Publisher(amqp_url), things.SCHEMA).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
