"""Between one desk and its hall: what the desk learns of the others' tickets, and what it has to tell of its own."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from gradphoto_contracts import ids
from station.domain import facts, hub
from station.domain.desk import Desk, Ticket
from station.domain.hall import Claimed, Ended, Fact, Hall
from station.domain.rules import INSPECTION_GRACE


def to_desk(
    desk: Desk, hall: Hall, me: ids.StationId, codes: Mapping[ids.StationId, str], checkins: Iterable[ids.CheckinId],
    now: datetime,
) -> list[facts.Fact]:  # fmt: skip
    """What follows for this desk's queue. All desks show one queue: each takes in what waits, and lets go what left."""
    claims = [claim for checkin_id in checkins if (claim := hall.claim_of(checkin_id))]
    found = [_to_desk(desk, hall, me, codes, claim, now) for claim in sorted(claims, key=_turn)]
    return [fact for fact in found if fact]


def to_hall(desk: Desk, hall: Hall, me: ids.StationId, checkins: Iterable[ids.CheckinId]) -> list[Fact]:
    """What the other desks do not know yet: how check-ins ended here, and tickets that were issued without a hall."""
    told: list[Fact] = []
    for checkin_id in checkins:
        claim = hall.claim_of(checkin_id)
        ticket = desk.tickets.get(claim.ticket) if claim else None
        if ticket and ticket.checkin_id == checkin_id:
            told += _ends(desk, hall, me, ticket)
    numbers = [*desk.waiting, *([desk.seated] if desk.seated else [])]
    strangers = [desk.tickets[number] for number in numbers if desk.tickets[number].checkin_id not in hall.claims]
    # What the hall granted and knows no longer has come to its end: it is not told anew.
    return told + [_unasked(ticket, me) for ticket in strangers if ticket.home is None and ticket.hall is None]


def forgotten(ticket: Ticket, *, photographed: bool, now: datetime) -> facts.TicketLeft:
    """What became of a ticket that the hall granted and knows no longer: each desk's pack says who has a photo."""
    return facts.TicketLeft(ticket.number, ticket.home or "?", "photographed" if photographed else "released", now)


def replaced(
    hall: Hall, student_id: ids.StudentId, *, photographed: bool, pack_as_of: datetime
) -> tuple[ids.CheckinId, ...]:
    """The student's check-ins whose photo the server has and does not count: it refused them, and they come again."""
    if photographed:
        return ()
    stored = [(claim.checkin_id, hall.stored_at(claim.checkin_id)) for claim in hall.live(student_id)]
    return tuple(checkin_id for checkin_id, at in stored if at is not None and pack_as_of >= at + INSPECTION_GRACE)


def issued(
    claim: Claimed, *, apart: bool, manual_reason: str | None = None, manual_role: facts.Role | None = None
) -> facts.TicketIssued:
    """A claim that was granted, as this desk's own fact."""
    term = claim.term.number if claim.term else None
    return facts.TicketIssued(
        *(claim.ticket, claim.ordinal, claim.checkin_id, claim.student_id, claim.class_id, claim.at),
        manual_reason=manual_reason,
        hall=facts.Grant(term, apart=apart),
        manual_role=manual_role,
    )


def wish(issued: facts.TicketIssued, me: ids.StationId, replaces: tuple[ids.CheckinId, ...]) -> hub.Wish:
    """What this desk would do, as it asks for it."""
    return hub.Wish(
        *(issued.checkin_id, issued.student_id, issued.class_id, issued.ticket, issued.ordinal, me),
        by_hand=issued.manual_reason is not None,
        replaces=replaces,
    )


def _turn(claim: Claimed) -> tuple[datetime, str]:
    return claim.at, claim.ticket


def _to_desk(
    desk: Desk, hall: Hall, me: ids.StationId, codes: Mapping[ids.StationId, str], claim: Claimed, now: datetime
) -> facts.Fact | None:
    ticket = desk.tickets.get(claim.ticket)
    state, callers = hall.state(claim.checkin_id), hall.callers(claim.checkin_id)
    apart = hall.claimed_apart(claim.checkin_id)
    if ticket is None:
        if claim.desk == me:  # we died between the grant and our journal
            asked = desk.asked.get(claim.checkin_id)
            by_hand = (asked.reason, asked.role) if asked else (None, None)
            return issued(claim, apart=apart, manual_reason=by_hand[0], manual_role=by_hand[1])
        if state == "waiting" or (state == "called" and me in callers):
            return _adopted(claim, codes.get(claim.desk, "?"), apart=apart)
        return None
    if ticket.checkin_id != claim.checkin_id or ticket.state != "waiting" or state == "waiting" or me in callers:
        return None
    how: Literal["called", "released", "photographed"] = state
    return facts.TicketLeft(claim.ticket, codes.get(min(callers, default=claim.desk), "?"), how, now)


def _adopted(claim: Claimed, home: str, *, apart: bool) -> facts.TicketAdopted:
    grant = facts.Grant(claim.term.number if claim.term else None, apart=apart)
    return facts.TicketAdopted(
        *(claim.ticket, claim.ordinal, claim.checkin_id, claim.student_id, claim.class_id, claim.at), home, grant
    )


def _ends(desk: Desk, hall: Hall, me: ids.StationId, ticket: Ticket) -> list[Fact]:
    told = {end.how for end in hall.ends.get(ticket.checkin_id, {}).values() if end.desk == me}
    if ticket.state == "released" and ticket.ended_at and "released" not in told:
        return [Ended(ticket.checkin_id, me, "released", ticket.ended_at)]
    if ticket.state != "photographed":
        return []
    kept = desk.frames.get(desk.kept[ticket.student_id])
    ends: list[Fact] = []
    if kept and kept.decided and "photographed" not in told:
        ends.append(Ended(ticket.checkin_id, me, "photographed", kept.decided.at))
    if kept and kept.received and kept.taken.checkin_id == ticket.checkin_id and "stored" not in told:
        ends.append(Ended(ticket.checkin_id, me, "stored", kept.received.at))
    return ends


def _unasked(ticket: Ticket, me: ids.StationId) -> Claimed:
    return Claimed(
        *(ticket.checkin_id, ticket.student_id, ticket.class_id, ticket.number, ticket.ordinal, me, ticket.issued_at),
        term=None,
    )
