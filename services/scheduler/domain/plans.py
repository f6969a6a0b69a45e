"""A plan: groups and desks on the floor, and a slot for every class."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Literal, NamedTuple

from gradphoto_contracts import ids
from gradphoto_contracts import scheduler as says
from services.scheduler.domain.wanted import Wanted

#: Notices speak of days and hours in China: one time zone, no summer time.
CHINA = timezone(timedelta(hours=8))


class Campus(NamedTuple):
    """A campus of the campaign."""

    campus_id: ids.CampusId
    code: str
    name_zh: str


class SchoolClass(NamedTuple):
    """A class as roster says it is. `headcount` counts its eligible students."""

    class_id: ids.ClassId
    campus_id: ids.CampusId
    college_zh: str
    label: str
    headcount: int


@dataclass(frozen=True)
class Group:
    """A group of interchangeable desks in one room."""

    group_id: ids.GroupId
    code: str
    campus_id: ids.CampusId
    site_zh: str
    room_zh: str
    version: int = 1


@dataclass(frozen=True)
class Desk:
    """A capture desk; its code heads every 拍摄号 given out there."""

    desk_id: ids.DeskId
    group_id: ids.GroupId
    campus_id: ids.CampusId
    code: str
    planned_per_hour: int


@dataclass(frozen=True)
class Slot:
    """A class's time and group; without a class, a delegated block. Its id stays the class's through all revisions."""

    slot_id: ids.SlotId
    class_id: ids.ClassId | None
    label_zh: str
    group_id: ids.GroupId
    campus_id: ids.CampusId
    order_code: str | None
    starts_at: datetime
    ends_at: datetime
    priority: bool = False
    version: int = 1

    @property
    def key(self) -> str:
        """What makes it the same slot in another revision."""
        return str(self.class_id) if self.class_id is not None else f"{self.group_id} {self.label_zh}"

    def says_the_same(self, other: "Slot") -> bool:
        return replace(self, version=other.version) == other


@dataclass(frozen=True)
class Finding:
    """What a planner should know: an error forbids publishing. `where` names group, hour and class."""

    severity: Literal["error", "warning"]
    code: str
    where: str
    params: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """What a plan puts on the floor."""

    groups: tuple[Group, ...] = ()
    desks: tuple[Desk, ...] = ()
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A revision: what was asked for, what came of it, and what speaks against it."""

    plan_id: ids.PlanId
    campaign_id: ids.CampaignId
    revision: int
    state: Literal["draft", "published", "superseded"]
    wanted: Wanted
    layout: Layout
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        return sum(finding.severity == "error" for finding in self.findings)

    @property
    def starts_at(self) -> datetime:
        return min(window.starts_at for window in self.wanted.windows)

    @property
    def ends_at(self) -> datetime:
        return max(window.ends_at for window in self.wanted.windows)


def published(plan: Plan) -> says.PlanPublishedV1:
    return says.PlanPublishedV1(
        plan_id=plan.plan_id,
        campaign_id=plan.campaign_id,
        version=1,
        revision=plan.revision,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        groups=tuple(_group(group) for group in plan.layout.groups),
        desks=tuple(_desk(desk) for desk in plan.layout.desks),
    )


def assigned(slot: Slot, plan_id: ids.PlanId, campaign_id: ids.CampaignId) -> says.SlotAssignedV1:
    return says.SlotAssignedV1.model_validate(_state(slot, plan_id, campaign_id))


def moved(slot: Slot, plan_id: ids.PlanId, campaign_id: ids.CampaignId) -> says.SlotMovedV1:
    return says.SlotMovedV1.model_validate(_state(slot, plan_id, campaign_id))


def cancelled(slot: Slot, campaign_id: ids.CampaignId) -> says.SlotCancelledV1:
    return says.SlotCancelledV1(slot_id=slot.slot_id, campaign_id=campaign_id, version=slot.version + 1)


def local(at: datetime) -> datetime:
    """The hour as a notice prints it."""
    return at.astimezone(CHINA)


def shifted(slot: Slot, by: timedelta) -> Slot:
    return replace(slot, starts_at=slot.starts_at + by, ends_at=slot.ends_at + by, version=slot.version + 1)


def _state(slot: Slot, plan_id: ids.PlanId, campaign_id: ids.CampaignId) -> dict[str, object]:
    fields = {name: getattr(slot, name) for name in slot.__dataclass_fields__}
    return {**fields, "plan_id": plan_id, "campaign_id": campaign_id}


def _group(group: Group) -> says.Group:
    return says.Group(
        group_id=group.group_id,
        code=group.code,
        campus_id=group.campus_id,
        site_zh=group.site_zh,
        room_zh=group.room_zh,
    )


def _desk(desk: Desk) -> says.Desk:
    return says.Desk(
        desk_id=desk.desk_id,
        group_id=desk.group_id,
        campus_id=desk.campus_id,
        code=desk.code,
        planned_per_hour=desk.planned_per_hour,
    )
