"""A range that is shifted: every photo of some neighbouring 拍摄号 of a desk moves by the same number of places."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gradphoto_contracts import ids
from services.capture.domain import photos

#: More than a hall's worst hour at one desk; a mistake in the numbers must not move a day.
LONGEST = 500
FARTHEST = 50


@dataclass(frozen=True)
class Place:
    """A 拍摄号 of the desk, its holder, and the photo that is theirs now. `waiting`: one is still inspected."""

    ticket: str
    student_id: ids.StudentId
    photo: photos.Photo | None = None
    waiting: bool = False


@dataclass(frozen=True)
class Shift:
    """What is asked: photos of `first`..`last` move `places` on (back where negative). `skip` are numbers nobody used.

    Zero places move nothing: that is how the range is looked at first.
    """

    desk_id: ids.DeskId
    first: str
    last: str
    places: int
    skip: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Row:
    """One 拍摄号 of the preview: the photo that is its holder's now, and the one that would be."""

    ticket: str
    student_id: ids.StudentId
    before: photos.Photo | None
    after: photos.Photo | None

    @property
    def changes(self) -> bool:
        return _id(self.before) != _id(self.after)


@dataclass(frozen=True)
class Fault:
    """Why a shift cannot be done, as a code and the number that it is about."""

    code: str
    ticket: str


@dataclass(frozen=True)
class Plan:
    """What a shift would do. Nothing of it may be done while there are faults."""

    rows: tuple[Row, ...]
    moves: dict[ids.CaptureId, ids.StudentId]
    faults: tuple[Fault, ...]

    def lines(self) -> Iterator[str]:
        """Everything that the preview rests on; when a line changes, what was looked at is no longer so."""
        for row in self.rows:
            before = f"{_id(row.before)} {row.before.version}" if row.before else "-"
            yield f"{row.ticket} {row.student_id} {before} {_id(row.after)}"


def plan(places: Sequence[Place], shift: Shift) -> Plan:
    """Work a shift out over the desk's numbers, in their order."""
    used = [place for place in places if place.ticket not in shift.skip]
    numbers = [place.ticket for place in used]
    if faults := tuple(_asked_wrongly(numbers, shift)):
        return Plan((), {}, faults)
    first, last = numbers.index(shift.first), numbers.index(shift.last)
    moving = range(first, last + 1)
    faults = tuple(_faults(used, moving, shift.places, shift.desk_id))
    coming = {at + shift.places: used[at].photo for at in moving if used[at].photo}
    touched = [at for at in range(len(used)) if at in moving or at in coming]
    rows = tuple(_row(used, at, moving, coming) for at in touched)
    moves = {
        photo.shot.capture_id: used[at].student_id
        for at, photo in coming.items()
        if photo and 0 <= at < len(used) and used[at].student_id != photo.student_id
    }
    return Plan(rows, moves, faults)


def _asked_wrongly(numbers: Sequence[str], shift: Shift) -> Iterator[Fault]:
    for number in (shift.first, shift.last):
        if number not in numbers:
            yield Fault("range-ticket-unknown", number)
    if shift.first in numbers and shift.last in numbers:
        length = numbers.index(shift.last) - numbers.index(shift.first) + 1
        if not 1 <= length <= LONGEST:
            yield Fault("range-too-long", shift.last)
    if abs(shift.places) > FARTHEST:
        yield Fault("range-too-far", shift.first)


def _faults(used: Sequence[Place], moving: range, places: int, desk_id: ids.DeskId) -> Iterator[Fault]:
    for at in moving:
        photo, to = used[at].photo, at + places
        if used[at].waiting:
            yield Fault("range-not-settled", used[at].ticket)
        if photo and photo.shot.desk_id != desk_id:
            yield Fault("range-photo-of-another-desk", used[at].ticket)
        if photo is None or to in moving:
            continue
        if not 0 <= to < len(used):
            yield Fault("range-runs-out", used[at].ticket)
        elif used[to].photo or used[to].waiting:
            yield Fault("range-place-taken", used[to].ticket)


def _row(used: Sequence[Place], at: int, moving: range, coming: dict[int, photos.Photo | None]) -> Row:
    place = used[at]
    stays = None if at in moving else place.photo
    return Row(place.ticket, place.student_id, place.photo, coming.get(at) or stays)


def _id(photo: photos.Photo | None) -> str:
    return str(photo.shot.capture_id) if photo else "-"
