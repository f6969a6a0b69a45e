"""What the hub of a hall grants, and which desk is hub. Each rule reads the hall and returns what would follow."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gradphoto_contracts import ids
from station.domain import hall as halls
from station.domain.hall import Called, Claimed, Hall, Term, TermBegun


@dataclass(frozen=True, slots=True)
class Wish:
    """A desk would check a student in. `by_hand`: a registrar identified them, so a desk that is gone may be passed."""

    checkin_id: ids.CheckinId
    student_id: ids.StudentId
    class_id: ids.ClassId | None
    ticket: str
    ordinal: int
    desk: ids.StationId
    by_hand: bool = False
    replaces: tuple[ids.CheckinId, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """Another check-in, or another desk, has the student."""

    ticket: str
    desk: ids.StationId
    state: halls.State


@dataclass(frozen=True, slots=True)
class Unknown:
    """No such check-in is known: the hall was never told of it, or has forgotten it since it came to its end."""


def claim(hall: Hall, wish: Wish, term: Term | None, heard: Collection[ids.StationId], at: datetime) -> Claimed | Taken:
    """Let a desk check a student in, or say who has them. What was granted before is granted again.

    `term` None: the desk is alone and asks itself. A student whom a desk called that is not `heard` can be taken by
    hand, and that is apart, since the desk may be photographing behind a broken cable. `at` is the time of whoever
    grants: one clock orders the hall's queue.
    """
    known = hall.claim_of(wish.checkin_id)
    if known:
        return known
    held = [claim for claim in hall.live(wish.student_id) if claim.checkin_id not in wish.replaces]
    for claim in held:
        if claim.desk == wish.desk and hall.state(claim.checkin_id) == "waiting":
            return claim  # our answer was lost
    if held and not (wish.by_hand and _gone(hall, held, heard)):
        return _taken(hall, held[0])
    return Claimed(
        wish.checkin_id,
        wish.student_id,
        wish.class_id,
        wish.ticket,
        wish.ordinal,
        wish.desk,
        at,
        None if held else term,
        wish.replaces,
    )


def call(
    hall: Hall, checkin_id: ids.CheckinId, desk: ids.StationId, term: Term | None, at: datetime
) -> Called | Taken | Unknown:
    """Let a desk call the holder of a ticket, or say who has."""
    claim = hall.claim_of(checkin_id)
    if claim is None:
        return Unknown()
    for called in hall.calls.get(checkin_id, {}).values():
        if called.desk == desk and desk in hall.callers(checkin_id):
            return called
    if hall.state(checkin_id) != "waiting":
        return _taken(hall, claim)
    return Called(checkin_id, desk, at, term)


Part = Literal["alone", "hub", "member", "waiting", "begin"]


def part(
    hall: Hall,
    me: ids.StationId,
    order: Sequence[ids.StationId],
    heard: Collection[ids.StationId],
    *,
    beyond: Collection[ids.StationId] = (),
    relayed: bool = False,
) -> Part:
    """What a desk is to the hall. `order` is the same at every desk; `heard` are those that answered lately.

    A hub stays hub for as long as it is heard, also when one that stands before it comes back, and also through
    another desk (`relayed`): then there is one. When it is not, the first of those who hear each other begins a term,
    counting those `beyond`, whom the desks hear that are heard here. Two may do so on two sides of a broken cable:
    the greater term holds when they meet, and what was granted under the other one is apart.
    """
    if not heard:
        return "alone"
    term = hall.term
    if term and term.hub == me:
        return "hub"
    if term and (term.hub in heard or relayed):
        return "member"
    # Were the old hub heard by somebody who is heard here, there would be a way to it.
    others = {*heard, *beyond} - ({term.hub} if term else set())
    return "begin" if next(desk for desk in order if desk == me or desk in others) == me else "waiting"


def begin(hall: Hall, me: ids.StationId, at: datetime) -> TermBegun:
    """The next term, with all that is known as it begins."""
    number = hall.term.number + 1 if hall.term else 1
    return TermBegun(Term(number, me), tuple(sorted(hall.heads.items())), at)


def _gone(hall: Hall, held: Sequence[Claimed], heard: Collection[ids.StationId]) -> bool:
    desks = {desk for claim in held for desk in hall.callers(claim.checkin_id)}
    photographed = any(hall.state(claim.checkin_id) == "photographed" for claim in held)
    return bool(desks) and not photographed and not desks & set(heard)


def _taken(hall: Hall, claim: Claimed) -> Taken:
    caller = min(hall.callers(claim.checkin_id), default=claim.desk)
    return Taken(claim.ticket, caller, hall.state(claim.checkin_id))
