"""The clocks on a case's way: when windows open and close, what is due, and who must act before."""

from datetime import datetime, timedelta, timezone

from gradphoto_contracts.policy import ChsiPolicy, MakeupPolicy, Window
from services.verify.domain import copies, journey

#: China has had one time zone and no summer time since 1991.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
#: Stands in for the capture of a case without photo: every window counted from it is long over.
SHANGHAI_EPOCH = datetime(1970, 1, 1, tzinfo=SHANGHAI)
#: Which role must act before a deadline passes.
OWNERS: dict[journey.Deadline, str] = {
    "publish": "registrar",
    "proofreading": "student",
    "reporting": "student",
    "recheck": "registrar",
    "makeup": "student",
}
#: Who takes over a dispute that was not corrected in time (S2: 请及时和所在学院联系).
ESCALATED_TO = "secretary"


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


def proofreading_span(case: journey.Case, chsi: ChsiPolicy) -> tuple[datetime, datetime]:
    """When this student may say 正确. A photo shown after the window closed still gets `recheck_after_days`."""
    return _late(span(chsi.proofreading, case.shutter_at or SHANGHAI_EPOCH), case, chsi)


def reporting_span(case: journey.Case, chsi: ChsiPolicy) -> tuple[datetime, datetime]:
    """When this student may say 有误."""
    return _late(span(chsi.reporting or chsi.proofreading, case.shutter_at or SHANGHAI_EPOCH), case, chsi)


def _late(window: tuple[datetime, datetime], case: journey.Case, chsi: ChsiPolicy) -> tuple[datetime, datetime]:
    closes_at = window[1]
    if case.published_at is None or case.published_at < closes_at:
        return window
    shown = _midnight(case.published_at)
    return shown, shown + timedelta(days=chsi.recheck_after_days + 1)


def silence_at(case: journey.Case, chsi: ChsiPolicy) -> datetime:
    """The moment from which silence counts as an answer."""
    return max(proofreading_span(case, chsi)[1], reporting_span(case, chsi)[1])


def after_days(moment: datetime, days: int) -> datetime:
    """The end of the day that is `days` days later."""
    return _midnight(moment) + timedelta(days=days + 1)


def due(case: journey.Case, campaign: copies.Campaign | None) -> tuple[journey.Deadline | None, datetime | None]:
    """The deadline that this case waits for; (None, None) where it waits for none or the policy is not known yet.

    A make-up without a window in the policy is a deadline without a date.
    """
    if campaign is None:
        return None, None
    chsi = campaign.chsi
    waits = case.state == "makeup_done" and case.capture_id not in (None, case.delivered_capture_id)
    if waits or case.state in ("photographed", "delivered"):
        if case.overdue:
            return "publish", silence_at(case, chsi)
        return "publish", after_days(case.shutter_at or SHANGHAI_EPOCH, chsi.publish_within_days)
    if case.state == "published":
        proofread_by = proofreading_span(case, chsi)[1]
        return ("reporting", silence_at(case, chsi)) if case.silent else ("proofreading", proofread_by)
    if case.state == "disputed" and case.outcome != "overdue":
        weeks = 2 if case.escalated else 1
        return "recheck", after_days(case.disputed_at or SHANGHAI_EPOCH, weeks * chsi.recheck_after_days)
    if case.state in ("makeup_required", "makeup_booked"):
        return "makeup", makeup_closes(campaign.makeup, case.makeup_since or SHANGHAI_EPOCH)
    return None, None


def makeup_closes(makeup: MakeupPolicy, since: datetime) -> datetime | None:
    return span(makeup.window, since)[1] if makeup.window else None


def owner_of(deadline: journey.Deadline, escalated: bool) -> str:
    """The role that must act before such a deadline passes."""
    return ESCALATED_TO if escalated and deadline == "recheck" else OWNERS[deadline]


def owner(case: journey.Case) -> str | None:
    """The role that must act before the case's deadline passes."""
    return owner_of(case.deadline, case.escalated) if case.deadline else None


def day(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).date().isoformat()
