"""What scheduler says: the plan of the day, its slots and order codes, delays, and who missed it."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from gradphoto_contracts import ids
from gradphoto_contracts.envelope import Event, Value


class Group(Value):
    """A group (组别) of interchangeable desks in one room."""

    group_id: ids.GroupId
    code: str
    campus_id: ids.CampusId
    site_zh: str
    room_zh: str


class Desk(Value):
    """A capture desk on the floor plan. `code` is short, unique in the campaign, and heads every 拍摄号 of the desk."""

    desk_id: ids.DeskId
    group_id: ids.GroupId
    campus_id: ids.CampusId
    code: str
    planned_per_hour: int = Field(ge=1)


class PlanPublishedV1(Event):
    """A revision of the plan holds from here on: these groups and desks."""

    TYPE: ClassVar[str] = "scheduler.plan.published.v1"
    KEY: ClassVar[str] = "plan_id"

    plan_id: ids.PlanId
    campaign_id: ids.CampaignId
    revision: int = Field(ge=1)
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    groups: tuple[Group, ...]
    desks: tuple[Desk, ...]


class _SlotState(Event):
    KEY: ClassVar[str] = "slot_id"

    slot_id: ids.SlotId
    plan_id: ids.PlanId
    campaign_id: ids.CampaignId
    #: None where the slot is a delegated block (研究生自行安排): `label_zh` says whose.
    class_id: ids.ClassId | None
    label_zh: str
    group_id: ids.GroupId
    campus_id: ids.CampusId
    order_code: str | None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    priority: bool = False


class SlotAssignedV1(_SlotState):
    """A class has its time, its group and its order code (顺序代码)."""

    TYPE: ClassVar[str] = "scheduler.slot.assigned.v1"


class SlotMovedV1(_SlotState):
    """A slot has another time, group or priority; the event carries the whole new state."""

    TYPE: ClassVar[str] = "scheduler.slot.moved.v1"


class SlotCancelledV1(Event):
    """A slot does not take place."""

    TYPE: ClassVar[str] = "scheduler.slot.cancelled.v1"
    KEY: ClassVar[str] = "slot_id"

    slot_id: ids.SlotId
    campaign_id: ids.CampaignId


class DelayAnnouncedV1(Event):
    """A group runs late by this much; its later slots are moved by events of their own."""

    TYPE: ClassVar[str] = "scheduler.delay.announced.v1"
    KEY: ClassVar[str] = "group_id"

    group_id: ids.GroupId
    campaign_id: ids.CampaignId
    minutes: int = Field(ge=1, le=24 * 60)
    reason: Literal["crew_late", "equipment", "queue", "room", "other"]


class StudentMissedV1(Event):
    """The last window has passed and this eligible student has no accepted photo."""

    TYPE: ClassVar[str] = "scheduler.student.missed.v1"
    KEY: ClassVar[str] = "student_id"

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    class_id: ids.ClassId
    checked_in: bool
