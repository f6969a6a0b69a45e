"""What the desks of one hall know together: who holds which 拍摄号, who called whom, and who was hub when.

Every desk keeps a log of its own that only grows; a hall is the union of these logs. Taking an entry in twice, late or
in another order gives the same hall, so that desks may exchange what they have in any way they can.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gradphoto_contracts import ids

#: How far each desk's log is known, without a gap.
Heads = Mapping[ids.StationId, int]
State = Literal["waiting", "called", "photographed", "released"]


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """A desk's time as hub. Of two terms the greater holds; two desks that begin one at once have different ones."""

    number: int
    hub: ids.StationId


@dataclass(frozen=True, slots=True)
class TermBegun:
    """A desk became hub, knowing the logs as far as `seen`. What an older hub granted beyond that is apart."""

    term: Term
    seen: tuple[tuple[ids.StationId, int], ...]
    at: datetime
    kind: Literal["term_begun"] = "term_begun"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A desk checked a student in. Granted by the hub of `term`; None: nobody was asked, or nobody could be.

    `replaces` are check-ins of the student that came to nothing: the server refused their photos.
    """

    checkin_id: ids.CheckinId
    student_id: ids.StudentId
    class_id: ids.ClassId | None
    ticket: str
    ordinal: int
    desk: ids.StationId
    at: datetime
    term: Term | None
    replaces: tuple[ids.CheckinId, ...] = ()
    kind: Literal["claimed"] = "claimed"


@dataclass(frozen=True, slots=True)
class Called:
    """A desk called the holder of a ticket to its seat. `term` as for a claim."""

    checkin_id: ids.CheckinId
    desk: ids.StationId
    at: datetime
    term: Term | None
    kind: Literal["called"] = "called"


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a check-in at a desk. `stored`: the server has the photo; `told`: it knows that they walked off."""

    checkin_id: ids.CheckinId
    desk: ids.StationId
    how: Literal["released", "photographed", "stored", "told"]
    at: datetime
    kind: Literal["ended"] = "ended"


Fact = TermBegun | Claimed | Called | Ended


@dataclass(frozen=True, slots=True)
class Entry:
    """The `seq`-th fact in the log of `author`, counted from 1.

    `after` is the entry before it as the speaker has the log; what lay between was trimmed, since every desk had it.
    """

    author: ids.StationId
    seq: int
    fact: Fact
    after: int | None = None

    @property
    def follows(self) -> int:
        """Who knows the log as far as this may take the entry in."""
        return self.seq - 1 if self.after is None else self.after


Stamp = tuple[ids.StationId, int]


@dataclass(frozen=True, slots=True)
class Double:
    """One student taken twice: check-ins, or desks, of which at most one may be in force."""

    student_id: ids.StudentId
    holders: tuple[tuple[ids.CheckinId, ids.StationId], ...]


