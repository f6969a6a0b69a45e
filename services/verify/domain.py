"""One student's way from photo to a confirmed picture at 学信网, and the clocks on that way.

A case is in one state and waits for at most one deadline. What is due, and what happens when it passes, follows from
the state, the campaign's policy and the moments on record; so a case can be looked at any time later, by any machine.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, get_args

from gradphoto_contracts import ids, verify
from gradphoto_contracts.envelope import Event
from gradphoto_contracts.policy import ChsiPolicy, MakeupPolicy, Window
from kit import errors

#: China has had one time zone and no summer time since 1991.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")

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

#: Which role must act before a deadline passes.
OWNERS: dict[Deadline, str] = {
    "publish": "registrar",
    "proofreading": "student",
    "reporting": "student",
    "recheck": "registrar",
    "makeup": "student",
}
#: Who takes over a dispute that was not corrected in time (S2: 请及时和所在学院联系).
ESCALATED_TO = "secretary"
#: A student whose photo was withdrawn may be photographed again this long before a make-up is called for.
SECOND_SHOT = timedelta(days=1)
#: States in which a new photo answers a make-up.
_WANTING: tuple[State, ...] = ("makeup_required", "makeup_booked", "makeup_expired", "no_makeup")


@dataclass(frozen=True)
class Campaign:
    """The part of a campaign's policy that concerns CHSI."""

    campaign_id: ids.CampaignId
    version: int
    code: str
    chsi: ChsiPolicy
    makeup: MakeupPolicy


@dataclass(frozen=True)
class Class:
    """A class and its college."""

    class_id: ids.ClassId
    campaign_id: ids.CampaignId
    version: int
    college_zh: str
    label: str


@dataclass(frozen=True)
class Student:
    """What roster says of a student. `version` 0: nothing yet."""

    version: int = 0
    eligible: bool = True
    withdrawn: bool = False


@dataclass(frozen=True)
class Photo:
    """A photo, whose it is, and whether it counts."""

    capture_id: ids.CaptureId
    version: int
    campaign_id: ids.CampaignId
    student_id: ids.StudentId
    class_id: ids.ClassId
    in_force: bool
    photo_key: str = ""
    photo_sha256: str = ""
    shutter_at: datetime | None = None


@dataclass(frozen=True)
class Case:
    """One student's way. Moments are aware UTC; None: it has not come to that."""

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    class_id: ids.ClassId
    student: Student = Student()
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

    def _said(self) -> dict[str, Any]:
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


# Clocks.


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


def span(window: Window, counted_from: datetime) -> tuple[datetime, datetime]:
    """When a window opens and closes: [first midnight, midnight after its last day) in Asia/Shanghai.

    Args:
        window: fixed dates, or days counted from the day of `counted_from`.
        counted_from: the capture, for proofreading; the day it was called for, for a make-up.
    """
    if window.opens_on is not None and window.closes_on is not None:
        first = datetime(window.opens_on.year, window.opens_on.month, window.opens_on.day, tzinfo=SHANGHAI)
        last = datetime(window.closes_on.year, window.closes_on.month, window.closes_on.day, tzinfo=SHANGHAI)
        return first, last + timedelta(days=1)
    opens_at = _midnight(counted_from) + timedelta(days=window.opens_after_days or 0)
    return opens_at, opens_at + timedelta(days=window.lasts_days or 0)


def proofreading_span(case: Case, chsi: ChsiPolicy) -> tuple[datetime, datetime]:
    """When this student may say 正确. A photo shown after the window closed still gets `recheck_after_days`."""
    return _late(span(chsi.proofreading, case.shutter_at or SHANGHAI_EPOCH), case, chsi)


def reporting_span(case: Case, chsi: ChsiPolicy) -> tuple[datetime, datetime]:
    """When this student may say 有误."""
    return _late(span(chsi.reporting or chsi.proofreading, case.shutter_at or SHANGHAI_EPOCH), case, chsi)


#: Stands in for the capture of a case without photo: every window counted from it is long over.
SHANGHAI_EPOCH = datetime(1970, 1, 1, tzinfo=SHANGHAI)


