"""What becomes of a message is decided by how its handling ended, and by how often it was tried."""

import pydantic
import pytest

from gradphoto_contracts.envelope import MalformedEnvelope
from kit import errors, outcomes


class Narrow(pydantic.BaseModel):
    """A model that refuses text."""

    number: int


def validation_error() -> pydantic.ValidationError:
    """What a malformed event raises."""
    with pytest.raises(pydantic.ValidationError) as caught:
        Narrow.model_validate({"number": "x"})
    return caught.value


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.Conflict("slot-taken"), "slot-taken"),
        (errors.NotFound("no-such-class"), "no-such-class"),
        (MalformedEnvelope("headers"), "envelope-malformed"),
        (validation_error(), "event-malformed"),
    ],
)
def test_what_trying_again_cannot_help_is_rejected_at_once(error: Exception, reason: str) -> None:
    """A problem of the event itself goes to the dead letters with its code at the first try."""
    assert outcomes.judge(error, 1) == outcomes.Reject(reason)


def test_no_error_is_done() -> None:
    """A handler that returns is done."""
    assert outcomes.judge(None, 3) == outcomes.Done()


def test_a_bug_climbs_the_tiers_and_dies() -> None:
    """An unexpected failure waits longer each time and is rejected after its last try."""
    found = [outcomes.judge(ZeroDivisionError(), tries) for tries in range(1, 5)]
    reason = "unexpected-failure"
    assert found == [*(outcomes.Retry(tier, reason) for tier in (1, 2, 3)), outcomes.Reject(reason)]


def test_unavailable_stays_on_the_last_tier_for_an_hour() -> None:
    """What is away is waited for in the longest tier, until the tries are used up."""
    away = errors.Unavailable("database-unavailable")
    assert outcomes.judge(away, 50) == outcomes.Retry(3, "database-unavailable")
    assert outcomes.judge(away, outcomes.UNAVAILABLE_TRIES) == outcomes.Reject("database-unavailable")
