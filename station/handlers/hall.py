"""Check-in and call where several desks share one queue: the hub is asked between two looks at the desk.

`work.lock` is never held while the hub is awaited; what was granted meanwhile is looked at again.
"""

from collections.abc import Callable, Sequence

from gradphoto_contracts import ids
from kit.errors import Conflict
from station.domain import facts, hub, sharing, trimming
from station.domain import hall as halls
from station.handlers import recording
from station.ports import around, workplace

Decide = Callable[[], list[facts.Fact]]


async def check_in(
    work: workplace.Work, hall: around.Hall, wanted: facts.TicketIssued
) -> facts.TicketIssued | hub.Taken:
    """The ticket that the student holds now, journalled, or who else has them."""
    pack = work.packs.current()
    entry = work.packs.entry(wanted.student_id)
    replaces = sharing.replaced(
        hall.known,
        wanted.student_id,
        photographed=bool(entry and entry.photographed),
        pack_as_of=work.packs.as_of or pack.issued_at,
    )
    if wanted.manual_reason is not None:
        async with work.lock:
            asked = facts.CheckInAsked(wanted.checkin_id, wanted.manual_reason, wanted.manual_role)
            await recording.record(work, [asked])
    answer = await hall.claim(sharing.wish(wanted, hall.me, replaces))
    if isinstance(answer, hub.Taken):
        return answer
    apart = hall.known.claimed_apart(answer.checkin_id)
    issued = sharing.issued(answer, apart=apart, manual_reason=wanted.manual_reason, manual_role=wanted.manual_role)
    async with work.lock:
        if issued.ticket not in work.desk.tickets:
            await recording.record(work, [issued])
    return issued


async def seat(work: workplace.Work, decide: Decide, *, named: bool) -> None:
    """Record what `decide` says; whoever is to sit is called first, so that no other desk calls them too.

    Raises Conflict when another desk has them and the operator had `named` them; else the next one's turn comes.
    """
    called: set[str] = set()
    caught_up = work.hall is None
    while True:
        async with work.lock:
            happened = decide()
            number = next((fact.ticket for fact in happened if isinstance(fact, facts.Seated)), None)
            # Whom this desk thinks skipped, another may have called a moment ago.
            ask_first = not caught_up and any(isinstance(f, facts.DriftSuspected) for f in happened)
            if not ask_first and (work.hall is None or number is None or number in called):
                await recording.record(work, _unless_taken_twice(work, happened, number))
                return
        if work.hall is None:
            caught_up = True
            continue
        if number is None:
            await settle(work, work.hall, await work.hall.catch_up())
            caught_up = True
            continue
        ticket = work.desk.tickets[number]
        answer = await work.hall.call(ticket.checkin_id)
        # Of a ticket from before the hall the others are told when the queue is settled; it is this desk's own.
        if isinstance(answer, halls.Called) or (isinstance(answer, hub.Unknown) and ticket.hall is None):
            called.add(number)
            continue
        if isinstance(answer, hub.Unknown):
            await _let_go(work, number)
        await settle(work, work.hall, [ticket.checkin_id])
        if named or number in work.desk.waiting:
            by = work.hall.codes.get(answer.desk, "?") if isinstance(answer, hub.Taken) else ticket.home or "?"
            raise Conflict("hall-called-elsewhere", ticket=number, desk=by)


async def _let_go(work: workplace.Work, number: str) -> None:
    """Nobody knows of a ticket any more that the hall granted: its holder is done, or gone."""
    async with work.lock:
        ticket = work.desk.tickets[number]
        if ticket.state == "waiting":
            entry = work.packs.entry(ticket.student_id)
            photographed = bool(entry and entry.photographed)
            left = sharing.forgotten(ticket, photographed=photographed, now=work.clock.now())
            await recording.record(work, [left])


async def settle(work: workplace.Work, hall: around.Hall, checkins: Sequence[ids.CheckinId]) -> None:
    """Bring this desk's queue and the hall's to the same state, as far as these check-ins go. Again changes nothing."""
    async with work.lock:
        now = work.clock.now()
        await recording.record(work, sharing.to_desk(work.desk, hall.known, hall.me, hall.codes, checkins, now))
        told = sharing.to_hall(work.desk, hall.known, hall.me, checkins)
    await hall.note(told)


async def tell_releases(work: workplace.Work, hall: around.Hall) -> None:
    """Tell the hall of whom the server knows by now that they walked off here."""
    now = work.clock.now()
    known = [c for c in trimming.untold(hall.known, hall.me) if await work.journal.answer("release", c) is not None]
    await hall.note([halls.Ended(checkin_id, hall.me, "told", now) for checkin_id in known])


def _unless_taken_twice(work: workplace.Work, happened: list[facts.Fact], number: str | None) -> list[facts.Fact]:
    """A student whom two desks took stops the desk that would photograph them, once: then its operator has said."""
    if number is None or work.hall is None or any(isinstance(fact, facts.DriftResolved) for fact in happened):
        return happened
    ticket = work.desk.tickets[number]
    double = work.hall.known.double_of(ticket.student_id)
    if double is None:
        return happened
    others = [holder for holder in double.holders if holder != (ticket.checkin_id, work.hall.me)]
    claim = work.hall.known.claim_of(others[0][0])
    seen = claim.ticket if claim else "-"
    if seen == number:  # one ticket that two desks called
        seen = f"{number}@{work.hall.codes.get(others[0][1], '?')}"
    now, drift_id = work.clock.now(), ids.DriftId(work.new_id())
    return [facts.DriftSuspected(drift_id, "double_checkin", number, seen, now)]