def _late(window: tuple[datetime, datetime], case: Case, chsi: ChsiPolicy) -> tuple[datetime, datetime]:
    closes_at = window[1]
    if case.published_at is None or case.published_at < closes_at:
        return window
    shown = _midnight(case.published_at)
    return shown, shown + timedelta(days=chsi.recheck_after_days + 1)


def _silence_at(case: Case, chsi: ChsiPolicy) -> datetime:
    """The moment from which silence counts as an answer."""
    return max(proofreading_span(case, chsi)[1], reporting_span(case, chsi)[1])


def _after_days(moment: datetime, days: int) -> datetime:
    """The end of the day that is `days` days later."""
    return _midnight(moment) + timedelta(days=days + 1)


def due(case: Case, campaign: Campaign | None) -> tuple[Deadline | None, datetime | None]:
    """The deadline that this case waits for; (None, None) where it waits for none or the policy is not known yet.

    A make-up without a window in the policy is a deadline without a date.
    """
    if campaign is None:
        return None, None
    chsi = campaign.chsi
    waits = case.state == "makeup_done" and case.capture_id not in (None, case.delivered_capture_id)
    if waits or case.state in ("photographed", "delivered"):
        if case.overdue:
            return "publish", _silence_at(case, chsi)
        return "publish", _after_days(case.shutter_at or SHANGHAI_EPOCH, chsi.publish_within_days)
    if case.state == "published":
        proofread_by = proofreading_span(case, chsi)[1]
        return ("reporting", _silence_at(case, chsi)) if case.silent else ("proofreading", proofread_by)
    if case.state == "disputed" and case.outcome != "overdue":
        weeks = 2 if case.escalated else 1
        return "recheck", _after_days(case.disputed_at or SHANGHAI_EPOCH, weeks * chsi.recheck_after_days)
    if case.state in ("makeup_required", "makeup_booked"):
        return "makeup", _makeup_closes(campaign.makeup, case.makeup_since or SHANGHAI_EPOCH)
    return None, None


def _makeup_closes(makeup: MakeupPolicy, since: datetime) -> datetime | None:
    return span(makeup.window, since)[1] if makeup.window else None


def owner_of(deadline: Deadline, escalated: bool) -> str:
    """The role that must act before such a deadline passes."""
    return ESCALATED_TO if escalated and deadline == "recheck" else OWNERS[deadline]


def owner(case: Case) -> str | None:
    """The role that must act before the case's deadline passes."""
    return owner_of(case.deadline, case.escalated) if case.deadline else None


def _step(before: Case, after: Case, campaign: Campaign | None, *events: type[Event], **extra: Any) -> Step:
    """Give `after` its version and its deadline, and build the events that tell of it.

    Each event takes from `extra` what it declares.
    """
    deadline, due_at = due(after, campaign)
    after = replace(after, deadline=deadline, due_at=due_at)
    if after == before:
        return Step(before, before)
    said = []
    for event in events:
        after = replace(after, version=after.version + 1)
        fields = {name: value for name, value in extra.items() if name in event.model_fields}
        said.append(event(**after._said(), **fields))
    if not events:
        after = replace(after, version=after.version + 1)
    return Step(before, after, tuple(said))


# What roster and capture say.


def place(case: Case, student: Student, class_id: ids.ClassId, campaign: Campaign | None) -> Step:
    """Roster told of the student: eligibility, class, or that the student is off the roster."""
    if student.version <= case.student.version:
        return Step(case, case)
    after = replace(case, student=student, class_id=class_id)
    if student.withdrawn:
        return _step(case, replace(after, state="withdrawn"), campaign)
    idle = case.state in ("enrolled", "not_eligible", "withdrawn")
    return _step(case, replace(after, state=_standing(after)) if idle else after, campaign)


def _standing(case: Case) -> State:
    """The state of a case that comes back to the roster, from what is on record."""
    if case.capture_id is None:
        return "enrolled" if case.student.eligible else "not_eligible"
    return "delivered" if case.delivered_capture_id == case.capture_id else "photographed"


