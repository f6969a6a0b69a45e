"""A hall to try faults in: a real capture on the embedded stack, a campaign, and desks with real agents.

Capture alone is started: what roster and scheduler would have said of the campaign is said on the bus in their stead.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from cli.demo import doors
from cli.faults import agents, patience, proxy
from cli.stack.stack import Stack
from gradphoto_contracts import ids, roster, scheduler
from gradphoto_contracts.envelope import Envelope, Event
from gradphoto_contracts.policy import ChsiPolicy, Cohort, FeePolicy, MakeupPolicy, Policy, Window
from kit import bus, crypto, objects
from kit import ids as kit_ids

_POLICY = Policy(
    identity_mode="capture_code",
    cohorts=(Cohort(code="normal", title_zh="应届", title_en="this year's"),),
    fee=FeePolicy(mode="school_pays", amount_fen=1800),
    chsi=ChsiPolicy(proofreading=Window(opens_after_days=40, lasts_days=30), silence="deemed_correct"),
    makeup=MakeupPolicy(mode="none"),
)


@dataclass
class Line:
    """The two proxies of one desk: before capture, and before the object store."""

    api: proxy.Proxy
    store: proxy.Proxy

    @classmethod
    async def open(cls, api_url: str, store_url: str) -> "Line":
        """Both listen; capture's answers name the second one where they named the store."""
        store = proxy.Proxy(store_url, proxy.Weather())
        await store.start()
        api = proxy.Proxy(api_url, proxy.Weather(), lambda body: body.replace(store_url.encode(), store.url.encode()))
        await api.start()
        return cls(api, store)

    def calm(self) -> None:
        """All is well on both."""
        self.api.weather.calm()
        self.store.weather.calm()

    def plug(self, *, online: bool) -> None:
        """The Wi-Fi, there or gone."""
        for one in (self.api, self.store):
            one.weather.online = online
            if not online:
                one.cut_all()

    async def close(self) -> None:
        """Listen no more."""
        await self.api.close()
        await self.store.close()


@dataclass
class Hall:
    """One campaign in one hall. Every student has a code, `code-<n>`; every desk takes the next ones."""

    stack: Stack
    folder: Path
    nursery: agents.Nursery
    desk_ids: Sequence[ids.DeskId]
    student_ids: Sequence[ids.StudentId]
    campaign_id: ids.CampaignId
    capture: doors.Door
    store: objects.Objects
    _next_student: int = 0
    _next_desk: int = 0
    _desks: list[agents.Desk] = field(default_factory=list)

    def next_student(self) -> int:
        """The place of a student who has not come yet."""
        self._next_student += 1
        return self._next_student - 1

    @contextlib.asynccontextmanager
    async def desk(
        self,
        *,
        camera: str = "virtual",
        reader: str = "none",
        printer: str = "none",
        without: Sequence[str] = (),
        folder: Path | None = None,
        environment: dict[str, str] | None = None,
        start: bool = True,
    ) -> AsyncIterator[agents.Desk]:
        """A desk with its own line, enrolled and at work; ended and revoked, with its agent, when the block is."""
        number = self._next_desk
        self._next_desk += 1
        line = await Line.open(self.stack.url("capture"), _origin(self.stack.urls()["S3_URL"]))
        desk = agents.Desk(
            folder=folder or self.folder / f"desk-{number}",
            log=self.folder / f"desk-{number}.log",
            nursery=self.nursery,
            line=line,
            without=tuple(without),
            environment=dict(environment or {}),
            codes=len(self.student_ids),
        )
        try:
            body = {"campaign_id": str(self.campaign_id), "desk_id": str(self.desk_ids[number]), "label": f"D{number}"}
            invited = await self.capture.post_once_known("/v1/stations", body)
            desk.station_id = invited["station_id"]
            await desk.enrol(invited["enrolment_code"], camera=camera, reader=reader, printer=printer)
            if start:
                await desk.start()
            yield desk
        finally:
            await desk.close()
            await line.close()
            if desk.station_id:  # or the next row's desks would miss it in their hall
                await self.capture.post(f"/v1/stations/{desk.station_id}/revoke")

    async def listed(self, station_id: str) -> dict[str, dict[str, Any]]:
        """What capture says it has of a station: capture id → row."""
        return {row["capture_id"]: row for row in await self.rows() if row["station_id"] == station_id}

    async def rows(self) -> list[dict[str, Any]]:
        """Every row that capture has of the campaign, as it tells them."""
        return [row async for row in self.capture.pages(f"/v1/campaigns/{self.campaign_id}/captures")]

    async def close(self) -> None:
        """End the nursery and let go of connections; the stack is its owner's."""
        self.nursery.close()
        await self.capture.close()


