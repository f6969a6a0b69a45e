"""What an import would do, decided from what is known."""

import itertools
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from gradphoto_contracts import ids
from services.roster.domain import codes, imports, rows
from tests.unit.roster import drawn

_NUMBERS = itertools.count(1000)


def new_id() -> UUID:
    return UUID(int=next(_NUMBERS))


def traced(*drawn_rows: list[Any]) -> list[imports.Traced]:
    checked = rows.check(drawn.a_sheet(drawn_rows), drawn.a_campaign())
    assert not [fault for fault in checked.faults if not fault.warning]
    return [imports.Traced(row, row.document_no.encode(), f"{row.name}{row.phone}".encode()) for row in checked.rows]


def known_after(difference: imports.Difference, **changed: Any) -> imports.Roster:
    students = [
        imports.Known(
            staged.student_id,
            staged.traced.row.student_no,
            staged.class_id,
            staged.traced.row.cohort,
            staged.traced.row.level,
            staged.traced.row.eligible,
            False,
            staged.traced.document_index,
            staged.traced.fingerprint,
        )._replace(**changed)
        for staged in difference.staged
    ]
    return imports.Roster(students, difference.classes)


def compare(ones: Sequence[imports.Traced], roster: imports.Roster | None = None, **how: Any) -> imports.Difference:
    return imports.compare(ones, roster or imports.Roster([], []), new_id, **how)


def test_a_first_import_is_all_new() -> None:
    """Every student and every class of a first import is new, each class once."""
    difference = compare(traced(drawn.a_row(0), drawn.a_row(1), drawn.a_row(50)))
    assert (difference.new, difference.changed, difference.unchanged) == (3, 0, 0)
    assert [one.label for one in difference.classes] == ["班0000", "班0001"]


def test_the_same_import_again_is_unchanged() -> None:
    """An import repeated changes nothing and writes nothing."""
    ones = traced(drawn.a_row(0), drawn.a_row(1))
    again = compare(ones, known_after(compare(ones)))
    assert (again.new, again.changed, again.unchanged, again.staged, again.classes) == (0, 0, 2, (), ())


@pytest.mark.parametrize("change", [{"姓名": "李四"}, {"班级": "班0009"}, {"学生类别": "延期"}, {"培养层次": "硕士"}])
def test_a_difference_is_a_change_of_the_same_student(change: dict[str, str]) -> None:
    """Another name, class, cohort or level is a change, and the student keeps the id."""
    first = compare(traced(drawn.a_row(0)))
    difference = compare(traced(drawn.a_row(0, **change)), known_after(first))
    assert (difference.new, difference.changed) == (0, 1)
    assert difference.staged[0].student_id == first.staged[0].student_id


def test_a_known_number_with_another_document_is_refused() -> None:
    """学号 known, document another: the rows have most likely shifted, so nothing is overwritten."""
    known = known_after(compare(traced(drawn.a_row(0), drawn.a_row(1))))
    shifted = traced(drawn.a_row(0, 身份证号=drawn.id_number(5)))
    assert [fault.code for fault in compare(shifted, known).faults] == ["roster-row-other-id"]
    taken = traced(drawn.a_row(0, 学号="NEW"))
    assert [fault.code for fault in compare(taken, known).faults] == ["roster-row-id-taken"]


def test_a_withdrawn_student_comes_back_by_hand_alone() -> None:
    """An import does not bring the withdrawn back; an entry by hand does, even with a corrected document."""
    known = known_after(compare(traced(drawn.a_row(0))), withdrawn=True)
    again = traced(drawn.a_row(0))
    assert [fault.code for fault in compare(again, known).faults] == ["roster-row-withdrawn"]
    corrected = traced(drawn.a_row(0, 身份证号=drawn.id_number(5)))
    by_hand = compare(corrected, known, reenrol=True)
    assert (by_hand.faults, by_hand.changed) == ((), 1)


def test_absent_students_are_listed_within_the_colleges_of_the_file() -> None:
    """Who is on the roster and not in the file is listed; colleges that the file leaves out are not its business."""
    first = compare(traced(drawn.a_row(0), drawn.a_row(1), drawn.a_row(2000)))
    difference = compare(traced(drawn.a_row(0)), known_after(first))
    assert [known.student_no for known in difference.absent] == ["2026000001"]


def test_a_class_on_another_campus_is_written_with_its_id() -> None:
    """A class that moved keeps its id."""
    first = compare(traced(drawn.a_row(0)))
    moved = compare(traced(drawn.a_row(0, 校区="南校区")), known_after(first))
    assert [one.class_id for one in moved.classes] == [first.classes[0].class_id]


def test_another_name_warns_and_another_dot_does_not() -> None:
    """A name that became another warns; one that is written otherwise does not."""
    row = traced(drawn.a_row(0, 姓名="买买提·吐尔逊"))[0].row
    assert imports.other_name(row, "买买提•吐尔逊") is None
    warning = imports.other_name(row, "王五")
    assert warning is not None
    assert warning.warning


def claim(student: int | None, digest: str) -> codes.Claim:
    return codes.Claim(f"no{student}", None if student is None else ids.StudentId(UUID(int=student)), digest)


def test_one_code_is_never_two_students() -> None:
    """A payload that is another's, or was claimed a line above, is refused; one's own is unchanged."""
    one, two = ids.StudentId(UUID(int=1)), ids.StudentId(UUID(int=2))
    outcomes = codes.decide(
        [claim(1, "a"), claim(2, "a"), claim(2, "b"), claim(3, "b"), claim(None, "c")], {"a": one}, {one: "a"}
    )
    assert [outcome.result for outcome in outcomes] == ["unchanged", "refused", "registered", "refused", "refused"]
    assert two != one


def test_a_replaced_code_is_free() -> None:
    """Who registers a new code gives up the old one."""
    one = ids.StudentId(UUID(int=1))
    outcomes = codes.decide([claim(1, "b"), claim(2, "a")], {"a": one}, {one: "a"})
    assert [outcome.result for outcome in outcomes] == ["registered", "registered"]