def see_photo(case: Case, photo: Photo | None, now: datetime, campaign: Campaign | None) -> Step:
    """Bring the case to the photo that is in force now, or to having none."""
    if case.student.withdrawn:
        capture_id, shutter_at = (photo.capture_id, photo.shutter_at) if photo else (None, None)
        return _step(case, replace(case, capture_id=capture_id, shutter_at=shutter_at), campaign)
    if photo is None:
        return _lose_photo(case, now, campaign)
    if photo.capture_id == case.capture_id:
        return Step(case, case)
    after = replace(
        case, capture_id=photo.capture_id, shutter_at=photo.shutter_at, published_at=None, lost_at=None, silent=False
    )
    after = replace(after, overdue=False, outcome=None)
    if case.state in _WANTING:
        return _step(case, replace(after, state="makeup_done"), campaign, verify.MakeupDoneV1)
    if case.state == "disputed":
        return _step(case, after, campaign)
    return _step(case, replace(after, state="photographed"), campaign)


def _lose_photo(case: Case, now: datetime, campaign: Campaign | None) -> Step:
    if case.capture_id is None:
        return Step(case, case)
    bare = replace(case, capture_id=None, shutter_at=None, published_at=None, lost_at=now, state="enrolled")
    if case.missed:
        return _call_for_makeup(case, bare, "withdrawn", now, campaign)
    return _step(case, bare, campaign)


def miss(case: Case, now: datetime, campaign: Campaign | None) -> Step:
    """The last window has passed. Without a photo the student needs a make-up, if policy offers one."""
    after = replace(case, missed=True)
    if case.state != "enrolled" or campaign is None:
        return _step(case, after, campaign)
    return _call_for_makeup(case, after, "missed", now, campaign)


def _call_for_makeup(
    case: Case, after: Case, cause: Literal["missed", "refused", "withdrawn"], now: datetime, campaign: Campaign | None
) -> Step:
    if campaign is None:
        return _step(case, after, campaign)
    if campaign.makeup.mode == "none":
        return _step(case, replace(after, state="no_makeup", outcome="no_makeup"), campaign)
    due_at = _makeup_closes(campaign.makeup, now)
    if due_at is not None and due_at <= now:
        return _step(case, replace(after, state="makeup_expired", outcome="makeup_expired"), campaign)
    after = replace(after, state="makeup_required", makeup_since=now, lost_at=None)
    return _step(case, after, campaign, verify.MakeupRequiredV1, cause=cause, due_at=due_at)


def revise(case: Case, now: datetime, campaign: Campaign) -> Step:
    """The policy is known, or new: settle what waited for it, and set the deadline anew."""
    if case.missed and case.state == "enrolled":
        return _call_for_makeup(case, case, "missed", now, campaign)
    return _step(case, case, campaign)


# Delivery and CHSI's answer.


def deliver(case: Case, capture_id: ids.CaptureId, campaign: Campaign | None) -> Step:
    """The photo left for CHSI in a batch."""
    after = replace(case, delivered_capture_id=capture_id)
    if case.capture_id == capture_id and case.state in ("photographed", "makeup_done"):
        after = replace(after, state="delivered")
    return _step(case, after, campaign)


def publish(case: Case, now: datetime, campaign: Campaign) -> Step:
    """CHSI shows the photo in force: proofreading can begin, or an open dispute is over."""
    if case.published_at is not None:
        return Step(case, case)
    shown = replace(case, published_at=now, overdue=False)
    if case.state == "disputed":
        corrected = replace(shown, state="corrected", outcome="corrected")
        return _step(case, corrected, campaign, verify.PhotoPublishedV1, verify.PhotoCorrectedV1)
    if case.state not in ("photographed", "delivered", "makeup_done", *_WANTING):
        return _step(case, shown, campaign)
    return _step(case, replace(shown, state="published"), campaign, verify.PhotoPublishedV1)


def refuse(case: Case, now: datetime, campaign: Campaign) -> Step:
    """CHSI sent the photo back: a dispute, and a make-up where policy offers one and its window is not over."""
    if case.state == "disputed" or case.state in _WANTING:
        return Step(case, case)
    disputed = _dispute(case, "refused_by_chsi", now, campaign)
    called = _call_for_makeup(disputed.after, disputed.after, "refused", now, campaign)
    return Step(case, called.after, disputed.events + called.events)


