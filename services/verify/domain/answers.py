"""What students and the school say of the photo that is shown."""

from dataclasses import replace
from datetime import datetime, timedelta

from gradphoto_contracts import verify
from kit import errors
from services.verify.domain import clocks, copies, journey, moves


def confirm(case: journey.Case, now: datetime, campaign: copies.Campaign) -> journey.Step:
    """The student says 正确.

    Raises:
        errors.Conflict: nothing is shown yet, the window is not open, or the one chance is used.
    """
    if case.state == "confirmed" and not campaign.chsi.one_chance:
        return journey.Step(case, case)
    _check_answer(case, now, campaign, clocks.proofreading_span(case, campaign.chsi), "verify-proofreading-not-open")
    after = replace(case, state="confirmed", outcome="confirmed", answers=case.answers + 1)
    return moves.step(case, after, campaign, verify.PhotoConfirmedV1)


def dispute(case: journey.Case, cause: journey.Cause, now: datetime, campaign: copies.Campaign) -> journey.Step:
    """The student says 有误.

    Raises:
        errors.Conflict: nothing is shown yet, errors are not taken now, or the one chance is used.
    """
    if case.state == "disputed" and case.cause == cause and not campaign.chsi.one_chance:
        return journey.Step(case, case)
    _check_answer(case, now, campaign, clocks.reporting_span(case, campaign.chsi), "verify-reporting-not-open")
    return moves.open_dispute(replace(case, answers=case.answers + 1), cause, now, campaign, before=case)


def _check_answer(
    case: journey.Case, now: datetime, campaign: copies.Campaign, window: tuple[datetime, datetime], closed: str
) -> None:
    if campaign.chsi.one_chance and case.answers:
        raise errors.Conflict("verify-one-chance-used")
    if case.state not in ("published", "confirmed"):
        raise errors.Conflict("verify-nothing-to-answer", state=case.state)
    opens_at, closes_at = window
    if not opens_at <= now < closes_at:
        raise errors.Conflict(
            closed, first_day=clocks.day(opens_at), last_day=clocks.day(closes_at - timedelta(days=1))
        )


def correct(case: journey.Case, campaign: copies.Campaign) -> journey.Step:
    """What CHSI shows is right now.

    Raises:
        errors.Conflict: there is no dispute.
    """
    if case.state == "corrected":
        return journey.Step(case, case)
    if case.state != "disputed":
        raise errors.Conflict("verify-nothing-to-correct", state=case.state)
    after = replace(case, state="corrected", outcome="corrected")
    return moves.step(case, after, campaign, verify.PhotoCorrectedV1)
