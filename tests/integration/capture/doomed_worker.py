"""A worker that inspects until it is killed: run as a module with the addresses of database and object store."""

import asyncio
import sys

from kit import clock, db, words
from services.capture import app
from services.capture.domain import photos
from services.capture.handlers import inspection
from services.capture.store import images

LEASE_S = 0.5
STEP_S = 0.05


class Slow:
    """Takes its time over each image, so that a kill finds it at work."""

    async def inspect(self, original: bytes, profile: str, *, compose_refused: bool) -> photos.Inspection:
        await asyncio.sleep(STEP_S)
        return photos.Inspection("accept", (), profile, b"composed " + original)


async def work(database_url: str, s3_url: str) -> None:
    """Inspect for ever, two photos at a time."""
    unit = db.Unit(
        db.Database(database_url, "capture"),
        app.working(clock.SystemClock(), bytes(32), words.Words({"v1": bytes(32)}, "v1", "capture")),
    )
    objects = images.Objects(s3_url)

    async def inspect() -> None:
        while True:
            if not await inspection.inspect_next(unit, objects, Slow(), LEASE_S):
                await asyncio.sleep(STEP_S)

    print("working", flush=True)  # noqa: T201 - the test waits for this line
    await asyncio.gather(inspect(), inspect())


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
