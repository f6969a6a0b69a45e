"""Check-in, walk-off, seat and suspected drift."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Literal
from uuid import UUID

from gradphoto_contracts import ids
from kit.errors import Conflict, Invalid, NotFound
from station.domain import facts, hub, resolving, rules
from station.domain.desk import Ticket
from station.domain.pack import Entry, Pack
from station.handlers import hall, recording, slips
from station.ports import hardware, workplace

#: Days are those of the hall, whatever the laptop is set to: all of China has one time.
CHINA = timezone(timedelta(hours=8))

Outcome = Literal[
    "issued",
    "already_ticketed",
    "already_photographed",
    "unknown_code",
    "card_not_used",
    "unknown_student",
    "not_eligible",
    "other_class",
    "other_day",
    "shown",
]
#: Where the plan alone stands in the way, somebody in charge may depart from it.
MAY_BE_LET_IN: frozenset[Outcome] = frozenset({"other_class", "other_day"})


@dataclass(frozen=True, slots=True)
class CheckIn:
    """How a check-in ended. `issued`, `already_ticketed` and `shown` come with a ticket."""

    outcome: Outcome
    ticket: str | None = None
    student_id: ids.StudentId | None = None
    class_label: str | None = None
    #: When the class is to come, if that is another day.
    day: date | None = None

    @property
    def code(self) -> str:
        """The code of the message to the operator."""
        return f"checkin-{self.outcome.replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class ByHand:
    """On whose word, and why, somebody is checked in whom the rules alone would not."""

    role: facts.Role
    reason: str


async def check_in(
    work: workplace.Work, scan: str, source: hardware.Source = "code", *, by_operator: bool = True
) -> CheckIn:
    """Answer a scanned code or a swiped card, from this disk alone.

    The slip of a ticket of this desk is a number shown at the seat. Whom a helper's scan turns away the operator has
    not seen, and does not let in for it.
    """
    if scan in work.desk.tickets:
        return await show(work, scan)
    async with work.lock:
        answer = await _scanned(work, scan, source)
        if by_operator:
            _note_turned_away(work, answer)
    return await _agreed(work, answer)


async def admit_turned_away(work: workplace.Work, stamp: UUID, role: facts.Role, reason: str) -> CheckIn:
    """Somebody in charge lets in whom check-in turned away last: a class of another desk or day. On the record.

    `stamp` is whom they mean; raises Conflict when somebody else was turned away since.
    """
    if not reason.strip():
        raise Invalid("desk-override-needs-reason")
    turned_away = work.turned_away
    if turned_away is None:
        raise Conflict("desk-nobody-turned-away")
    if turned_away.stamp != stamp:
        raise Conflict("desk-another-turned-away")
    return await check_in_by_hand(work, turned_away.student_id, reason.strip(), role)


async def check_in_by_hand(
    work: workplace.Work, student_id: ids.StudentId, reason: str, role: facts.Role = "registrar"
) -> CheckIn:
    """Check a student in whom the registrar has identified: a forgotten code, a class that came on another day."""
    async with work.lock:
        pack = work.packs.current()
        entry = work.packs.entry(student_id)
        if entry is None:
            work.packs.hurry()
            return CheckIn("unknown_student")
        answer = await _admit(work, pack, entry, ByHand(role, reason))
        _note_turned_away(work, answer)
    return await _agreed(work, answer)


async def show(work: workplace.Work, scan: str) -> CheckIn:
    """Whoever is at the seat shows the slip, or the code itself: that is who sits, or drift is suspected."""
    ticket = work.desk.tickets.get(scan) or _held(work, scan)
    if ticket is None:
        raise NotFound("desk-ticket-unknown", ticket="-")
    number = ticket.number
    await hall.seat(work, lambda: rules.show(work.desk, number, work.new_id, work.clock.now()), named=True)
    return CheckIn("shown", number, ticket.student_id)


async def release(work: workplace.Work, ticket: str, reason: str) -> None:
    """The holder of a ticket walked off."""
    async with work.lock:
        if work.exposing and work.desk.seated == ticket:
            raise Conflict("desk-shutter-busy")
        await recording.record(work, rules.release(work.desk, ticket, reason, work.clock.now()))


async def seat(work: workplace.Work, ticket: str | None) -> None:
    """Call the next student to the seat, or seat the number that was shown; out of turn it is suspected drift."""
    await hall.seat(
        work, lambda: rules.seat(work.desk, ticket, work.new_id, work.clock.now()), named=ticket is not None
    )


async def resolve_drift(
    work: workplace.Work, drift_id: ids.DriftId, resolution: facts.Resolution, note: str | None
) -> None:
    """End the suspected drift that is shown."""
    await hall.seat(
        work, lambda: resolving.resolve(work.desk, drift_id, resolution, note, work.clock.now()), named=True
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A ticket that this desk would issue if the hall agrees."""

    issued: facts.TicketIssued
    class_label: str | None


