"""What of a hall's logs nobody needs any more: every desk has it, the server has it, and every desk's pack says so."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from gradphoto_contracts import ids
from station.domain.hall import Called, Claimed, Fact, Hall, Heads, Stamp, Term, TermBegun
from station.domain.rules import INSPECTION_GRACE


def frontier(known: Mapping[ids.StationId, Heads]) -> Heads:
    """How far each log is known to every desk. `known`: what each desk of the hall is known to know."""
    authors = {author for heads in known.values() for author in heads}
    return {author: min(heads.get(author, 0) for heads in known.values()) for author in authors}


def trimmable(
    hall: Hall, everywhere: Heads, packs_as_of: datetime, open_here: Collection[ids.CheckinId] = ()
) -> list[Stamp]:
    """The entries that may go. `everywhere`: as far as every desk knows the logs; `packs_as_of`: the oldest desk pack.

    `open_here` are check-ins that this desk has not brought its own queue in line with yet.

    All check-ins of a student go together, or none: half of what is known of somebody would be something else. A
    student who was taken twice stays, for as long as this hall works.
    """
    settled = [student_id for student_id, theirs in hall.of_student.items() if theirs.isdisjoint(open_here)]
    gone = [stamp for student_id in settled for stamp in _of(hall, student_id, everywhere, packs_as_of)]
    return gone + _terms(hall, everywhere, set(gone))


def untold(hall: Hall, desk: ids.StationId) -> list[ids.CheckinId]:
    """Check-ins that were released at this desk, and of which the hall does not know yet that the server knows."""
    return [
        checkin_id
        for checkin_id in hall.ends
        if {"released"} == {end.how for end in hall.ends[checkin_id].values() if end.desk == desk}
    ]


def _of(hall: Hall, student_id: ids.StudentId, everywhere: Heads, packs_as_of: datetime) -> list[Stamp]:
    checkins = hall.of_student[student_id]
    stamps = [stamp for checkin_id in checkins for stamp in _stamps(hall, checkin_id)]
    known = all(seq <= everywhere.get(author, 0) for author, seq in stamps)
    if not known or hall.double_of(student_id) is not None:
        return []
    return stamps if all(_done(hall, checkin_id, packs_as_of) for checkin_id in checkins) else []


def _stamps(hall: Hall, checkin_id: ids.CheckinId) -> Iterator[Stamp]:
    for known in (hall.claims, hall.calls, hall.ends):
        yield from known.get(checkin_id, {})


def _done(hall: Hall, checkin_id: ids.CheckinId, packs_as_of: datetime) -> bool:
    stored_at = hall.stored_at(checkin_id)
    if stored_at is not None:
        # From then on each desk's pack tells whether they have a photo, and no longer this hall.
        return packs_as_of >= stored_at + INSPECTION_GRACE
    told = any(end.how == "told" for end in hall.ends.get(checkin_id, {}).values())
    return told and hall.state(checkin_id) == "released"


def _terms(hall: Hall, everywhere: Heads, gone: set[Stamp]) -> list[Stamp]:
    """Terms that decide about nothing that is left: the newest stays, and whatever is later than a grant that stays."""
    granted = [_granted(fact) for stamp, fact in _facts(hall) if stamp not in gone]
    stays = min((term for term in granted if term is not None), default=None)
    return [
        stamp
        for stamp, fact in _facts(hall)
        if isinstance(fact, TermBegun)
        and fact.term != hall.term
        and stamp[1] <= everywhere.get(stamp[0], 0)
        and (stays is None or fact.term <= stays)
    ]


def _facts(hall: Hall) -> Iterator[tuple[Stamp, Fact]]:
    for author, log in hall.logs.items():
        for seq, fact in log.items():
            yield (author, seq), fact


def _granted(fact: Fact) -> Term | None:
    return fact.term if isinstance(fact, Claimed | Called) else None