# What people say.


def confirm(case: Case, now: datetime, campaign: Campaign) -> Step:
    """The student says 正确.

    Raises:
        errors.Conflict: nothing is shown yet, the window is not open, or the one chance is used.
    """
    if case.state == "confirmed" and not campaign.chsi.one_chance:
        return Step(case, case)
    _check_answer(case, now, campaign, proofreading_span(case, campaign.chsi), "verify-proofreading-not-open")
    after = replace(case, state="confirmed", outcome="confirmed", answers=case.answers + 1)
    return _step(case, after, campaign, verify.PhotoConfirmedV1)


def dispute(case: Case, cause: Cause, now: datetime, campaign: Campaign) -> Step:
    """The student says 有误.

    Raises:
        errors.Conflict: nothing is shown yet, errors are not taken now, or the one chance is used.
    """
    if case.state == "disputed" and case.cause == cause and not campaign.chsi.one_chance:
        return Step(case, case)
    _check_answer(case, now, campaign, reporting_span(case, campaign.chsi), "verify-reporting-not-open")
    return _dispute(replace(case, answers=case.answers + 1), cause, now, campaign, before=case)


def _check_answer(
    case: Case, now: datetime, campaign: Campaign, window: tuple[datetime, datetime], closed: str
) -> None:
    if campaign.chsi.one_chance and case.answers:
        raise errors.Conflict("verify-one-chance-used")
    if case.state not in ("published", "confirmed"):
        raise errors.Conflict("verify-nothing-to-answer", state=case.state)
    opens_at, closes_at = window
    if not opens_at <= now < closes_at:
        raise errors.Conflict(closed, first_day=_day(opens_at), last_day=_day(closes_at - timedelta(days=1)))


def _day(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).date().isoformat()


def _dispute(case: Case, cause: Cause, now: datetime, campaign: Campaign, before: Case | None = None) -> Step:
    after = replace(case, state="disputed", cause=cause, disputed_at=now, escalated=False, outcome="disputed")
    _, due_at = due(after, campaign)
    after_owner = OWNERS["recheck"]
    return _step(before or case, after, campaign, verify.PhotoDisputedV1, cause=cause, due_at=due_at, owner=after_owner)


def correct(case: Case, campaign: Campaign) -> Step:
    """What CHSI shows is right now.

    Raises:
        errors.Conflict: there is no dispute.
    """
    if case.state == "corrected":
        return Step(case, case)
    if case.state != "disputed":
        raise errors.Conflict("verify-nothing-to-correct", state=case.state)
    after = replace(case, state="corrected", outcome="corrected")
    return _step(case, after, campaign, verify.PhotoCorrectedV1)


def book(case: Case, place_zh: str, now: datetime, campaign: Campaign) -> Step:
    """The student has a place for the make-up shoot; a later booking replaces it."""
    if case.state not in ("makeup_required", "makeup_booked"):
        raise errors.Conflict("verify-no-makeup-now", state=case.state)
    places = campaign.makeup.places_zh
    if places and place_zh not in places:
        raise errors.Invalid("verify-makeup-place-unknown", places="、".join(places))
    if case.due_at is not None and now >= case.due_at:
        raise errors.Conflict("verify-makeup-closed", last_day=_day(case.due_at - timedelta(days=1)))
    after = replace(case, state="makeup_booked", place_zh=place_zh)
    return _step(case, after, campaign, verify.MakeupBookedV1, place_zh=place_zh)


def finish_makeup(case: Case, campaign: Campaign) -> Step:
    """A make-up shoot outside our desks (a branch, the student's own) gave a photo, so its papers say."""
    if case.state == "makeup_done":
        return Step(case, case)
    if case.state not in ("makeup_required", "makeup_booked"):
        raise errors.Conflict("verify-no-makeup-now", state=case.state)
    after = replace(case, state="makeup_done", outcome="makeup_done")
    return _step(case, after, campaign, verify.MakeupDoneV1)


