"""Capture wired together: which adapter stands behind which port."""

import functools
import os
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import catalogue
from gradphoto_contracts import ids as contract_ids
from kit import (
    auth,
    boxes,
    bus,
    clock,
    crypto,
    db,
    documents,
    errors,
    ids,
    inbox,
    logs,
    outbox,
    process,
    topology,
    web,
    words,
)
from services.capture import api, handlers, ports, store
from services.capture.domain import packs as pack_domain
from services.capture.domain import stations
from services.capture.handlers import audit, inspection, measures
from services.capture.handlers import floor as floor_acts
from services.capture.handlers import seals as seal_acts
from services.capture.handlers import stations as station_acts
from services.capture.settings import Settings
from services.capture.store import audits as audit_store
from services.capture.store import (
    consents,
    desk,
    doubles,
    figures,
    floor,
    images,
    packs,
    photos,
    ranges,
    reports,
    views,
)

#: Real seconds between two looks, whatever a simulated clock does.
_LOOK_S = 2.0
_AUDIT_LOOK_S = 15.0


def build(settings: Settings) -> process.Service:
    """The whole service. Nothing runs before `process.main` starts it."""
    time = clock.clock_for(settings)
    database = db.Database(settings.database_url.get_secret_value(), "capture")
    unit = db.Unit(
        database, working(time, bytes.fromhex(settings.code_key.get_secret_value()), words.of(settings, "capture"))
    )
    kept = _objects(settings)
    amqp_url = settings.amqp_url.get_secret_value()
    publisher = bus.Publisher(amqp_url)
    relay = outbox.Relay(database, store.OUTBOX, publisher, "capture")
    dispatch = inbox.dispatcher(unit, catalogue.read, handlers.HEARS)
    consumer = bus.Consumer(amqp_url, "capture", dispatch, bindings=catalogue.bindings()["capture"])
    return process.Service(
        name="capture",
        web=web.application(
            settings,
            title="gradphoto capture",
            clock=time,
            verifier=auth.TokenVerifier(settings.auth_public_key, time),
            routers=[api.router(unit, kept, time)],
            readiness=_readiness(database, kept),
        ),
        background=[
            relay.run,
            consumer.run,
            *inspectors(settings, unit, kept),
            *auditors(settings, unit, kept),
            process.ticker("stations", _LOOK_S, clock.SystemClock(), _watch(unit, settings.station_lost_after_s)),
            process.ticker("waiting", _LOOK_S, clock.SystemClock(), _resolve(unit)),
        ],
        start=[
            kept.ensure_bucket,
            functools.partial(_say_what_the_store_can, kept),
            functools.partial(topology.declare, amqp_url, catalogue.bindings()),
        ],
        stop=[publisher.close, database.close],
    )


def working(time: clock.Clock, code_key: bytes, said: words.Words) -> Callable[[AsyncConnection], ports.Work]:
    """What builds the unit of work over one transaction."""
    mark_key = crypto.derive(code_key, "words")
    enrolment_key = crypto.derive(code_key, "enrolment")
    pack_private, pack_public = crypto.signing_pair(code_key, "desk-pack")
    seal_stamp = auth.Stamp(pack_private, documents.COUNTERSIGN)
    receipt_stamp = auth.Stamp(pack_private, documents.RECEIPT)
    recovery = boxes.Opener(crypto.derive(code_key, "recovery"))
    pack_stamp = auth.Stamp(pack_private, pack_domain.SIGNED_AS)
    hall_stamp = auth.Stamp(pack_private, "gradphoto-hall-list")

    def build_work(tx: AsyncConnection) -> ports.Work:
        now = time.now()
        return ports.Work(
            floor=floor.Floor(tx),
            stations=desk.Stations(tx),
            checkins=desk.Checkins(tx, said),
            consents=consents.Consents(tx),
            photos=photos.Photos(tx, said),
            ranges=ranges.Ranges(tx, said),
            doubles=doubles.Doubles(tx),
            sessions=desk.Sessions(tx, said),
            audits=audit_store.Audits(tx),
            packs=packs.Packs(tx),
            reports=reports.Reports(tx, said),
            views=views.Views(tx),
            figures=figures.Figures(tx),
            events=outbox.Outbox(tx, store.OUTBOX, "capture", now, ids.new),
            inbox=inbox.Inbox(tx, store.INBOX),
            now=now,
            new_id=ids.new,
            new_code=_new_code,
            code_index=lambda code: crypto.blind_index(enrolment_key, code),
            mark=lambda said, key: crypto.blind_index(mark_key, f"{key}\0{said}").hex(),
            campaign_code_key=lambda campaign: _code_key(code_key, campaign),
            sign_pack=pack_stamp.sign,
            pack_key=pack_public,
            countersign=seal_stamp.sign,
            sign_receipt=receipt_stamp.sign,
            recovery_key=recovery.public,
            open_box=functools.partial(_open_box, recovery),
            sign_hall=hall_stamp.sign,
        )

    return build_work


