"""What time says: a deadline has passed."""

from dataclasses import replace
from datetime import datetime

from gradphoto_contracts import verify
from services.verify.domain import clocks, copies, journey, moves


def lapse(case: journey.Case, now: datetime, campaign: copies.Campaign) -> journey.Step:
    """The case's deadline has passed: give it an outcome. A case that is not due stays as it is."""
    if case.deadline is None or case.due_at is None or now < case.due_at:
        return journey.Step(case, case)
    if case.deadline == "publish":
        return _lapse_publish(case, now, campaign)
    if case.deadline in ("proofreading", "reporting"):
        return _lapse_proofreading(case, campaign)
    if case.deadline == "makeup":
        return moves.step(case, replace(case, state="makeup_expired", outcome="makeup_expired"), campaign)
    return _lapse_recheck(case, campaign)


def _lapse_publish(case: journey.Case, now: datetime, campaign: copies.Campaign) -> journey.Step:
    """Late at CHSI is overdue; not there when proofreading is over is a dispute that the school must settle."""
    if not case.overdue and case.due_at != clocks.silence_at(case, campaign.chsi):
        return moves.step(case, replace(case, overdue=True, outcome="overdue"), campaign)
    return moves.open_dispute(case, "not_shown", now, campaign)


def _lapse_proofreading(case: journey.Case, campaign: copies.Campaign) -> journey.Step:
    """Silent in the proofreading window, then in the reporting window if that ends later; then silence counts."""
    if case.due_at != clocks.silence_at(case, campaign.chsi):
        return moves.step(case, replace(case, silent=True, outcome="silent"), campaign)
    silence = campaign.chsi.silence
    after = replace(case, state="defaulted", silent=True, outcome=silence)
    return moves.step(case, after, campaign, verify.PhotoDefaultedV1, outcome=silence)


def _lapse_recheck(case: journey.Case, campaign: copies.Campaign) -> journey.Step:
    """Not corrected in time: the college takes over, once; after that it stays with the college, overdue."""
    if case.escalated:
        return moves.step(case, replace(case, outcome="overdue"), campaign)
    after = replace(case, escalated=True, outcome="escalated")
    _, due_at = clocks.due(after, campaign)
    said = {"cause": case.cause, "due_at": due_at, "owner": clocks.ESCALATED_TO}
    return moves.step(case, after, campaign, verify.PhotoDisputedV1, **said)