class Hall:
    """The union of all logs that one desk knows."""

    def __init__(self, entries: Iterable[Entry] = (), trimmed: Heads | None = None) -> None:
        """`trimmed`: how far each log was known when it was trimmed last."""
        self.logs: dict[ids.StationId, dict[int, Fact]] = {}
        self._trimmed: dict[ids.StationId, int] = dict(trimmed or {})
        self.terms: dict[Term, dict[ids.StationId, int]] = {}
        self.claims: dict[ids.CheckinId, dict[Stamp, Claimed]] = {}
        self.calls: dict[ids.CheckinId, dict[Stamp, Called]] = {}
        self.ends: dict[ids.CheckinId, dict[Stamp, Ended]] = {}
        self.of_student: dict[ids.StudentId, set[ids.CheckinId]] = {}
        self.replaced: set[ids.CheckinId] = set()
        self._early: dict[ids.StationId, dict[int, Entry]] = {}
        for entry in entries:
            self._keep(entry)

    @property
    def heads(self) -> dict[ids.StationId, int]:
        """How much of each log is known."""
        return {author: self.head(author) for author in {**self._trimmed, **self.logs}}

    @property
    def term(self) -> Term | None:
        """The term that holds, as far as is known here."""
        return max(self.terms, default=None)

    def following(self, author: ids.StationId, fact: Fact) -> Entry:
        """The fact as the next entry of a log."""
        return Entry(author, self.head(author) + 1, fact)

    def head(self, author: ids.StationId) -> int:
        """How far one log is known."""
        return max(self._trimmed.get(author, 0), next(reversed(self.logs.get(author, {})), 0))

    def take_in(self, entry: Entry) -> list[Entry]:
        """Add an entry; those that are new now, in order. One whose forerunners are missing waits for them."""
        early = self._early.setdefault(entry.author, {})
        known = early.get(entry.seq)
        if known is None or entry.follows < known.follows:
            early[entry.seq] = entry
        new = []
        while (ready := self._ready(early, self.head(entry.author))) is not None:
            self._keep(early.pop(ready))
            new.append(Entry(entry.author, ready, self.logs[entry.author][ready]))
        return new

    def beyond(self, heads: Heads, limit: int) -> list[Entry]:
        """What somebody lacks who knows the logs as far as `heads`: at most `limit` entries, in order."""
        lacking = (entry for author in self.logs for entry in self._beyond(author, heads.get(author, 0)))
        return list(itertools.islice(lacking, limit))

    def trim(self, stamps: Collection[Stamp]) -> None:
        """Forget these entries (`station.domain.trimming`). How far the logs are known stays."""
        for author in {author for author, _ in stamps}:
            self._trimmed[author] = self.head(author)
        for author, seq in stamps:
            fact = self.logs[author].pop(seq)
            if isinstance(fact, TermBegun):
                del self.terms[fact.term]
            else:
                self._forget((author, seq), fact)

    def claim_of(self, checkin_id: ids.CheckinId) -> Claimed | None:
        """The claim, whoever wrote it down; one that was granted twice says the same but for its term."""
        claims = self.claims.get(checkin_id)
        return claims[min(claims)] if claims else None

    def callers(self, checkin_id: ids.CheckinId) -> set[ids.StationId]:
        """The desks to which the holder was called and that did not release them."""
        called = {call.desk for call in self.calls.get(checkin_id, {}).values()}
        return called - self._ended(checkin_id, "released")

    def state(self, checkin_id: ids.CheckinId) -> State:
        """What has become of a check-in."""
        if self._ended(checkin_id, "photographed") or self._ended(checkin_id, "stored"):
            return "photographed"
        if self.callers(checkin_id):
            return "called"
        return "released" if self._ended(checkin_id, "released") else "waiting"

    def stored_at(self, checkin_id: ids.CheckinId) -> datetime | None:
        """When the server is known to have had the photo."""
        ends = self.ends.get(checkin_id, {}).values()
        return min((end.at for end in ends if end.how == "stored"), default=None)

    def live(self, student_id: ids.StudentId) -> list[Claimed]:
        """The check-ins of a student that wait, are called, or came to a photo; in the same order everywhere."""
        held = self.of_student.get(student_id, set()) - self.replaced
        claims = [self.claim_of(checkin_id) for checkin_id in sorted(held) if self.state(checkin_id) != "released"]
        return [claim for claim in claims if claim is not None]

    def apart(self, stamp: Stamp, term: Term | None) -> bool:
        """Whether a grant was made where the hall could not know of it: by a desk alone, or by a hub deposed."""
        author, seq = stamp
        return term is None or any(later > term and seq > seen.get(author, 0) for later, seen in self.terms.items())

    def claimed_apart(self, checkin_id: ids.CheckinId) -> bool:
        """Whether nobody that spoke for the whole hall granted this check-in."""
        return all(self.apart(stamp, claim.term) for stamp, claim in self.claims.get(checkin_id, {}).items())

    def called_apart(self, checkin_id: ids.CheckinId, desk: ids.StationId) -> bool:
        """Whether nobody that spoke for the whole hall let this desk call the holder."""
        calls = self.calls.get(checkin_id, {}).items()
        return all(self.apart(stamp, call.term) for stamp, call in calls if call.desk == desk)

    def double_of(self, student_id: ids.StudentId) -> Double | None:
        """Whether, and where, a student was taken twice."""
        holders = tuple(
            (claim.checkin_id, desk)
            for claim in self.live(student_id)
            for desk in sorted(self.callers(claim.checkin_id) or {claim.desk})
        )
        return Double(student_id, holders) if len(holders) > 1 else None

    def doubles(self) -> Iterator[Double]:
        """All students taken twice."""
        for student_id in sorted(self.of_student):
            if double := self.double_of(student_id):
                yield double

    def _ended(self, checkin_id: ids.CheckinId, how: str) -> set[ids.StationId]:
        return {end.desk for end in self.ends.get(checkin_id, {}).values() if end.how == how}

    def _beyond(self, author: ids.StationId, head: int) -> Iterator[Entry]:
        before = 0
        for seq, fact in self.logs[author].items():
            if seq > head:
                yield Entry(author, seq, fact, None if before == seq - 1 else before)
            before = seq

    @staticmethod
    def _ready(early: dict[int, Entry], head: int) -> int | None:
        for seq in [seq for seq in early if seq <= head]:
            del early[seq]
        return min((seq for seq, entry in early.items() if entry.follows <= head), default=None)

    def _keep(self, entry: Entry) -> None:
        self.logs.setdefault(entry.author, {})[entry.seq] = entry.fact
        self._apply((entry.author, entry.seq), entry.fact)

    def _forget(self, stamp: Stamp, fact: Claimed | Called | Ended) -> None:
        known: dict[ids.CheckinId, dict[Stamp, Claimed]] | dict[ids.CheckinId, dict[Stamp, Called]]
        known = {Claimed: self.claims, Called: self.calls, Ended: self.ends}[type(fact)]  # type: ignore[assignment]
        known[fact.checkin_id].pop(stamp)
        if known[fact.checkin_id]:
            return  # granted twice, by a hub that died before it told and by the next: it goes with the last
        del known[fact.checkin_id]
        if isinstance(fact, Claimed):
            self.replaced.difference_update(fact.replaces)
            theirs = self.of_student[fact.student_id]
            theirs.discard(fact.checkin_id)
            if not theirs:
                del self.of_student[fact.student_id]

    def _apply(self, stamp: Stamp, fact: Fact) -> None:
        match fact:
            case TermBegun():
                self.terms[fact.term] = dict(fact.seen)
            case Claimed():
                self.claims.setdefault(fact.checkin_id, {})[stamp] = fact
                self.of_student.setdefault(fact.student_id, set()).add(fact.checkin_id)
                self.replaced.update(fact.replaces)
            case Called():
                self.calls.setdefault(fact.checkin_id, {})[stamp] = fact
            case Ended():
                self.ends.setdefault(fact.checkin_id, {})[stamp] = fact