def inspectors(settings: Settings, unit: ports.Unit, kept: ports.Objects) -> list[Callable[[], Awaitable[None]]]:
    """The authority's workers: one a core unless told otherwise."""
    at_once = settings.inspectors or os.cpu_count() or 1
    inspector = images.Inspector(max(at_once, 1))

    async def inspector_loop() -> None:
        await inspection.inspect_all(unit, kept, inspector)

    return [inspector_loop] * max(at_once, 0)


def auditors(settings: Settings, unit: ports.Unit, kept: ports.Objects) -> list[Callable[[], Awaitable[None]]]:
    """Who audits, one at a time beside the inspectors, and what asks for an audit when one is due."""
    decoder = images.Inspector(1)

    async def audit_loop() -> None:
        await audit.audit_all(unit, kept, decoder)

    async def look() -> None:
        async with unit() as work:
            if settings.audit_every_hours:
                await audit.start_due(work, timedelta(hours=settings.audit_every_hours))
            await audit.show_audits(work)
            await inspection.show_lost(work)

    return [audit_loop, process.ticker("audits", _AUDIT_LOOK_S, clock.SystemClock(), look)]


def _objects(settings: Settings) -> images.Objects:
    if settings.s3_url is None:
        raise SystemExit("采集服务需要 GRADPHOTO_S3_URL。 · Capture needs GRADPHOTO_S3_URL.")
    held = timedelta(days=settings.originals_held_days)
    return images.Objects(settings.s3_url.get_secret_value(), settings.s3_public_url, held=held)


async def _say_what_the_store_can(kept: images.Objects) -> None:
    """What the store can do is said once, at the start."""
    locked = await kept.locks()
    measures.LOCKED.set(int(locked))
    encrypts = await kept.encrypts()
    measures.ENCRYPTED.set(int(encrypts))
    for event, available in (("capture.object-lock", locked), ("capture.encryption-at-rest", encrypts)):
        (logs.get().info if available else logs.get().warning)(event, available=available)


def _open_box(recovery: boxes.Opener, box: str, recipient: str, station_id: UUID) -> str:
    purpose = documents.keys_of(station_id)
    try:
        return boxes.close(recipient, recovery.open(box, purpose), purpose)
    except (crypto.Tampered, ValueError):
        raise errors.Invalid("import-keys-unreadable") from None


def _new_code() -> str:
    return "".join(secrets.choice(stations.CODE_ALPHABET) for _ in range(stations.CODE_LENGTH))


def _code_key(master: bytes, campaign_id: contract_ids.CampaignId) -> str:
    return crypto.campaign_code_key(master, campaign_id).hex()


def _watch(unit: ports.Unit, lost_after_s: float) -> Callable[[], Awaitable[None]]:
    async def watch() -> None:
        async with unit() as work:
            await station_acts.mark_lost_stations(work, lost_after_s)
            await station_acts.show_plan(work)
            await station_acts.show_fleet(work)
            await seal_acts.show_refused(work)

    return watch


def _resolve(unit: ports.Unit) -> Callable[[], Awaitable[None]]:
    async def resolve() -> None:
        async with unit() as work:
            await floor_acts.resolve_waiting(work)

    return resolve


def _readiness(database: db.Database, kept: images.Objects) -> Callable[[], Awaitable[dict[str, bool]]]:
    async def ready() -> dict[str, bool]:
        return {"database": await database.ready(), "objects": await kept.ready()}

    return ready
