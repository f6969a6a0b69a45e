"""Billing wired together: which adapter stands behind which port."""

import functools
from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import catalogue
from kit import auth, bus, clock, db, ids, inbox, metrics, outbox, process, topology, web
from services.billing import api, handlers, ports, store
from services.billing.settings import Settings
from services.billing.store import accounts, charges, copies, ledger, payments, vouchers

OPEN_FEN = metrics.gauge("gradphoto_billing_open_fen", "Owed and not yet paid, in fen", ["campaign"])
DISCREPANCIES = metrics.gauge(
    "gradphoto_billing_discrepancies", "Payers whose paid heads are not their photographed heads", ["campaign"]
)
#: Real seconds between two looks at the books for the gauges.
_LOOK_S = 5.0


def build(settings: Settings) -> process.Service:
    """The whole service. Nothing runs before `process.main` starts it."""
    time = clock.clock_for(settings)
    database = db.Database(settings.database_url.get_secret_value(), "billing")
    unit = db.Unit(database, working(time))
    amqp_url = settings.amqp_url.get_secret_value()
    publisher = bus.Publisher(amqp_url)
    relay = outbox.Relay(database, store.OUTBOX, publisher, "billing")
    dispatch = inbox.dispatcher(unit, catalogue.read, handlers.HEARS)
    consumer = bus.Consumer(amqp_url, "billing", dispatch, bindings=catalogue.bindings()["billing"])
    return process.Service(
        name="billing",
        web=web.application(
            settings,
            title="gradphoto billing",
            clock=time,
            verifier=auth.TokenVerifier(settings.auth_public_key, time),
            routers=[api.router(unit)],
            readiness=_readiness(database),
        ),
        background=[relay.run, consumer.run, process.ticker("books", _LOOK_S, clock.SystemClock(), _measure(unit))],
        start=[functools.partial(topology.declare, amqp_url, catalogue.bindings())],
        stop=[publisher.close, database.close],
    )


def working(time: clock.Clock) -> Callable[[AsyncConnection], ports.Work]:
    """What builds the unit of work over one transaction."""

    def build_work(tx: AsyncConnection) -> ports.Work:
        now = time.now()
        return ports.Work(
            campaigns=copies.Campaigns(tx, now),
            classes=copies.Classes(tx, now),
            students=copies.Students(tx, now),
            photos=copies.Photos(tx, now),
            charges=charges.Charges(tx, now),
            accounts=accounts.Accounts(tx, now),
            ledger=ledger.Ledger(tx, now),
            payments=payments.Payments(tx, now),
            vouchers=vouchers.Vouchers(tx, now),
            refunds=payments.Refunds(tx, now),
            receipts=payments.Receipts(tx, now),
            settlements=accounts.Settlements(tx, now),
            numbers=payments.Numbers(tx, now),
            events=outbox.Outbox(tx, store.OUTBOX, "billing", now, ids.new),
            inbox=inbox.Inbox(tx, store.INBOX),
            now=now,
            new_id=ids.new,
        )

    return build_work


def _readiness(database: db.Database) -> Callable[[], Awaitable[dict[str, bool]]]:
    async def ready() -> dict[str, bool]:
        return {"database": await database.ready()}

    return ready


def _measure(unit: ports.Unit) -> Callable[[], Awaitable[None]]:
    async def measure() -> None:
        async with unit() as work:
            for campaign in await work.campaigns.all():
                accounts = await work.accounts.of(campaign.campaign_id)
                OPEN_FEN.labels(campaign=campaign.code).set(sum(account.open_fen for account in accounts))
                DISCREPANCIES.labels(campaign=campaign.code).set(sum(account.found is not None for account in accounts))

    return measure
