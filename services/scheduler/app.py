"""Scheduler wired together: which adapter stands behind which port."""

import functools
from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import catalogue
from kit import auth, bus, clock, db, ids, inbox, outbox, process, topology, web
from services.scheduler import api, handlers, ports, store
from services.scheduler.handlers import missing
from services.scheduler.settings import Settings
from services.scheduler.store import absences, copies, plans

#: Real seconds between two looks for students who missed it, whatever a simulated clock does.
_LOOK_S = 1.0


def build(settings: Settings) -> process.Service:
    """The whole service. Nothing runs before `process.main` starts it."""
    time = clock.clock_for(settings)
    database = db.Database(settings.database_url.get_secret_value(), "scheduler")
    unit = db.Unit(database, working(time))
    amqp_url = settings.amqp_url.get_secret_value()
    publisher = bus.Publisher(amqp_url)
    relay = outbox.Relay(database, store.OUTBOX, publisher, "scheduler")
    dispatch = inbox.dispatcher(unit, catalogue.read, handlers.HEARS)
    consumer = bus.Consumer(amqp_url, "scheduler", dispatch, bindings=catalogue.bindings()["scheduler"])
    return process.Service(
        name="scheduler",
        web=web.application(
            settings,
            title="gradphoto scheduler",
            clock=time,
            verifier=auth.TokenVerifier(settings.auth_public_key, time),
            routers=[api.router(unit)],
            readiness=_readiness(database),
        ),
        background=[
            relay.run,
            consumer.run,
            process.ticker("missed", _LOOK_S, clock.SystemClock(), _find_missed(unit)),
        ],
        start=[functools.partial(topology.declare, amqp_url, catalogue.bindings())],
        stop=[publisher.close, database.close],
    )


def working(time: clock.Clock) -> Callable[[AsyncConnection], ports.Work]:
    """What builds the unit of work over one transaction."""

    def build_work(tx: AsyncConnection) -> ports.Work:
        now = time.now()
        return ports.Work(
            campaigns=copies.Campaigns(tx),
            people=copies.People(tx),
            plans=plans.Plans(tx),
            floor=plans.Floor(tx),
            absences=absences.Absences(tx),
            events=outbox.Outbox(tx, store.OUTBOX, "scheduler", now, ids.new),
            inbox=inbox.Inbox(tx, store.INBOX),
            now=now,
            new_id=ids.new,
        )

    return build_work


def _readiness(database: db.Database) -> Callable[[], Awaitable[dict[str, bool]]]:
    async def ready() -> dict[str, bool]:
        return {"database": await database.ready()}

    return ready


def _find_missed(unit: db.Unit[ports.Work]) -> Callable[[], Awaitable[None]]:
    async def find() -> None:
        async with unit() as work:
            await missing.find_missed(work)

    return find
