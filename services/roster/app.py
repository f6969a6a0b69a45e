"""Roster wired together: which adapter stands behind which port."""

import functools
from collections.abc import Awaitable, Callable
from datetime import timedelta

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import catalogue
from kit import auth, bus, clock, db, ids, inbox, outbox, process, topology, web, words
from services.roster import api, handlers, ports, store
from services.roster.settings import Settings
from services.roster.store import campaigns, codes, imports, listings, students, vault

#: An upload that nobody applied is forgotten after this time, and its encrypted rows with it.
PREVIEW_KEPT = timedelta(hours=24)
_SWEEP_SECONDS = 600.0


def build(settings: Settings) -> process.Service:
    """The whole service. Nothing runs before `process.main` starts it."""
    time = clock.clock_for(settings)
    database = db.Database(settings.database_url.get_secret_value(), "roster")
    unit = db.Unit(database, working(time, keys(settings), words.of(settings, "roster")))
    amqp_url = settings.amqp_url.get_secret_value()
    publisher = bus.Publisher(amqp_url)
    relay = outbox.Relay(database, store.OUTBOX, publisher, "roster")
    dispatch = inbox.dispatcher(unit, catalogue.read, handlers.HEARS)
    consumer = bus.Consumer(amqp_url, "roster", dispatch, bindings=catalogue.bindings()["roster"])
    return process.Service(
        name="roster",
        web=web.application(
            settings,
            title="gradphoto roster",
            clock=time,
            verifier=auth.TokenVerifier(settings.auth_public_key, time),
            routers=[api.router(unit)],
            readiness=_readiness(database),
        ),
        background=[relay.run, consumer.run, process.ticker("previews", _SWEEP_SECONDS, time, _sweep(unit))],
        start=[functools.partial(topology.declare, amqp_url, catalogue.bindings())],
        stop=[publisher.close, database.close],
    )


def working(time: clock.Clock, safe: vault.Vault, said: words.Words) -> Callable[[AsyncConnection], ports.Work]:
    """What builds the unit of work over one transaction."""

    def build_work(tx: AsyncConnection) -> ports.Work:
        now = time.now()
        return ports.Work(
            campaigns=campaigns.Campaigns(tx),
            imports=imports.Imports(tx),
            students=students.Students(tx, said),
            codes=codes.Codes(tx),
            photos=codes.Photos(tx),
            reveals=listings.Reveals(tx, said),
            listings=listings.Listings(tx, said),
            vault=safe,
            events=outbox.Outbox(tx, store.OUTBOX, "roster", now, ids.new),
            inbox=inbox.Inbox(tx, store.INBOX),
            now=now,
            new_id=ids.new,
        )

    return build_work


def keys(settings: Settings) -> vault.Vault:
    """The vault under the keys of the settings."""
    retired = {key_id: _bytes(key) for key_id, key in settings.vault_retired_keys.items()}
    current = settings.vault_key_id
    sealing = {**retired, current: _bytes(settings.vault_key)}
    return vault.Vault(sealing, current, _bytes(settings.index_key), _bytes(settings.code_key))


def _readiness(database: db.Database) -> Callable[[], Awaitable[dict[str, bool]]]:
    async def ready() -> dict[str, bool]:
        return {"database": await database.ready()}

    return ready


def _sweep(unit: db.Unit[ports.Work]) -> Callable[[], Awaitable[None]]:
    async def sweep() -> None:
        async with unit() as work:
            await work.imports.drop_before(work.now - PREVIEW_KEPT)

    return sweep


def _bytes(key: SecretStr) -> bytes:
    return bytes.fromhex(key.get_secret_value())
