"""What scheduler's handlers need of the world."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from gradphoto_contracts import ids, policy
from gradphoto_contracts.envelope import Event
from services.scheduler.domain import plans, running


class Campaign(NamedTuple):
    """What scheduler keeps of a campaign."""

    campaign_id: ids.CampaignId
    title_zh: str
    campuses: Sequence[plans.Campus]
    fee_mode: policy.FeeMode
    closed: bool
    version: int


class Missed(NamedTuple):
    """A student who missed it."""

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    class_id: ids.ClassId
    checked_in: bool


class MissedRecord(NamedTuple):
    """A student who missed it, for a list; `photographed` says that a photo came later after all."""

    student_id: ids.StudentId
    class_id: ids.ClassId
    campus_id: ids.CampusId | None
    college_zh: str
    label: str
    checked_in: bool
    photographed: bool
    missed_at: datetime


class Turnout(NamedTuple):
    """How a class is getting on: its eligible heads, and how many of it came and were photographed."""

    class_id: ids.ClassId
    college_zh: str
    headcount: int
    checked_in: int
    photographed: int


class Delay(NamedTuple):
    """A delay as it was announced."""

    delay_id: UUID
    group_id: ids.GroupId
    campaign_id: ids.CampaignId
    minutes: int
    reason: str
    announced_at: datetime


class Campaigns(Protocol):
    """Copies of roster's campaigns."""

    async def put(self, campaign: Campaign) -> None:
        """Keep the newer state."""
        ...

    async def close(self, campaign_id: ids.CampaignId, version: int) -> bool:
        """Mark as closed; False when the campaign is not known yet."""
        ...

    async def get(self, campaign_id: ids.CampaignId) -> Campaign | None: ...
    async def locked(self, campaign_id: ids.CampaignId) -> Campaign | None:
        """As `get`; until the transaction ends nobody else changes the campaign's plan."""
        ...


class People(Protocol):
    """Copies of classes and students, and what became of them. Whatever comes, the newer state is kept."""

    async def put_class(self, campaign_id: ids.CampaignId, one: plans.SchoolClass, version: int) -> None: ...
    async def put_student(
        self,
        student_id: ids.StudentId,
        campaign_id: ids.CampaignId,
        class_id: ids.ClassId,
        *,
        eligible: bool,
        withdrawn: bool,
        version: int,
    ) -> None: ...
    async def put_checkin(
        self, checkin_id: ids.CheckinId, student_id: ids.StudentId, class_id: ids.ClassId, version: int
    ) -> None: ...
    async def put_photo(
        self,
        capture_id: ids.CaptureId,
        student_id: ids.StudentId,
        class_id: ids.ClassId,
        *,
        in_force: bool,
        version: int,
    ) -> None: ...
    async def put_payment(
        self, payment_id: ids.PaymentId, campaign_id: ids.CampaignId, class_id: ids.ClassId
    ) -> None: ...
    async def paid(self, campaign_id: ids.CampaignId) -> frozenset[ids.ClassId]: ...
    async def classes(self, campaign_id: ids.CampaignId) -> Sequence[plans.SchoolClass]: ...
    async def turnout(self, campaign_id: ids.CampaignId) -> Sequence[Turnout]: ...


class Plans(Protocol):
    """Plans by revision."""

    async def add(self, plan: plans.Plan, now: datetime) -> None: ...
    async def save(self, plan: plans.Plan) -> None: ...
    async def get(self, plan_id: ids.PlanId) -> plans.Plan | None: ...
    async def in_force(self, campaign_id: ids.CampaignId) -> plans.Plan | None: ...
    async def newest_revision(self, campaign_id: ids.CampaignId) -> int: ...


class Floor(Protocol):
    """Groups, desks and slots in force."""

    async def layout(self, campaign_id: ids.CampaignId) -> plans.Layout: ...
    async def replace(
        self, plan: plans.Plan, groups: Sequence[plans.Group], desks: Sequence[plans.Desk], change: running.Transition
    ) -> None: ...
    async def move(self, slots: Sequence[plans.Slot]) -> None: ...
    async def group(self, group_id: ids.GroupId) -> tuple[ids.CampaignId, plans.Group] | None: ...
    async def slots_of_group(self, group_id: ids.GroupId) -> Sequence[plans.Slot]: ...
    async def slot_of_class(self, class_id: ids.ClassId) -> tuple[ids.CampaignId, plans.Slot] | None: ...
    async def raise_group(self, group_id: ids.GroupId) -> int:
        """One more change of a group; its version then."""
        ...


class Absences(Protocol):
    """Delays announced, and students who missed it."""

    async def delay(self, delay_id: UUID) -> Delay | None: ...
    async def add_delay(self, delay: Delay) -> None: ...
    async def find(self, ended_before: datetime, now: datetime) -> Sequence[Missed]:
        """Note every eligible student without a photo whose campaign's last slot ended before then; the new ones."""
        ...

    async def listed(
        self, campaign_id: ids.CampaignId, after: ids.StudentId | None, limit: int
    ) -> Sequence[MissedRecord]: ...


class Events(Protocol):
    """The outbox."""

    async def add(self, event: Event) -> None: ...
    async def add_all(self, events: Iterable[Event]) -> None: ...


class Inbox(Protocol):
    """Events handled before."""

    async def unseen(self, event_ids: Sequence[UUID]) -> set[UUID]: ...


@dataclass(frozen=True)
class Work:
    """What one handler call may touch: one transaction."""

    campaigns: Campaigns
    people: People
    plans: Plans
    floor: Floor
    absences: Absences
    events: Events
    inbox: Inbox
    now: datetime
    new_id: Callable[[], UUID]
