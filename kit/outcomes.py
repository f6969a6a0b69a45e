"""What becomes of a message: three named outcomes, decided here alone from how its handling ended."""

from dataclasses import dataclass

import pydantic

from gradphoto_contracts.envelope import MalformedEnvelope
from kit import errors

#: How long a message waits before its second, third and each later try, in milliseconds.
RETRY_TTL_MS = (500, 5_000, 30_000)
#: Tries for a failure that we did not expect: more would not help a bug.
UNEXPECTED_TRIES = 4
#: Tries while something needed is away (`Unavailable`): about an hour.
UNAVAILABLE_TRIES = 120


@dataclass(frozen=True)
class Done:
    """Handled, or handled before."""

    name = "done"


@dataclass(frozen=True)
class Retry:
    """Try again after the wait of `tier`, which counts from 1."""

    tier: int
    reason: str
    name = "retry"


@dataclass(frozen=True)
class Reject:
    """Never handled as it is: to the dead letters, where a person decides."""

    reason: str
    name = "reject"


Outcome = Done | Retry | Reject


def judge(error: Exception | None, tries: int, tiers: int = len(RETRY_TTL_MS)) -> Outcome:
    """The outcome of the try number `tries` (from 1) that ended in `error`, where `tiers` waits are to be had."""
    match error:
        case None:
            return Done()
        case errors.Unavailable():
            return _again(error.code, tries, UNAVAILABLE_TRIES, tiers)
        case errors.Problem():
            return Reject(error.code)
        case MalformedEnvelope():
            return Reject("envelope-malformed")
        case pydantic.ValidationError():
            return Reject("event-malformed")
        case _:
            return _again("unexpected-failure", tries, UNEXPECTED_TRIES, tiers)


def _again(reason: str, tries: int, limit: int, tiers: int) -> Outcome:
    return Retry(min(tries, tiers), reason) if tries < limit else Reject(reason)
