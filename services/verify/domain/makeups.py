"""Make-up shoots (补拍): called for, booked, done."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from gradphoto_contracts import verify
from kit import errors
from services.verify.domain import clocks, copies, journey, moves

#: A student whose photo was withdrawn may be photographed again this long before a make-up is called for.
SECOND_SHOT = timedelta(days=1)


def call_for_makeup(
    case: journey.Case,
    after: journey.Case,
    cause: Literal["missed", "refused", "withdrawn"],
    now: datetime,
    campaign: copies.Campaign | None,
) -> journey.Step:
    if campaign is None:
        return moves.step(case, after, campaign)
    if campaign.makeup.mode == "none":
        return moves.step(case, replace(after, state="no_makeup", outcome="no_makeup"), campaign)
    due_at = clocks.makeup_closes(campaign.makeup, now)
    if due_at is not None and due_at <= now:
        return moves.step(case, replace(after, state="makeup_expired", outcome="makeup_expired"), campaign)
    after = replace(after, state="makeup_required", makeup_since=now, lost_at=None)
    return moves.step(case, after, campaign, verify.MakeupRequiredV1, cause=cause, due_at=due_at)


def book(case: journey.Case, place_zh: str, now: datetime, campaign: copies.Campaign) -> journey.Step:
    """The student has a place for the make-up shoot; a later booking replaces it."""
    if case.state not in ("makeup_required", "makeup_booked"):
        raise errors.Conflict("verify-no-makeup-now", state=case.state)
    places = campaign.makeup.places_zh
    if places and place_zh not in places:
        raise errors.Invalid("verify-makeup-place-unknown", places="、".join(places))
    if case.due_at is not None and now >= case.due_at:
        raise errors.Conflict("verify-makeup-closed", last_day=clocks.day(case.due_at - timedelta(days=1)))
    after = replace(case, state="makeup_booked", place_zh=place_zh)
    return moves.step(case, after, campaign, verify.MakeupBookedV1, place_zh=place_zh)


def finish_makeup(case: journey.Case, campaign: copies.Campaign) -> journey.Step:
    """A make-up shoot outside our desks (a branch, the student's own) gave a photo, so its papers say."""
    if case.state == "makeup_done":
        return journey.Step(case, case)
    if case.state not in ("makeup_required", "makeup_booked"):
        raise errors.Conflict("verify-no-makeup-now", state=case.state)
    after = replace(case, state="makeup_done", outcome="makeup_done")
    return moves.step(case, after, campaign, verify.MakeupDoneV1)


def call_for_second_shot(case: journey.Case, now: datetime, campaign: copies.Campaign) -> journey.Step:
    """A photo was withdrawn a day ago and no other one came: call for a make-up."""
    if case.state != "enrolled" or case.lost_at is None or now < case.lost_at + SECOND_SHOT:
        return journey.Step(case, case)
    return call_for_makeup(case, replace(case, lost_at=None), "withdrawn", now, campaign)
