"""Drafting a plan: every class once, every slot inside its window, every contradiction found."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from gradphoto_contracts import ids
from kit import messages
from services.scheduler.domain import drafting, plans, wanted

NORTH = plans.Campus(ids.CampusId(UUID(int=1)), "N", "北校区")
SOUTH = plans.Campus(ids.CampusId(UUID(int=2)), "S", "南校区")
#: 09:00 in China.
MORNING = datetime(2030, 5, 27, 1, 0, tzinfo=UTC)
_NUMBERS = itertools.count(1000)


def new_id() -> UUID:
    return UUID(int=next(_NUMBERS))


def school_class(number: int, heads: int = 30, campus: plans.Campus = NORTH) -> plans.SchoolClass:
    return plans.SchoolClass(ids.ClassId(UUID(int=100 + number)), campus.campus_id, "医学院", f"班{number}", heads)


def school(*classes: plans.SchoolClass) -> drafting.School:
    return drafting.School((NORTH, SOUTH), classes)


def group(code: str = "A", campus: str = "N", **more: Any) -> wanted.WantedGroup:
    return wanted.WantedGroup(code, campus, "会展中心", "二层", desks=2, planned_per_hour=100, **more)


def window(
    *labels: str, code: str = "A", after_minutes: int = 0, minutes: int = 60, **more: Any
) -> wanted.WantedWindow:
    starts_at = MORNING + timedelta(minutes=after_minutes)
    parts = (label.partition("=") for label in labels)
    classes = tuple(wanted.WantedClass(label, "", order_code or None) for label, _, order_code in parts)
    return wanted.WantedWindow(code, starts_at, starts_at + timedelta(minutes=minutes), classes, **more)


def draft(
    known: drafting.School, *windows: wanted.WantedWindow, groups: tuple[wanted.WantedGroup, ...] = (group(),)
) -> tuple[plans.Layout, list[tuple[str, str]]]:
    layout, findings = drafting.draft(wanted.Wanted(groups, windows), known, (), new_id)
    for finding in findings:
        messages.render(finding.code, finding.params)
    return layout, [(finding.severity, finding.code) for finding in findings]


@st.composite
def schools(draw: st.DrawFn) -> tuple[drafting.School, wanted.Wanted]:
    """A school with some classes, spread over consecutive windows of one to three groups."""
    codes = "ABC"[: draw(st.integers(1, 3))]
    heads = draw(st.lists(st.integers(0, 90), min_size=1, max_size=25))
    classes = tuple(school_class(number, count) for number, count in enumerate(heads))
    ends = dict.fromkeys(codes, 0)
    windows, left = [], list(classes)
    while left:
        code = draw(st.sampled_from(codes))
        split = draw(st.integers(1, len(left)))
        here, left = left[:split], left[split:]
        start = ends[code] + draw(st.integers(0, 90))
        minutes = draw(st.integers(1, 240))
        ends[code] = start + minutes
        windows.append(window(*(one.label for one in here), code=code, after_minutes=start, minutes=minutes))
    return school(*classes), wanted.Wanted(tuple(group(code) for code in codes), tuple(windows))


@given(schools())
def test_a_plan_without_errors_holds_every_class_once(drawn: tuple[drafting.School, wanted.Wanted]) -> None:
    """Each class has one slot, in its own window; no two slots of a group overlap; order codes differ; no gaps."""
    known, asked = drawn
    layout, findings = drafting.draft(asked, known, (), new_id)
    assert not [finding for finding in findings if finding.severity == "error"]
    assert sorted(str(slot.class_id) for slot in layout.slots) == sorted(str(one.class_id) for one in known.classes)
    assert len({slot.order_code for slot in layout.slots}) == len(known.classes)
    by_label = {slot.label_zh: slot for slot in layout.slots}
    for span in asked.windows:
        slots = [by_label[each.label] for each in span.classes]
        assert slots[0].starts_at == span.starts_at
        assert slots[-1].ends_at == span.ends_at
        assert all(before.ends_at == after.starts_at for before, after in pairwise(slots))
        assert all(slot.starts_at < slot.ends_at for slot in slots)
    for one in layout.groups:
        slots = sorted((s for s in layout.slots if s.group_id == one.group_id), key=lambda slot: slot.starts_at)
        assert all(before.ends_at <= after.starts_at for before, after in pairwise(slots))


@example([0, 300, 300, 300, 300], 20)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=20), st.integers(20, 600))
def test_time_is_in_proportion_to_heads(heads: list[int], minutes: int) -> None:
    """A class has its share of the window, to the minute."""
    ends_at = MORNING + timedelta(minutes=minutes)
    cut = drafting.spans(MORNING, ends_at, heads)
    total = sum(max(head, 1) for head in heads)
    for head, (begins, ends) in zip(heads, cut, strict=True):
        share = timedelta(minutes=minutes) * (max(head, 1) / total)
        assert abs((ends - begins) - share) <= timedelta(minutes=1)


def test_a_small_class_beside_great_ones_keeps_its_place() -> None:
    """In a short window a share may come to no second at all: it gets one, and no class is lost."""
    for heads, expected in (([3000, 0, 3100], [29, 1, 30]), ([3000, 3100, 0, 0], [29, 29, 1, 1])):
        cut = drafting.spans(MORNING, MORNING + timedelta(minutes=1), heads)
        assert [(ends - begins).seconds for begins, ends in cut] == expected


@example([0, 300, 300, 300, 300], 20 * 60)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=20), st.integers(20, 1200))
def test_every_class_has_a_second(heads: list[int], seconds: int) -> None:
    """However short the window and unequal the classes: adjoining spans, none empty, from its begin to its end."""
    cut = drafting.spans(MORNING, MORNING + timedelta(seconds=seconds), heads)
    assert (cut[0][0], cut[-1][1]) == (MORNING, MORNING + timedelta(seconds=seconds))
    assert all(begins < ends for begins, ends in cut)
    assert all(before[1] == after[0] for before, after in pairwise(cut))


def test_codes_are_as_printed_and_the_rest_are_given() -> None:
    """Printed order codes stay; the others are the group's letter and the next free number."""
    layout, found = draft(school(*map(school_class, range(4))), window("班0", "班1=A1", "班2", "班3=X9"))
    assert [slot.order_code for slot in layout.slots] == ["A2", "A1", "A3", "X9"]
    assert found == []


