"""Registered codes: which digest is whose. One payload is never two students'."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from gradphoto_contracts import ids

Result = Literal["registered", "unchanged", "refused"]


class Claim(NamedTuple):
    """A student's claim to a code: the student found by 学号 (None: not on the roster), and the payload's digest."""

    student_no: str
    student_id: ids.StudentId | None
    digest: str


class Outcome(NamedTuple):
    """What became of a claim; `code` is the message that says so."""

    claim: Claim
    result: Result
    code: str


def decide(
    claims: Sequence[Claim], owners: Mapping[str, ids.StudentId], digests: Mapping[ids.StudentId, str]
) -> list[Outcome]:
    """Decide claims in order, given the digests registered so far (by digest, and by student).

    A student may replace the own code by a new one; a code that is, or in this list becomes, another's is refused.
    """
    taken, held = dict(owners), dict(digests)
    outcomes = []
    for claim in claims:
        outcome = _decide(claim, taken, held)
        if outcome.result == "registered" and claim.student_id is not None:
            taken.pop(held.get(claim.student_id, ""), None)
            taken[claim.digest] = claim.student_id
            held[claim.student_id] = claim.digest
        outcomes.append(outcome)
    return outcomes


def _decide(claim: Claim, taken: Mapping[str, ids.StudentId], held: Mapping[ids.StudentId, str]) -> Outcome:
    if claim.student_id is None:
        return Outcome(claim, "refused", "roster-student-no-unknown")
    if held.get(claim.student_id) == claim.digest:
        return Outcome(claim, "unchanged", "roster-code-unchanged")
    if claim.digest in taken:
        return Outcome(claim, "refused", "roster-code-taken")
    return Outcome(claim, "registered", "roster-code-registered")
