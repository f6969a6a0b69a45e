"""What roster, scheduler and capture say of a student."""

from dataclasses import replace
from datetime import datetime

from gradphoto_contracts import ids, verify
from services.verify.domain import copies, journey, makeups, moves


def place(
    case: journey.Case, student: copies.Student, class_id: ids.ClassId, campaign: copies.Campaign | None
) -> journey.Step:
    """Roster told of the student: eligibility, class, or that the student is off the roster."""
    if student.version <= case.student.version:
        return journey.Step(case, case)
    after = replace(case, student=student, class_id=class_id)
    if student.withdrawn:
        return moves.step(case, replace(after, state="withdrawn"), campaign)
    idle = case.state in ("enrolled", "not_eligible", "withdrawn")
    return moves.step(case, replace(after, state=_standing(after)) if idle else after, campaign)


def _standing(case: journey.Case) -> journey.State:
    """The state of a case that comes back to the roster, from what is on record."""
    if case.capture_id is None:
        return "enrolled" if case.student.eligible else "not_eligible"
    return "delivered" if case.delivered_capture_id == case.capture_id else "photographed"


def see_photo(
    case: journey.Case, photo: copies.Photo | None, now: datetime, campaign: copies.Campaign | None
) -> journey.Step:
    """Bring the case to the photo that is in force now, or to having none."""
    if case.student.withdrawn:
        capture_id, shutter_at = (photo.capture_id, photo.shutter_at) if photo else (None, None)
        return moves.step(case, replace(case, capture_id=capture_id, shutter_at=shutter_at), campaign)
    if photo is None:
        return _lose_photo(case, now, campaign)
    if photo.capture_id == case.capture_id:
        return journey.Step(case, case)
    after = replace(
        case, capture_id=photo.capture_id, shutter_at=photo.shutter_at, published_at=None, lost_at=None, silent=False
    )
    after = replace(after, overdue=False, outcome=None)
    if case.state in journey.WANTING:
        return moves.step(case, replace(after, state="makeup_done"), campaign, verify.MakeupDoneV1)
    if case.state == "disputed":
        return moves.step(case, after, campaign)
    return moves.step(case, replace(after, state="photographed"), campaign)


def _lose_photo(case: journey.Case, now: datetime, campaign: copies.Campaign | None) -> journey.Step:
    if case.capture_id is None:
        return journey.Step(case, case)
    bare = replace(case, capture_id=None, shutter_at=None, published_at=None, lost_at=now, state="enrolled")
    if case.missed:
        return makeups.call_for_makeup(case, bare, "withdrawn", now, campaign)
    return moves.step(case, bare, campaign)


def miss(case: journey.Case, now: datetime, campaign: copies.Campaign | None) -> journey.Step:
    """The last window has passed. Without a photo the student needs a make-up, if policy offers one."""
    after = replace(case, missed=True)
    if case.state != "enrolled" or campaign is None:
        return moves.step(case, after, campaign)
    return makeups.call_for_makeup(case, after, "missed", now, campaign)


def revise(case: journey.Case, now: datetime, campaign: copies.Campaign) -> journey.Step:
    """The policy is known, or new: settle what waited for it, and set the deadline anew."""
    if case.missed and case.state == "enrolled":
        return makeups.call_for_makeup(case, case, "missed", now, campaign)
    return moves.step(case, case, campaign)
