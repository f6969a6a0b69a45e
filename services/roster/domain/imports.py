"""An import: what a checked roster would change, decided before anything is changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple
from uuid import UUID

from gradphoto_contracts import ids
from services.roster.domain import names, rows, sheets

ClassKey = tuple[str, str]


class Known(NamedTuple):
    """A student already on the roster, without who it is: only keyed hashes of that."""

    student_id: ids.StudentId
    student_no: str
    class_id: ids.ClassId
    cohort: str
    level: str
    eligible: bool
    withdrawn: bool
    document_index: bytes
    fingerprint: bytes


class KnownClass(NamedTuple):
    """A class (班级) of the roster: its college and label are its key in a campaign."""

    class_id: ids.ClassId
    college_zh: str
    label: str
    campus_id: ids.CampusId

    @property
    def key(self) -> ClassKey:
        return self.college_zh, self.label


class Traced(NamedTuple):
    """A row with the keyed hashes by which it is compared: of its document, and of all that is personal in it."""

    row: rows.Row
    document_index: bytes
    fingerprint: bytes


class Staged(NamedTuple):
    """A row to be written: a student who is new, or different from what is known."""

    student_id: ids.StudentId
    class_id: ids.ClassId
    known: bool
    traced: Traced


@dataclass(frozen=True)
class Roster:
    """What is known of a campaign before an import."""

    students: Sequence[Known]
    classes: Sequence[KnownClass]


@dataclass(frozen=True)
class Difference:
    """What an import would do, and what speaks against it. `classes` are to be written: new, or on another campus."""

    staged: tuple[Staged, ...]
    classes: tuple[KnownClass, ...]
    new: int
    changed: int
    unchanged: int
    absent: tuple[Known, ...]
    faults: tuple[sheets.Fault, ...]


@dataclass(frozen=True)
class Import:
    """An upload and what became of it. It can be applied only to the roster revision that it was compared with."""

    import_id: ids.ImportId
    campaign_id: ids.CampaignId
    file_sha256: str
    rows: int
    new: int
    changed: int
    unchanged: int
    absent: int
    errors: int
    state: Literal["ready", "refused", "applied", "dropped"]
    base_revision: int
    classes: tuple[KnownClass, ...] = ()


def compare(
    traced: Sequence[Traced], roster: Roster, new_id: Callable[[], UUID], *, reenrol: bool = False
) -> Difference:
    """Compare checked rows with the known roster.

    A known 学号 with another document, a document known under another 学号, and a withdrawn student are faults; an
    entry by hand may `reenrol` a withdrawn one, with another document if need be.
    """
    by_no = {known.student_no: known for known in roster.students}
    by_document = {known.document_index: known for known in roster.students}
    classes, written = _classes(traced, roster, new_id)
    staged: list[Staged] = []
    faults: list[sheets.Fault] = []
    unchanged = 0
    for one in traced:
        known = by_no.get(one.row.student_no)
        fault = _contradiction(one, known, by_document.get(one.document_index), reenrol=reenrol)
        class_id = classes[one.row.college_zh, one.row.label]
        if fault is not None:
            faults.append(fault)
        elif known is None:
            staged.append(Staged(ids.StudentId(new_id()), class_id, known=False, traced=one))
        elif _same(one, known, class_id):
            unchanged += 1
        else:
            staged.append(Staged(known.student_id, class_id, known=True, traced=one))
    changed = sum(item.known for item in staged)
    absent = _absent(traced, roster)
    return Difference(tuple(staged), written, len(staged) - changed, changed, unchanged, absent, tuple(faults))


def other_name(row: rows.Row, name_before: str) -> sheets.Fault | None:
    """A warning when a known student's name becomes another, not merely written otherwise: rows may have shifted."""
    if names.normalised(row.name) == names.normalised(name_before):
        return None
    return sheets.Fault(row.row, "姓名", names.masked(row.name), "roster-row-name-differs", {}, warning=True)


def _classes(
    traced: Sequence[Traced], roster: Roster, new_id: Callable[[], UUID]
) -> tuple[Mapping[ClassKey, ids.ClassId], tuple[KnownClass, ...]]:
    known = {one.key: one for one in roster.classes}
    wanted = {(one.row.college_zh, one.row.label): one.row.campus_id for one in traced}
    written = tuple(
        KnownClass(known[key].class_id if key in known else ids.ClassId(new_id()), *key, campus_id)
        for key, campus_id in wanted.items()
        if key not in known or known[key].campus_id != campus_id
    )
    return {key: one.class_id for key, one in known.items()} | {one.key: one.class_id for one in written}, written


def _contradiction(one: Traced, known: Known | None, holder: Known | None, *, reenrol: bool) -> sheets.Fault | None:
    row = one.row
    if known is not None and known.withdrawn and not reenrol:
        return sheets.Fault(row.row, "学号", row.student_no, "roster-row-withdrawn", {})
    if holder is not None and holder.student_no != row.student_no:
        value = names.masked_number(row.document_no)
        return sheets.Fault(row.row, "身份证号", value, "roster-row-id-taken", {"student_no": holder.student_no})
    if known is not None and not known.withdrawn and known.document_index != one.document_index:
        return sheets.Fault(row.row, "身份证号", names.masked_number(row.document_no), "roster-row-other-id", {})
    return None


def _same(one: Traced, known: Known, class_id: ids.ClassId) -> bool:
    row = one.row
    return (
        known.fingerprint == one.fingerprint
        and known.class_id == class_id
        and (known.cohort, known.level, known.eligible) == (row.cohort, row.level, row.eligible)
        and not known.withdrawn
    )


def _absent(traced: Sequence[Traced], roster: Roster) -> tuple[Known, ...]:
    """Students of the colleges in the file who are not in the file: listed, never removed."""
    colleges = {one.row.college_zh for one in traced}
    covered = {one.class_id for one in roster.classes if one.college_zh in colleges}
    present = {one.row.student_no for one in traced}
    return tuple(
        known
        for known in roster.students
        if known.class_id in covered and known.student_no not in present and not known.withdrawn
    )
