"""What goes in and out of scheduler's doors."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from kit import messages
from services.scheduler.domain import plans, wanted
from services.scheduler.handlers.moving import Reason
from services.scheduler.ports import Turnout

#: Letters alone: a desk's code is the group's and a number, and must not look like an order code of another group.
GroupCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,4}$")]


class Request(BaseModel):
    """A request; an undeclared field is refused."""

    model_config = ConfigDict(extra="forbid")


class GroupRequest(Request):
    """A group (组别). `announced_from`: when the notice says that it begins, to find where its timetable disagrees."""

    code: GroupCode
    campus_code: str
    site_zh: str = Field(max_length=100)
    room_zh: str = Field(max_length=100)
    desks: int = Field(ge=1, le=99)
    planned_per_hour: int = Field(ge=1, le=3600)
    announced_from: tuple[AwareDatetime, ...] = ()


class ClassRequest(Request):
    """A class in its turn."""

    label: str = Field(min_length=1, max_length=100)
    college_zh: str = Field(default="", max_length=100)
    order_code: str | None = Field(default=None, min_length=1, max_length=20)


class WindowRequest(Request):
    """A span of one group: classes in order, or whom it is delegated to."""

    group: GroupCode
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    classes: tuple[ClassRequest, ...] = ()
    delegated_zh: str = Field(default="", max_length=100)


class PlanRequest(Request):
    """A plan as a notice prints it."""

    groups: tuple[GroupRequest, ...] = Field(min_length=1)
    windows: tuple[WindowRequest, ...] = Field(min_length=1)

    def wanted(self) -> wanted.Wanted:
        """What the domain works with."""
        groups = tuple(wanted.WantedGroup(**group.model_dump()) for group in self.groups)
        return wanted.Wanted(groups, tuple(_window(window) for window in self.windows))


class DelayRequest(Request):
    """A group runs late. The same `delay_id` again moves nothing."""

    delay_id: UUID | None = None
    minutes: int = Field(ge=1, le=24 * 60)
    reason: Reason


class FindingAnswer(BaseModel):
    """What a planner should know: an error forbids publishing."""

    severity: str
    code: str
    zh: str
    en: str
    where: str


class GroupAnswer(BaseModel):
    """A group in force."""

    group_id: UUID
    code: str
    campus_id: UUID
    site_zh: str
    room_zh: str


class DeskAnswer(BaseModel):
    """A desk in force."""

    desk_id: UUID
    code: str
    group_code: str
    campus_id: UUID
    planned_per_hour: int


class WindowAnswer(BaseModel):
    """A window as it was asked for."""

    group: str
    starts_at: datetime
    ends_at: datetime
    delegated_zh: str


class SlotAnswer(BaseModel):
    """A class's time and group, and how the class is getting on."""

    slot_id: UUID
    class_id: UUID | None
    label_zh: str
    college_zh: str
    order_code: str | None
    group_code: str
    campus_code: str
    starts_at: datetime
    ends_at: datetime
    headcount: int
    checked_in: int
    photographed: int
    priority: bool


class PlanAnswer(BaseModel):
    """A revision of the plan."""

    plan_id: UUID
    campaign_id: UUID
    revision: int
    state: str
    findings: list[FindingAnswer]
    groups: list[GroupAnswer]
    desks: list[DeskAnswer]
    windows: list[WindowAnswer]
    slots: list[SlotAnswer]


class ClassAnswer(BaseModel):
    """A class as scheduler has heard of it."""

    class_id: UUID
    label: str
    college_zh: str
    campus_id: UUID
    headcount: int


class DelayAnswer(BaseModel):
    """The slots that a delay moved."""

    delay_id: UUID
    moved: list[UUID]


class MissedAnswer(BaseModel):
    """A student who missed it; `photographed` says that a photo came later after all."""

    student_id: UUID
    class_id: UUID
    college_zh: str
    label: str
    checked_in: bool
    photographed: bool
    missed_at: datetime


class CardAnswer(BaseModel):
    """图像采集顺序卡: what a class contact hands in at the door. `text` is the card as one prints it."""

    class_id: UUID
    label: str
    college_zh: str
    campus_zh: str
    site_zh: str
    room_zh: str
    group_code: str
    order_code: str | None
    starts_at: datetime
    ends_at: datetime
    headcount: int
    priority: bool
    text: str


def finding(one: plans.Finding) -> FindingAnswer:
    """A finding in words."""
    zh, en = messages.render(one.code, one.params)
    return FindingAnswer(severity=one.severity, code=one.code, zh=zh, en=en, where=one.where)


def plan(one: plans.Plan, layout: plans.Layout, turnouts: dict[UUID, Turnout], campuses: dict[UUID, str]) -> PlanAnswer:
    """A plan with its slots in the order of the day. `layout` is the draft's own, or what is in force."""
    codes: dict[UUID, str] = {group.group_id: group.code for group in layout.groups}
    slots = sorted(layout.slots, key=lambda slot: (slot.starts_at, codes[slot.group_id]))
    return PlanAnswer(
        plan_id=one.plan_id,
        campaign_id=one.campaign_id,
        revision=one.revision,
        state=one.state,
        findings=[finding(found) for found in one.findings],
        groups=[GroupAnswer.model_validate(group, from_attributes=True) for group in layout.groups],
        desks=[_desk(desk, codes[desk.group_id]) for desk in layout.desks],
        windows=[WindowAnswer.model_validate(window, from_attributes=True) for window in one.wanted.windows],
        slots=[_slot(slot, codes[slot.group_id], campuses[slot.campus_id], turnouts) for slot in slots],
    )


def _window(window: WindowRequest) -> wanted.WantedWindow:
    classes = tuple(wanted.WantedClass(**each.model_dump()) for each in window.classes)
    return wanted.WantedWindow(window.group, window.starts_at, window.ends_at, classes, window.delegated_zh)


def _desk(desk: plans.Desk, group_code: str) -> DeskAnswer:
    return DeskAnswer(
        desk_id=desk.desk_id,
        code=desk.code,
        group_code=group_code,
        campus_id=desk.campus_id,
        planned_per_hour=desk.planned_per_hour,
    )


def _slot(slot: plans.Slot, group_code: str, campus_code: str, turnouts: dict[UUID, Turnout]) -> SlotAnswer:
    turnout = None if slot.class_id is None else turnouts.get(slot.class_id)
    return SlotAnswer(
        slot_id=slot.slot_id,
        class_id=slot.class_id,
        label_zh=slot.label_zh,
        college_zh=turnout.college_zh if turnout else "",
        order_code=slot.order_code,
        group_code=group_code,
        campus_code=campus_code,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        headcount=turnout.headcount if turnout else 0,
        checked_in=turnout.checked_in if turnout else 0,
        photographed=turnout.photographed if turnout else 0,
        priority=slot.priority,
    )
