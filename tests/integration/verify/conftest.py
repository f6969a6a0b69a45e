"""Verify on a real database and object store, without bus: events come by the inbox's door, people by HTTP."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from gradphoto_contracts import capture, catalogue, roster
from gradphoto_contracts.envelope import Envelope, Event
from gradphoto_contracts.policy import ChsiPolicy, Cohort, FeePolicy, MakeupPolicy, Policy
from kit import auth, crypto, db, ids, inbox, objects, words
from services.verify import app, handlers, ports, store
from services.verify.domain import copies
from services.verify.handlers import deadlines
from services.verify.settings import Settings
from services.verify.store import archive
from tests.unit.verify import cases

CID = str(cases.CAMPAIGN)


@dataclass
class Watch:
    """A clock that the test sets."""

    moment: datetime = field(default_factory=lambda: cases.at("2017-05-27 10:00"))

    def now(self) -> datetime:
        return self.moment.astimezone(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class Verify:
    """The running service as tests reach it."""

    database: db.Database
    unit: db.Unit[ports.Work]
    client: httpx.AsyncClient
    private_pem: str
    url: str
    watch: Watch
    kept: objects.Objects
    archive: archive.Archive

    async def hear(self, *events: Event) -> None:
        for event in events:
            await self.dispatch(sealed(event))

    async def hear_at_once(self, envelopes: Iterable[Envelope]) -> None:
        await asyncio.gather(*map(self.dispatch, envelopes))

    async def dispatch(self, envelope: Envelope) -> None:
        await inbox.dispatcher(self.unit, catalogue.read, handlers.HEARS)([envelope])

    async def tick(self, moment: str) -> None:
        """Set the clock, and let the deadlines' ticker do what is due."""
        self.watch.moment = cases.at(moment)
        async with self.unit() as work:
            await deadlines.announce_near(work)
        while True:
            async with self.unit() as work:
                if not await deadlines.lapse_some(work):
                    return

    async def ask(
        self, method: str, path: str, body: Any = None, *, role: str = "registrar", scope: Any = None, file: Any = None
    ) -> httpx.Response:
        """One request by somebody with this role and scope; `file` is uploaded as a form."""
        token = auth.mint(self.private_pem, "tester", role, scope or {}, self.watch.now())
        files = None if file is None else {"file": ("result", file)}
        headers = {"Authorization": f"Bearer {token}"}
        return await self.client.request(method, path, json=body, files=files, headers=headers)

    async def states(self) -> dict[str, int]:
        found: dict[str, int] = (await self.ask("GET", f"/v1/campaigns/{CID}/summary")).json()["states"]
        return found

    async def said(self, kind: type[Event]) -> list[dict[str, Any]]:
        async with self.database.transaction() as tx:
            rows = await tx.execute(sa.select(store.OUTBOX.c.envelope).where(store.OUTBOX.c.type == kind.TYPE))
            return [row.envelope["data"] for row in rows]

    async def photograph(self, *places: int) -> None:
        """Pictures in the store and word of their acceptance."""
        for place in places:
            event = accepted(place)
            await self.kept.put(event.photo_key, picture(place), "image/jpeg")
            await self.hear(event)


def sealed(event: Event) -> Envelope:
    return Envelope.seal(event, id=ids.new(), source="test", time=datetime.now(UTC), correlation_id="test")


def student(place: int) -> UUID:
    return UUID(int=100 + place)


def capture_id(place: int) -> UUID:
    return UUID(int=1000 + place)


def picture(place: int) -> bytes:
    return b"\xff\xd8" + str(place).encode() * 500


def opened(of: copies.Campaign, version: int = 1) -> roster.CampaignOpenedV1:
    return opened_with(of.chsi, of.makeup, version)


def opened_with(chsi: ChsiPolicy, makeup: MakeupPolicy, version: int = 1) -> roster.CampaignOpenedV1:
    policy = Policy(
        identity_mode="id_card",
        cohorts=(Cohort(code="current", title_zh="应届", title_en="current"),),
        fee=FeePolicy(mode="school_pays", amount_fen=1500),
        chsi=chsi,
        makeup=makeup,
    )
    return roster.CampaignOpenedV1(
        version=version,
        campaign_id=cases.CAMPAIGN,
        code="sntcm-2018",
        title_zh="2018届",
        school_code="10716",
        graduation_year=2018,
        campuses=(),
        policy=policy,
    )


def registered() -> roster.ClassRegisteredV1:
    return roster.ClassRegisteredV1(
        version=1,
        class_id=cases.CLASS,
        campaign_id=cases.CAMPAIGN,
        campus_id=UUID(int=5),
        college_zh="中医系",
        label="中医本1301",
        headcount=10,
    )


def enrolled(place: int) -> roster.StudentEnrolledV1:
    return roster.StudentEnrolledV1(
        version=1,
        student_id=student(place),
        campaign_id=cases.CAMPAIGN,
        class_id=cases.CLASS,
        campus_id=UUID(int=5),
        cohort="current",
        eligible=True,
        ordinal=place + 1,
    )


def accepted(photo: int, place: int | None = None, version: int = 1) -> capture.PhotoAcceptedV1:
    return capture.PhotoAcceptedV1(
        version=version,
        capture_id=capture_id(photo),
        campaign_id=cases.CAMPAIGN,
        student_id=student(photo if place is None else place),
        class_id=cases.CLASS,
        desk_id=UUID(int=6),
        photo_key=f"photos/{CID}/{capture_id(photo)}.jpg",
        photo_sha256=hashlib.sha256(picture(photo)).hexdigest(),
        profile="chsi-2017-99",
        shutter_at=cases.at("2017-05-27 10:00"),
    )


def withdrawn(photo: int, version: int = 2) -> capture.PhotoWithdrawnV1:
    told = accepted(photo).model_dump(include={"capture_id", "campaign_id", "student_id", "class_id", "desk_id"})
    return capture.PhotoWithdrawnV1(**told, version=version, reason="错位")


def results(*rows: Sequence[object], encoding: str = "utf-8-sig") -> bytes:
    """A result file as CHSI's are."""
    lines = [("图像编号", "结果", "原因"), *rows]
    return "\r\n".join(",".join(map(str, line)) for line in lines).encode(encoding)


@pytest.fixture
async def verify(fresh_database: Callable[..., str], s3_url: str, tmp_path: Path) -> AsyncIterator[Verify]:
    """Verify over a fresh database, on the eve of nothing."""
    url = fresh_database("verify")
    private_pem, public_pem = crypto.new_key()
    watch = Watch()
    settings = Settings(
        port=0,
        database_url=SecretStr(url),
        amqp_url=SecretStr("amqp://nowhere.invalid"),
        s3_url=SecretStr(s3_url),
        auth_public_key=public_pem,
        words_key=SecretStr("44" * 32),
    )
    database = db.Database(url, "verify", pool_size=20)
    unit = db.Unit(database, app.working(watch, words.of(settings, "verify")))
    kept = objects.Objects(s3_url)
    await kept.ensure_bucket()
    web = app.doors(settings, watch, unit, kept, database)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://verify") as client:
        yield Verify(database, unit, client, private_pem, url, watch, kept, archive.Archive(kept))
    await database.close()
