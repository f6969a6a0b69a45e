"""What a planner asks for: groups and windows as a notice prints them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class WantedGroup:
    """A group (组别) with its room and number of desks.

    `announced_from`: the hours from which the notice says that the group shoots; where its own timetable disagrees, the
    planner is told.
    """

    code: str
    campus_code: str
    site_zh: str
    room_zh: str
    desks: int
    planned_per_hour: int
    announced_from: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class WantedClass:
    """A class in its turn. Without `college_zh` the label must be unique; without `order_code` one is given."""

    label: str
    college_zh: str = ""
    order_code: str | None = None

    @property
    def name(self) -> str:
        return f"{self.college_zh} {self.label}".strip()


@dataclass(frozen=True)
class WantedWindow:
    """A span of one group: classes in order, or a delegated block whose order others keep (由研究生处自行安排)."""

    group: str
    starts_at: datetime
    ends_at: datetime
    classes: tuple[WantedClass, ...] = ()
    delegated_zh: str = ""


@dataclass(frozen=True)
class Wanted:
    """A whole plan as asked for."""

    groups: tuple[WantedGroup, ...]
    windows: tuple[WantedWindow, ...]