def test_desks_have_codes_of_their_own() -> None:
    """Each desk of each group has a code that is unique in the campaign."""
    layout, _ = draft(school(school_class(0)), window("班0"), groups=(group("A"), group("B")))
    assert [desk.code for desk in layout.desks] == ["A01", "A02", "B01", "B02"]


def test_contradictions_are_errors() -> None:
    """A class unknown, twice, missing or on another campus, and a code twice: each is named, none repaired."""
    known = school(school_class(0), school_class(1), school_class(2, campus=SOUTH), school_class(3))
    _, found = draft(known, window("班0=A1", "班9", "班2=A1"), window("班0", after_minutes=60))
    assert sorted(code for _, code in found) == [
        "plan-class-missing",
        "plan-class-missing",
        "plan-class-twice",
        "plan-class-unknown",
        "plan-class-wrong-campus",
        "plan-order-code-twice",
        "plan-order-code-twice",
    ]
    assert {severity for severity, _ in found} == {"error"}


def test_a_label_of_two_colleges_must_name_the_college() -> None:
    """Two colleges with a class of one label: the notice has to say which."""
    other = school_class(0)._replace(class_id=ids.ClassId(UUID(int=999)), college_zh="药学院")
    _, found = draft(school(school_class(0), other), window("班0"))
    assert ("error", "plan-class-ambiguous") in found


def test_windows_of_a_group_do_not_overlap() -> None:
    """Overlapping, reversed, empty and groupless windows are found."""
    known = school(*map(school_class, range(4)))
    backwards = replace(window("班2", after_minutes=300), ends_at=MORNING)
    _, found = draft(
        known,
        window("班0"),
        window("班1", after_minutes=30),
        backwards,
        window(code="A", after_minutes=600),
        window("班3", code="Z"),
    )
    assert [pair for pair in found if "window" in pair[1]] == [
        ("error", "plan-window-backwards"),
        ("warning", "plan-window-empty"),
        ("error", "plan-window-group-unknown"),
        ("error", "plan-windows-overlap"),
    ]


def test_groups_are_checked() -> None:
    """A group twice, and one on a campus that is none."""
    _, found = draft(school(school_class(0)), window("班0"), groups=(group("A"), group("A"), group("B", "X")))
    assert ("error", "plan-group-twice") in found
    assert ("error", "plan-campus-unknown") in found


def test_a_delegated_block_may_hold_the_missing_classes() -> None:
    """Where a block is left to others, classes without a slot on its campus are a warning."""
    layout, found = draft(
        school(school_class(0), school_class(1)), window("班0"), window(after_minutes=60, delegated_zh="研究生处")
    )
    assert found == [("warning", "plan-class-missing")]
    assert [(slot.class_id is None, slot.label_zh) for slot in layout.slots] == [(False, "班0"), (True, "研究生处")]


def test_too_many_heads_for_the_desks_is_a_warning() -> None:
    """Three hundred heads in an hour on two desks of a hundred an hour."""
    _, found = draft(school(school_class(0, 300)), window("班0"))
    assert found == [("warning", "plan-window-tight")]


def test_an_announced_hour_unlike_the_timetable_is_a_warning() -> None:
    """The notice says from 9:30, and its timetable begins at 9:00: the planner is told, the timetable is taken."""
    announced = group(announced_from=(MORNING + timedelta(minutes=30),))
    layout, found = draft(school(school_class(0)), window("班0"), groups=(announced,))
    assert found == [("warning", "plan-start-differs")]
    assert layout.slots[0].starts_at == MORNING


def test_a_revision_keeps_ids() -> None:
    """What is the same group, desk or slot keeps its id, whatever hour and code it has now."""
    known = school(school_class(0), school_class(1))
    first, _ = draft(known, window("班0", "班1"))
    asked = wanted.Wanted((group(),), (window("班1=B7", after_minutes=300), window("班0")))
    second, _ = drafting.draft(asked, known, (first,), new_id)
    assert {slot.class_id: slot.slot_id for slot in first.slots} == {s.class_id: s.slot_id for s in second.slots}
    assert [one.group_id for one in first.groups] == [one.group_id for one in second.groups]
    assert [desk.desk_id for desk in first.desks] == [desk.desk_id for desk in second.desks]