async def set_up(stack: Stack, folder: Path, *, desks: int, students: int) -> Hall:
    """Tell the bus of a campaign, and return when capture knows it."""
    told = Campaign(desks, students, bytes.fromhex(stack.secrets().code_key), datetime.fromtimestamp(stack.now(), UTC))
    publisher = bus.Publisher(stack.urls()["AMQP_URL"], timeout_s=120)
    try:
        events = list(told.events())
        for start in range(0, len(events), 200):
            for outcome in await publisher.publish_window([_sealed(event) for event in events[start : start + 200]]):
                if outcome is not True:
                    raise RuntimeError(f"未能发布 not published: {outcome}")
    finally:
        await publisher.close()
    token = stack.token("crew_lead", hours=24)
    hall = Hall(
        stack=stack,
        folder=folder,
        nursery=await asyncio.to_thread(agents.Nursery.open),
        desk_ids=told.desk_ids,
        student_ids=told.student_ids,
        campaign_id=told.campaign_id,
        capture=doors.Door(lambda: stack.url("capture"), lambda: f"Bearer {token}"),
        store=objects.Objects(stack.urls()["S3_URL"]),
    )
    await patience.until("capture knows the students", lambda: _all_known(hall, students))
    return hall


async def _all_known(hall: Hall, students: int) -> bool:
    try:
        rows = [row async for row in hall.capture.pages(f"/v1/campaigns/{hall.campaign_id}/missing", limit=1000)]
    except doors.Refused:
        return False
    return len(rows) == students


class Campaign:
    """The events of a campaign with one class, in one room with many desks."""

    def __init__(self, desks: int, students: int, code_key: bytes, begins: datetime) -> None:
        self.campaign_id = ids.CampaignId(kit_ids.new())
        self.desk_ids = [ids.DeskId(kit_ids.new()) for _ in range(desks)]
        self.student_ids = [ids.StudentId(kit_ids.new()) for _ in range(students)]
        self._campus_id, self._class_id = ids.CampusId(kit_ids.new()), ids.ClassId(kit_ids.new())
        self._group_id, self._plan_id = ids.GroupId(kit_ids.new()), ids.PlanId(kit_ids.new())
        self._key = crypto.campaign_code_key(code_key, self.campaign_id)
        self._begins = begins

    def events(self) -> list[Event]:
        """In the order in which they would be said."""
        known = [self._student(place, student_id) for place, student_id in enumerate(self.student_ids)]
        codes = [self._code(place, student_id) for place, student_id in enumerate(self.student_ids)]
        return [self._opened(), self._class(), self._plan(), self._slot(), *known, *codes]

    def _opened(self) -> Event:
        return roster.CampaignOpenedV1(
            campaign_id=self.campaign_id,
            code=f"faults-{uuid4().hex[:8]}",
            title_zh="故障演练",
            school_code="10000",
            graduation_year=self._begins.year,
            campuses=(roster.Campus(campus_id=self._campus_id, code="hall", name_zh="体育馆"),),
            policy=_POLICY,
            version=1,
        )

    def _class(self) -> Event:
        return roster.ClassRegisteredV1(
            class_id=self._class_id,
            campaign_id=self.campaign_id,
            campus_id=self._campus_id,
            college_zh="演练学院",
            label="演练 1 班",
            headcount=len(self.student_ids),
            version=1,
        )

    def _plan(self) -> Event:
        group = scheduler.Group(
            group_id=self._group_id, code="D", campus_id=self._campus_id, site_zh="体育馆", room_zh="一层"
        )
        desks = [
            scheduler.Desk(
                desk_id=desk_id,
                group_id=self._group_id,
                campus_id=self._campus_id,
                code=f"D{number:02d}",
                planned_per_hour=350,
            )
            for number, desk_id in enumerate(self.desk_ids)
        ]
        return scheduler.PlanPublishedV1(
            plan_id=self._plan_id,
            campaign_id=self.campaign_id,
            revision=1,
            starts_at=self._begins,
            ends_at=self._begins + timedelta(hours=12),
            groups=(group,),
            desks=tuple(desks),
            version=1,
        )

    def _slot(self) -> Event:
        return scheduler.SlotAssignedV1(
            slot_id=ids.SlotId(kit_ids.new()),
            plan_id=self._plan_id,
            campaign_id=self.campaign_id,
            class_id=self._class_id,
            label_zh="演练 1 班",
            group_id=self._group_id,
            campus_id=self._campus_id,
            order_code="D1",
            starts_at=self._begins,
            ends_at=self._begins + timedelta(hours=12),
            version=1,
        )

    def _student(self, place: int, student_id: ids.StudentId) -> Event:
        return roster.StudentEnrolledV1(
            student_id=student_id,
            campaign_id=self.campaign_id,
            class_id=self._class_id,
            campus_id=self._campus_id,
            cohort="normal",
            eligible=True,
            ordinal=place + 1,
            version=1,
        )

    def _code(self, place: int, student_id: ids.StudentId) -> Event:
        digest = crypto.digest_with(self._key, "capture_code", f"code-{place}")
        return roster.CodeRegisteredV1(
            student_id=student_id, campaign_id=self.campaign_id, mode="capture_code", digest=digest, version=2
        )


def _sealed(event: Event) -> Envelope:
    source = event.TYPE.partition(".")[0]
    return Envelope.seal(event, id=kit_ids.new(), source=source, time=datetime.now(UTC), correlation_id="faults")


def _origin(s3_url: str) -> str:
    return f"http://{s3_url.rpartition('@')[2].partition('/')[0]}"