async def _agreed(work: workplace.Work, answer: "CheckIn | _Wanted") -> CheckIn:
    """Ask the hall, where there is one; the desk may go on with other things meanwhile."""
    if isinstance(answer, CheckIn):
        return answer
    if work.hall is None:
        raise TypeError("nobody to ask")
    student_id, label = answer.issued.student_id, answer.class_label
    agreed = await hall.check_in(work, work.hall, answer.issued)
    if isinstance(agreed, hub.Taken):
        done = agreed.state == "photographed"
        return CheckIn("already_photographed" if done else "already_ticketed", agreed.ticket, student_id, label)
    own = agreed.checkin_id == answer.issued.checkin_id
    if own:
        await slips.issue(work, agreed.ticket)
    return CheckIn("issued" if own else "already_ticketed", agreed.ticket, student_id, label)


async def _scanned(work: workplace.Work, scan: str, source: hardware.Source) -> "CheckIn | _Wanted":
    pack = work.packs.current()
    entry = work.packs.find(scan)
    if entry is None and source == "id_card" and pack.identity_mode != "id_card":
        return CheckIn("card_not_used")
    if entry is None:
        work.packs.hurry()
        return CheckIn("unknown_code")
    return await _admit(work, pack, entry, None)


def _note_turned_away(work: workplace.Work, answer: "CheckIn | _Wanted") -> None:
    """Who is turned away twice in a row is the same one, under the same stamp."""
    before, work.turned_away = work.turned_away, None
    if isinstance(answer, CheckIn) and answer.outcome in MAY_BE_LET_IN and answer.student_id:
        again = before if before and before.student_id == answer.student_id else None
        work.turned_away = again or workplace.TurnedAway(work.new_id(), answer.student_id)


async def _admit(work: workplace.Work, pack: Pack, entry: Entry, by_hand: ByHand | None) -> "CheckIn | _Wanted":
    outcome, held = _outcome(work, pack, entry, by_hand=by_hand is not None)
    label = next((c.label for c in pack.classes if c.class_id == entry.class_id), None)
    if outcome != "issued":
        day = _day(work, pack, entry) if outcome == "other_day" else None
        return CheckIn(outcome, held, entry.student_id, label, day)
    issued = rules.issue_ticket(
        work.desk,
        entry.student_id,
        entry.class_id,
        ids.CheckinId(work.new_id()),
        work.clock.now(),
        next_known=max(pack.desk.next_ticket, work.hall.next_ordinal if work.hall else 0),
        manual_reason=by_hand.reason if by_hand else None,
        manual_role=by_hand.role if by_hand else None,
    )
    if work.hall:
        await work.hall.reserve(issued.ordinal)
        return _Wanted(issued, label)
    await recording.record(work, [issued])
    await slips.issue(work, issued.ticket)
    return CheckIn("issued", issued.ticket, entry.student_id, label)


def _held(work: workplace.Work, scan: str) -> Ticket | None:
    """The last ticket of whom this code belongs to."""
    entry = work.packs.find(scan)
    held = work.desk.tickets_of.get(entry.student_id, []) if entry else []
    return work.desk.tickets[held[-1]] if held else None


def _outcome(work: workplace.Work, pack: Pack, entry: Entry, *, by_hand: bool) -> tuple[Outcome, str | None]:
    held = work.desk.open_ticket(entry.student_id)
    if held:
        return "already_ticketed", held.number
    as_of = work.packs.as_of or pack.issued_at
    if rules.is_photographed(work.desk, entry.student_id, entry.photographed, as_of):
        return "already_photographed", None
    if not entry.eligible:
        return "not_eligible", None
    here = {planned.class_id for planned in pack.classes}
    if here and entry.class_id not in here and not by_hand:
        return "other_class", None
    if not by_hand and _day(work, pack, entry) is not None:
        return "other_day", None
    return "issued", None


def _day(work: workplace.Work, pack: Pack, entry: Entry) -> date | None:
    """The day on which this student's class is to come, if that is not today; the nearest one."""
    planned = next((one for one in pack.classes if one.class_id == entry.class_id), None)
    days = {starts.astimezone(CHINA).date() for starts in planned.starts_at} if planned else set()
    today = work.clock.now().astimezone(CHINA).date()
    return None if not days or today in days else min(days, key=lambda day: abs(day - today))


def pack_age_s(work: workplace.Work, now: datetime) -> float | None:
    """How long ago the server last confirmed the pack; None while there is none."""
    return None if work.packs.as_of is None else max(0.0, (now - work.packs.as_of).total_seconds())


def pack_is_old(work: workplace.Work, now: datetime) -> bool:
    """Whether the pack is older than the campaign's policy likes; without any pack there is none to be old."""
    return work.packs.as_of is not None and work.packs.current().is_old(now, work.packs.as_of)
