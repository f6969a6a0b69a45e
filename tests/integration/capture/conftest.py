"""Capture on the real database and object store; without the bus, since its outbox is what a test reads."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from gradphoto_contracts import ids, roster, scheduler
from gradphoto_contracts.envelope import Event
from gradphoto_contracts.policy import ChsiPolicy, Cohort, FeePolicy, MakeupPolicy, PhotoPolicy, Policy, Window
from kit import db, words
from kit import ids as kit_ids
from services.capture import app, handlers, ports, store
from services.capture.domain import audits, photos
from services.capture.handlers import audit
from services.capture.store import images

FreshDatabase = Callable[..., str]
CODE_KEY = bytes(range(32))
WORDS = words.Words({"v1": bytes(range(1, 33))}, "v1", "capture")


@dataclass
class Hands:
    """A clock that a test moves."""

    time: datetime = datetime(2024, 5, 20, 1, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


POLICY = Policy(
    identity_mode="capture_code",
    cohorts=(Cohort(code="normal", title_zh="应届", title_en="this year's"),),
    photo=PhotoPolicy(),
    fee=FeePolicy(mode="class_epay", amount_fen=1800),
    chsi=ChsiPolicy(proofreading=Window(opens_after_days=40, lasts_days=30), silence="deemed_correct"),
    makeup=MakeupPolicy(mode="none"),
)


@dataclass
class Capture:
    """The service's stores over a database of its own, and the campaign that it has heard of."""

    database: db.Database
    objects: images.Objects
    clock: Hands
    campaign_id: ids.CampaignId = field(default_factory=lambda: ids.CampaignId(kit_ids.new()))
    campus_id: ids.CampusId = field(default_factory=lambda: ids.CampusId(kit_ids.new()))
    class_id: ids.ClassId = field(default_factory=lambda: ids.ClassId(kit_ids.new()))
    group_id: ids.GroupId = field(default_factory=lambda: ids.GroupId(kit_ids.new()))
    desk_id: ids.DeskId = field(default_factory=lambda: ids.DeskId(kit_ids.new()))
    plan_id: ids.PlanId = field(default_factory=lambda: ids.PlanId(kit_ids.new()))

    def __post_init__(self) -> None:
        self.unit: db.Unit[ports.Work] = db.Unit(self.database, app.working(self.clock, CODE_KEY, WORDS))

    async def hear(self, event: Event) -> None:
        """Handle an event as the consumer would."""
        async with self.unit() as work:
            await handlers.HEARS[type(event)](work, event)

    async def rows(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
        async with self.database.read() as tx:
            return [dict(row) for row in (await tx.execute(sa.select(table).where(*where))).mappings()]

    async def said(self) -> list[str]:
        """The types of all events in the outbox, oldest first, without `capture.` and version."""
        rows = sorted(await self.rows(store.OUTBOX), key=lambda row: row["seq"])
        return [row["type"].removeprefix("capture.").removesuffix(".v1") for row in rows]

    async def audit(self, decoder: ports.Decoder | None = None) -> tuple[audits.Audit, list[tuple[str, str]]]:
        """Audit the campaign to its end; what it came to, and each finding's kind and key."""
        async with self.unit() as work:
            begun = await audit.start_audit(work, self.campaign_id, "somebody", decode=decoder is not None, grace_s=0)
        while await audit.audit_next(self.unit, self.objects, decoder or images.Inspector(1)):
            pass
        async with self.unit() as work:
            ended = await audit.audit_of(work, begun.audit_id)
            rows = await work.audits.findings(begun.audit_id, 0, 1000)
        assert ended.finished_at is not None
        return ended, sorted((row["kind"], row["object_key"]) for row in rows)

    async def open(self) -> None:
        """Hear of the campaign, its class and its plan."""
        campus = roster.Campus(campus_id=self.campus_id, code="boda", name_zh="博达")
        await self.hear(
            roster.CampaignOpenedV1(
                campaign_id=self.campaign_id,
                code="xj-2024",
                title_zh="新疆大学 2024",
                school_code="10755",
                graduation_year=2024,
                campuses=(campus,),
                policy=POLICY,
                version=1,
            )
        )
        await self.hear(self.class_registered(self.class_id, "软件 20-1"))
        await self.hear(self.plan())
        await self.hear(self.slot(self.class_id, "A1"))

    def class_registered(self, class_id: ids.ClassId, label: str) -> roster.ClassRegisteredV1:
        return roster.ClassRegisteredV1(
            class_id=class_id,
            campaign_id=self.campaign_id,
            campus_id=self.campus_id,
            college_zh="软件学院",
            label=label,
            headcount=30,
            version=1,
        )

    def plan(self, revision: int = 1, per_hour: int = 90) -> scheduler.PlanPublishedV1:
        group = scheduler.Group(
            group_id=self.group_id, code="A", campus_id=self.campus_id, site_zh="体育馆", room_zh="一层"
        )
        desk = scheduler.Desk(
            desk_id=self.desk_id, group_id=self.group_id, campus_id=self.campus_id, code="A1", planned_per_hour=per_hour
        )
        return scheduler.PlanPublishedV1(
            plan_id=self.plan_id,
            campaign_id=self.campaign_id,
            revision=revision,
            starts_at=self.clock.now(),
            ends_at=self.clock.now() + timedelta(hours=8),
            groups=(group,),
            desks=(desk,),
            version=revision,
        )

    def slot(self, class_id: ids.ClassId | None, order_code: str | None) -> scheduler.SlotAssignedV1:
        return scheduler.SlotAssignedV1(
            slot_id=ids.SlotId(kit_ids.new()),
            plan_id=self.plan_id,
            campaign_id=self.campaign_id,
            class_id=class_id,
            label_zh="软件 20-1",
            group_id=self.group_id,
            campus_id=self.campus_id,
            order_code=order_code,
            starts_at=self.clock.now(),
            ends_at=self.clock.now() + timedelta(minutes=15),
            version=1,
        )

    def student(self, student_id: ids.StudentId, ordinal: int = 1, version: int = 1) -> roster.StudentEnrolledV1:
        return roster.StudentEnrolledV1(
            student_id=student_id,
            campaign_id=self.campaign_id,
            class_id=self.class_id,
            campus_id=self.campus_id,
            cohort="normal",
            eligible=True,
            ordinal=ordinal,
            version=version,
        )

    async def enrol_student(self, ordinal: int = 1) -> ids.StudentId:
        student_id = ids.StudentId(kit_ids.new())
        await self.hear(self.student(student_id, ordinal))
        return student_id

    async def shoot(self, student_id: ids.StudentId | None, content: bytes = b"", **other: Any) -> photos.Shot:
        """A frame whose original has been uploaded."""
        capture_id = ids.CaptureId(kit_ids.new())
        original = content or f"frame {capture_id}".encode()
        digest = sha256(original).hexdigest()
        await self.objects.put(photos.original_key(self.campaign_id, digest), original, "image/jpeg")
        facts: dict[str, Any] = {
            "decision": "keep" if student_id else "unbound",
            "override_role": None,
            "override_mark": None,
            "desk_verdict": "accept",
            "desk_rules": (),
            "checkin_id": None,
            "ticket": None,
            "desk_id": self.desk_id,
            "station_id": ids.StationId(UUID(int=1)),
        }
        return photos.Shot(
            capture_id=capture_id,
            campaign_id=self.campaign_id,
            student_id=student_id,
            sha256=digest,
            size_bytes=len(original),
            shutter_at=self.clock.now(),
            camera_serial="V1",
            frame_counter=1,
            monotonic_ns=10**15,
            **(facts | other),
        )


@pytest.fixture
async def capture(fresh_database: FreshDatabase, s3_url: str) -> AsyncIterator[Capture]:
    """Capture with a campaign, a class, a plan with one desk, and no student."""
    kept = images.Objects(s3_url)
    await kept.ensure_bucket()
    database = db.Database(fresh_database("capture"), "capture", pool_size=20)
    whole = Capture(database, kept, Hands())
    await whole.open()
    yield whole
    await database.close()
