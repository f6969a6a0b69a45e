"""One student's way from photo to a confirmed picture at 学信网.

A case is in one state and waits for at most one deadline. What is due, and what happens when it passes, follows from
the state, the campaign's policy and the moments on record; so a case can be looked at any time later, by any machine.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from gradphoto_contracts import ids
from gradphoto_contracts.envelope import Event
from services.verify.domain import copies

State = Literal[
    "enrolled",
    "photographed",
    "delivered",
    "published",
    "confirmed",
    "disputed",
    "corrected",
    "defaulted",
    "makeup_required",
    "makeup_booked",
    "makeup_done",
    "makeup_expired",
    "no_makeup",
    "not_eligible",
    "withdrawn",
]
STATES: tuple[State, ...] = get_args(State)
Deadline = Literal["publish", "proofreading", "reporting", "recheck", "makeup"]
Cause = Literal["wrong_person", "wrong_data", "bad_photo", "not_shown", "refused_by_chsi"]
#: States in which a new photo answers a make-up.
WANTING: tuple[State, ...] = ("makeup_required", "makeup_booked", "makeup_expired", "no_makeup")


@dataclass(frozen=True)
class Case:
    """One student's way. Moments are aware UTC; None: it has not come to that."""

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    class_id: ids.ClassId
    student: copies.Student = field(default_factory=copies.Student)
    version: int = 0
    state: State = "enrolled"
    #: The photo in force.
    capture_id: ids.CaptureId | None = None
    shutter_at: datetime | None = None
    delivered_capture_id: ids.CaptureId | None = None
    published_at: datetime | None = None
    lost_at: datetime | None = None
    missed: bool = False
    answers: int = 0
    #: Open, or last, dispute.
    cause: Cause | None = None
    disputed_at: datetime | None = None
    escalated: bool = False
    #: The proofreading window has closed without an answer; errors may still be reported.
    silent: bool = False
    #: The publish deadline has passed; the photo is waited for until proofreading is over.
    overdue: bool = False
    makeup_since: datetime | None = None
    place_zh: str | None = None
    outcome: str | None = None
    deadline: Deadline | None = None
    due_at: datetime | None = None

    def told(self) -> dict[str, Any]:
        """What every event about the case says."""
        return {
            "version": self.version,
            "student_id": self.student_id,
            "campaign_id": self.campaign_id,
            "class_id": self.class_id,
        }


@dataclass(frozen=True)
class Outcome:
    """How a case left a deadline."""

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    deadline: Deadline
    due_at: datetime
    outcome: str


@dataclass(frozen=True)
class Step:
    """A case before and after, and what is to be said about it."""

    before: Case
    after: Case
    events: tuple[Event, ...] = ()

    def outcome(self) -> Outcome | None:
        """How the deadline that the case waited for ended, if this step ended it."""
        if self.before.deadline is None or self.before.due_at is None:
            return None
        waits = (self.before.deadline, self.before.due_at) == (self.after.deadline, self.after.due_at)
        if waits and self.before.escalated == self.after.escalated:
            return None
        how = self.after.outcome if self.after.outcome != self.before.outcome else None
        return Outcome(
            self.before.student_id,
            self.before.campaign_id,
            self.before.deadline,
            self.before.due_at,
            how or self.after.state,
        )
