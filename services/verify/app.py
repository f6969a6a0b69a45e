"""Verify wired together: which adapter stands behind which port."""

import functools
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import catalogue
from kit import auth, bus, clock, db, ids, inbox, metrics, objects, outbox, process, topology, web, words
from services.verify import api, handlers, ports, store
from services.verify.domain import journey
from services.verify.handlers import deadlines, deliveries
from services.verify.settings import Settings
from services.verify.store import archive, batches, cases, copies

CASES = metrics.gauge("gradphoto_verify_cases", "Students by the state of their case", ["campaign", "state"])
OVERDUE = metrics.gauge("gradphoto_verify_overdue", "Students whose deadline has passed without outcome", ["campaign"])
#: Real seconds between two looks, whatever a simulated clock does.
_LOOK_S = 1.0
_MEASURE_S = 5.0
_RESUME_S = 30.0


def build(settings: Settings) -> process.Service:
    """The whole service. Nothing runs before `process.main` starts it."""
    time = clock.clock_for(settings)
    database = db.Database(settings.database_url.get_secret_value(), "verify")
    unit = db.Unit(database, working(time, words.of(settings, "verify")))
    kept = _objects(settings)
    packed = archive.Archive(kept)
    amqp_url = settings.amqp_url.get_secret_value()
    publisher = bus.Publisher(amqp_url)
    relay = outbox.Relay(database, store.OUTBOX, publisher, "verify")
    dispatch = inbox.dispatcher(unit, catalogue.read, handlers.HEARS)
    consumer = bus.Consumer(amqp_url, "verify", dispatch, bindings=catalogue.bindings()["verify"])
    real = clock.SystemClock()
    return process.Service(
        name="verify",
        web=doors(settings, time, unit, kept, database),
        background=[
            relay.run,
            consumer.run,
            process.ticker("deadlines", _LOOK_S, real, _tick(unit)),
            process.ticker("cases", _MEASURE_S, real, _measure(unit)),
            process.ticker("batches", _RESUME_S, real, _resume(unit, packed)),
        ],
        start=[kept.ensure_bucket, functools.partial(topology.declare, amqp_url, catalogue.bindings())],
        stop=[publisher.close, database.close],
    )


def doors(
    settings: Settings, time: clock.Clock, unit: ports.Unit, kept: objects.Objects, database: db.Database
) -> FastAPI:
    """The web door alone."""
    return web.application(
        settings,
        title="gradphoto verify",
        clock=time,
        verifier=auth.TokenVerifier(settings.auth_public_key, time),
        routers=[api.router(unit, archive.Archive(kept), kept)],
        readiness=_readiness(database, kept),
    )


def working(time: clock.Clock, said: words.Words) -> Callable[[AsyncConnection], ports.Work]:
    """What builds the unit of work over one transaction."""

    def build_work(tx: AsyncConnection) -> ports.Work:
        now = time.now()
        return ports.Work(
            campaigns=copies.Campaigns(tx, now),
            classes=copies.Classes(tx, now),
            photos=copies.Photos(tx, now),
            cases=cases.Cases(tx, now),
            outcomes=cases.Outcomes(tx, now),
            announcements=cases.Announcements(tx, now),
            batches=batches.Batches(tx, now, said),
            results=batches.Results(tx, now),
            views=batches.Views(tx, now),
            events=outbox.Outbox(tx, store.OUTBOX, "verify", now, ids.new),
            inbox=inbox.Inbox(tx, store.INBOX),
            now=now,
            new_id=ids.new,
        )

    return build_work


def _objects(settings: Settings) -> objects.Objects:
    if settings.s3_url is None:
        raise SystemExit("校对服务需要 GRADPHOTO_S3_URL。 · Verify needs GRADPHOTO_S3_URL.")
    return objects.Objects(settings.s3_url.get_secret_value(), settings.s3_public_url)


def _readiness(database: db.Database, kept: objects.Objects) -> Callable[[], Awaitable[dict[str, bool]]]:
    async def ready() -> dict[str, bool]:
        return {"database": await database.ready(), "objects": await kept.ready()}

    return ready


def _tick(unit: ports.Unit) -> Callable[[], Awaitable[None]]:
    async def tick() -> None:
        async with unit() as work:
            await deadlines.announce_near(work)
        while True:
            async with unit() as work:
                if not await deadlines.lapse_some(work):
                    return

    return tick


def _measure(unit: ports.Unit) -> Callable[[], Awaitable[None]]:
    async def measure() -> None:
        async with unit() as work:
            for campaign in await work.campaigns.all():
                counts = await work.cases.counts(campaign.campaign_id, ports.Within())
                for state in journey.STATES:
                    CASES.labels(campaign=campaign.code, state=state).set(counts.get(state, 0))
                waiting = await work.cases.waiting(campaign.campaign_id)
                late = sum(w.students for w in waiting if w.due_at is not None and w.due_at <= work.now)
                OVERDUE.labels(campaign=campaign.code).set(late)

    return measure


def _resume(unit: ports.Unit, packed: ports.Archive) -> Callable[[], Awaitable[None]]:
    async def resume() -> None:
        await deliveries.resume_batches(unit, packed)

    return resume
