"""A plan under way: the next revision takes over, a group runs late, a class that paid goes first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gradphoto_contracts import ids
from services.scheduler.domain import plans
from services.scheduler.domain.plans import Slot

#: How long after the last window one may still be photographed before being counted as missed.
MISSED_AFTER = timedelta(minutes=30)


@dataclass(frozen=True)
class Transition:
    """From the slots in force to those of a new revision."""

    assigned: tuple[Slot, ...]
    moved: tuple[Slot, ...]
    cancelled: tuple[Slot, ...]
    kept: tuple[Slot, ...]

    @property
    def in_force(self) -> tuple[Slot, ...]:
        return (*self.assigned, *self.moved, *self.kept)


def take_over(before: Sequence[Slot], after: Sequence[Slot], paid: Collection[ids.ClassId]) -> Transition:
    """What changes when `after` takes the place of `before`. Classes that have `paid` beforehand come with priority."""
    known = {slot.slot_id: slot for slot in before}
    planned = {slot.slot_id for slot in after}
    assigned, moved, kept = [], [], []
    for slot in after:
        wanted = replace(slot, priority=slot.priority or slot.class_id in paid)
        old = known.get(slot.slot_id)
        if old is None:
            assigned.append(replace(wanted, version=1))
        elif wanted.says_the_same(old):
            kept.append(old)
        else:
            moved.append(replace(wanted, version=old.version + 1))
    gone = tuple(slot for slot in before if slot.slot_id not in planned)
    return Transition(tuple(assigned), tuple(moved), gone, tuple(kept))


def delay(slots: Sequence[Slot], now: datetime, minutes: int) -> list[Slot]:
    """The slots of one group that move when it runs late from `now` on.

    The day is that of the next slot that has not ended. A slot under way ends later; those after it follow only as far
    as they are pushed, so that a break takes up a delay. Other days stand.
    """
    ahead = sorted((slot for slot in slots if slot.ends_at > now), key=lambda slot: slot.starts_at)
    if not ahead:
        return []
    day = plans.local(ahead[0].starts_at).date()
    late = timedelta(minutes=minutes)
    first = ahead[0]
    pushed = _later_end(first, late) if first.starts_at <= now else plans.shifted(first, late)
    moved = [pushed]
    for slot in ahead[1:]:
        if plans.local(slot.starts_at).date() != day or slot.starts_at >= moved[-1].ends_at:
            break
        moved.append(plans.shifted(slot, moved[-1].ends_at - slot.starts_at))
    return moved


def prefer(slot: Slot, now: datetime) -> Slot | None:
    """The slot with priority, if it has none yet and has not begun."""
    if slot.priority or slot.starts_at <= now:
        return None
    return replace(slot, priority=True, version=slot.version + 1)


def _later_end(slot: Slot, late: timedelta) -> Slot:
    return replace(slot, ends_at=slot.ends_at + late, version=slot.version + 1)