# What time says.


def lapse(case: Case, now: datetime, campaign: Campaign) -> Step:
    """The case's deadline has passed: give it an outcome. A case that is not due stays as it is."""
    if case.deadline is None or case.due_at is None or now < case.due_at:
        return Step(case, case)
    if case.deadline == "publish":
        return _lapse_publish(case, now, campaign)
    if case.deadline in ("proofreading", "reporting"):
        return _lapse_proofreading(case, campaign)
    if case.deadline == "makeup":
        return _step(case, replace(case, state="makeup_expired", outcome="makeup_expired"), campaign)
    return _lapse_recheck(case, campaign)


def _lapse_publish(case: Case, now: datetime, campaign: Campaign) -> Step:
    """Late at CHSI is overdue; not there when proofreading is over is a dispute that the school must settle."""
    if not case.overdue and case.due_at != _silence_at(case, campaign.chsi):
        return _step(case, replace(case, overdue=True, outcome="overdue"), campaign)
    return _dispute(case, "not_shown", now, campaign)


def _lapse_proofreading(case: Case, campaign: Campaign) -> Step:
    """Silent in the proofreading window, then in the reporting window if that ends later; then silence counts."""
    if case.due_at != _silence_at(case, campaign.chsi):
        return _step(case, replace(case, silent=True, outcome="silent"), campaign)
    silence = campaign.chsi.silence
    after = replace(case, state="defaulted", silent=True, outcome=silence)
    return _step(case, after, campaign, verify.PhotoDefaultedV1, outcome=silence)


def _lapse_recheck(case: Case, campaign: Campaign) -> Step:
    """Not corrected in time: the college takes over, once; after that it stays with the college, overdue."""
    if case.escalated:
        return _step(case, replace(case, outcome="overdue"), campaign)
    after = replace(case, escalated=True, outcome="escalated")
    _, due_at = due(after, campaign)
    said = {"cause": case.cause, "due_at": due_at, "owner": ESCALATED_TO}
    return _step(case, after, campaign, verify.PhotoDisputedV1, **said)


def call_for_second_shot(case: Case, now: datetime, campaign: Campaign) -> Step:
    """A photo was withdrawn a day ago and no other one came: call for a make-up."""
    if case.state != "enrolled" or case.lost_at is None or now < case.lost_at + SECOND_SHOT:
        return Step(case, case)
    return _call_for_makeup(case, replace(case, lost_at=None), "withdrawn", now, campaign)


# Deliveries and result files.


@dataclass(frozen=True)
class Batch:
    """A delivery. `gathering`: its photos are chosen and no archive is known to be complete."""

    batch_id: ids.BatchId
    campaign_id: ids.CampaignId
    number: int
    state: Literal["gathering", "delivered"]
    photos: int = 0
    archive_key: str = ""
    archive_sha256: str = ""
    delivered_at: datetime | None = None

    def said(self) -> verify.BatchDeliveredV1:
        """The event that tells of the delivery."""
        if self.delivered_at is None:
            raise ValueError("only a delivered batch is told of")
        return verify.BatchDeliveredV1(
            version=1,
            batch_id=self.batch_id,
            campaign_id=self.campaign_id,
            number=self.number,
            photos=self.photos,
            archive_key=self.archive_key,
            archive_sha256=self.archive_sha256,
            delivered_at=self.delivered_at,
        )


def archive_key(campaign_id: ids.CampaignId, batch_id: ids.BatchId) -> str:
    """Where a batch's archive lies in the object store."""
    return f"batches/{campaign_id}/{batch_id}.zip"


@dataclass(frozen=True)
class Verdict:
    """One row of CHSI's result file, read."""

    row: int
    capture_id: ids.CaptureId
    shown: bool
    reason: str


def repeated(verdicts: Iterable[Verdict]) -> dict[int, int]:
    """Rows that name a photo which an earlier row names: {row: earlier row}."""
    first: dict[ids.CaptureId, int] = {}
    return {v.row: first[v.capture_id] for v in verdicts if first.setdefault(v.capture_id, v.row) != v.row}
