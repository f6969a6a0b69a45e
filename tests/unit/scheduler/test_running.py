"""A plan under way: revisions, delays, priority."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from gradphoto_contracts import ids
from services.scheduler.domain import plans, running
from tests.unit.scheduler.test_drafting import MORNING, NORTH

GROUP = ids.GroupId(UUID(int=7))


def slot(number: int, after_minutes: int, minutes: int = 15) -> plans.Slot:
    starts_at = MORNING + timedelta(minutes=after_minutes)
    return plans.Slot(
        ids.SlotId(UUID(int=number)),
        ids.ClassId(UUID(int=100 + number)),
        f"班{number}",
        GROUP,
        NORTH.campus_id,
        f"A{number}",
        starts_at,
        starts_at + timedelta(minutes=minutes),
    )


def minutes_of(slots: Sequence[plans.Slot]) -> list[tuple[int, int]]:
    minute = timedelta(minutes=1)
    return [((one.starts_at - MORNING) // minute, (one.ends_at - MORNING) // minute) for one in slots]


def test_a_delay_pushes_what_follows() -> None:
    """The slot under way ends later, the next ones move, and what is over stands."""
    moved = running.delay([slot(1, 0), slot(2, 15), slot(3, 30)], MORNING + timedelta(minutes=20), 10)
    assert minutes_of(moved) == [(15, 40), (40, 55)]
    assert [one.version for one in moved] == [2, 2]


def test_a_break_takes_a_delay_up() -> None:
    """After a break long enough nothing moves; after a short one, by what is left of the delay."""
    moved = running.delay([slot(1, 0), slot(2, 25), slot(3, 120)], MORNING - timedelta(minutes=5), 20)
    assert minutes_of(moved) == [(20, 35), (35, 50)]


def test_other_days_stand() -> None:
    """A late crew today is not late tomorrow."""
    moved = running.delay([slot(1, 0), slot(2, 24 * 60)], MORNING - timedelta(hours=1), 60 * 20)
    assert [one.slot_id for one in moved] == [slot(1, 0).slot_id]


def test_nothing_ahead_means_nothing_moves() -> None:
    """Once all is over there is nothing to delay."""
    assert running.delay([slot(1, 0)], MORNING + timedelta(hours=9), 10) == []


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 40)), min_size=1, max_size=12),
    st.integers(-30, 400),
    st.integers(1, 200),
)
def test_a_delay_never_makes_slots_overlap(gaps: list[tuple[int, int]], now: int, minutes: int) -> None:
    """However late, the slots of a day stay in order, apart, and as long as they were or longer."""
    slots, at = [], 0
    for number, (gap, length) in enumerate(gaps):
        slots.append(slot(number, at + gap, length))
        at += gap + length
    moved = {one.slot_id: one for one in running.delay(slots, MORNING + timedelta(minutes=now), minutes)}
    after = [moved.get(one.slot_id, one) for one in slots]
    assert all(first.ends_at <= second.starts_at for first, second in pairwise(after))
    assert all(
        new.ends_at - new.starts_at >= old.ends_at - old.starts_at for old, new in zip(slots, after, strict=True)
    )


def test_a_revision_says_only_what_is_different() -> None:
    """Kept slots keep their version; moved, new and dropped ones are told apart; payers come with priority."""
    before = [slot(1, 0), slot(2, 15), slot(3, 30)]
    moved = replace(before[1], order_code="A9")
    change = running.take_over(before, [before[0], moved, slot(4, 45)], {ids.ClassId(UUID(int=104))})
    assert [one.slot_id.int for one in change.kept] == [1]
    assert [(one.slot_id.int, one.version) for one in change.moved] == [(2, 2)]
    assert [(one.slot_id.int, one.priority) for one in change.assigned] == [(4, True)]
    assert [one.slot_id.int for one in change.cancelled] == [3]


def test_priority_is_for_those_who_pay_before_their_turn() -> None:
    """Cash brought after the slot has begun gives no priority, and priority is given once."""
    early = running.prefer(slot(1, 15), MORNING)
    assert early is not None
    assert (early.priority, early.version) == (True, 2)
    assert running.prefer(early, MORNING) is None
    assert running.prefer(slot(1, 0), MORNING) is None
