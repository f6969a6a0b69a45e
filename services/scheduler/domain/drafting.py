"""Drafting: from what is asked for to a slot for every class, with every contradiction found and none repaired."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, count, pairwise
from uuid import UUID

from gradphoto_contracts import ids
from services.scheduler.domain import plans
from services.scheduler.domain.plans import Campus, Desk, Finding, Group, Layout, SchoolClass, Slot
from services.scheduler.domain.wanted import Wanted, WantedClass, WantedGroup, WantedWindow

_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class School:
    """What is known of the campaign: its campuses and the classes on its roster."""

    campuses: Sequence[Campus]
    classes: Sequence[SchoolClass]


@dataclass(frozen=True)
class _Placed:
    """A wanted class that was found on the roster, in its window."""

    wanted: WantedClass
    window: WantedWindow
    known: SchoolClass


def draft(
    wanted: Wanted, school: School, before: Sequence[Layout], new_id: Callable[[], UUID]
) -> tuple[Layout, tuple[Finding, ...]]:
    """Lay out a plan.

    Args:
        before: earlier layouts, the newest last: what is the same group, desk or slot keeps its id.
        new_id: for what is new.

    Returns:
        The layout, and the findings. What a finding of severity error concerns is left out of the layout.
    """
    keep = _Ids(before, new_id)
    campuses = {campus.code: campus for campus in school.campuses}
    groups = {
        group.code: keep.group(group, campuses[group.campus_code].campus_id)
        for group in wanted.groups
        if group.campus_code in campuses
    }
    placed, findings = _place(wanted, school)
    codes, code_findings = _order_codes(placed)
    slots = tuple(_slots(wanted, groups, placed, codes, keep))
    desks = tuple(desk for group in wanted.groups if group.code in groups for desk in keep.desks(group, groups))
    all_findings = (
        *_group_findings(wanted, campuses),
        *_window_findings(wanted, groups),
        *findings,
        *_campus_findings(placed, groups),
        *_missing_findings(wanted, school, groups, placed),
        *code_findings,
        *_pace_findings(wanted, placed),
        *_announced_findings(wanted),
    )
    return Layout(tuple(groups.values()), desks, slots), all_findings


class _Ids:
    """Ids that outlive a revision."""

    def __init__(self, before: Sequence[Layout], new_id: Callable[[], UUID]) -> None:
        self._new_id = new_id
        self._groups = {group.code: group for layout in before for group in layout.groups}
        self._desks = {desk.code: desk for layout in before for desk in layout.desks}
        self._slots = {slot.key: slot for layout in before for slot in layout.slots}

    def group(self, wanted: WantedGroup, campus_id: ids.CampusId) -> Group:
        known = self._groups.get(wanted.code)
        group_id = known.group_id if known else ids.GroupId(self._new_id())
        version = known.version if known else 1
        return Group(group_id, wanted.code, campus_id, wanted.site_zh, wanted.room_zh, version)

    def desks(self, wanted: WantedGroup, groups: Mapping[str, Group]) -> Iterator[Desk]:
        group = groups[wanted.code]
        for number in range(1, wanted.desks + 1):
            code = f"{wanted.code}{number:02}"
            known = self._desks.get(code)
            desk_id = known.desk_id if known else ids.DeskId(self._new_id())
            yield Desk(desk_id, group.group_id, group.campus_id, code, wanted.planned_per_hour)

    def slot(
        self, class_id: ids.ClassId | None, label: str, group: Group, code: str | None, span: tuple[datetime, datetime]
    ) -> Slot:
        new = Slot(ids.SlotId(self._new_id()), class_id, label, group.group_id, group.campus_id, code, *span)
        known = self._slots.get(new.key)
        if known is None:
            return new
        kept = known.slot_id, known.priority, known.version
        return Slot(kept[0], class_id, label, group.group_id, group.campus_id, code, *span, kept[1], kept[2])


def where(group: str, at: datetime | None = None, name: str = "") -> str:
    """A place in a plan, as a notice prints it: A · 05-27 09:30 · 中医本1302."""
    hour = "" if at is None else plans.local(at).strftime("%m-%d %H:%M")
    return " · ".join(part for part in (group, hour, name) if part)


def spans(starts_at: datetime, ends_at: datetime, heads: Sequence[int]) -> list[tuple[datetime, datetime]]:
    """Cut a window into adjoining spans in proportion to `heads`; whole minutes where every class gets one.

    An empty class counts as one head: it keeps its place in the queue. Where a small class beside great ones would get
    nothing, it gets a second. Empty when the window is too short for a second each.
    """
    by_the_minute = _cuts(starts_at, ends_at, heads, _MINUTE, least=0)
    if all(begins < ends for begins, ends in pairwise(by_the_minute)):
        return list(pairwise(by_the_minute))
    if ends_at - starts_at < _SECOND * len(heads):
        return []
    return list(pairwise(_cuts(starts_at, ends_at, heads, _SECOND, least=1)))


def _cuts(
    starts_at: datetime, ends_at: datetime, heads: Sequence[int], step: timedelta, *, least: int
) -> list[datetime]:
    """Where the spans meet, on whole steps; each span has `least` steps or more, if there are so many."""
    weights = list(accumulate(max(head, 1) for head in heads))
    steps = (ends_at - starts_at) // step
    cuts = [0]
    for number, weight in enumerate(weights[:-1], 1):
        latest = steps - least * (len(weights) - number)
        cuts.append(min(max(steps * weight // weights[-1], cuts[-1] + least), latest))
    return [*(starts_at + step * cut for cut in cuts), ends_at]


def _place(wanted: Wanted, school: School) -> tuple[list[_Placed], list[Finding]]:
    placed: list[_Placed] = []
    findings: list[Finding] = []
    seen: dict[ids.ClassId, WantedWindow] = {}
    for window in wanted.windows:
        for each in window.classes:
            at = where(window.group, window.starts_at, each.name)
            found = [
                one for one in school.classes if one.label == each.label and each.college_zh in ("", one.college_zh)
            ]
            if len(found) != 1:
                findings.append(Finding("error", "plan-class-ambiguous" if found else "plan-class-unknown", at))
            elif found[0].class_id in seen:
                first = seen[found[0].class_id]
                findings.append(
                    Finding("error", "plan-class-twice", at, {"first": where(first.group, first.starts_at)})
                )
            else:
                seen[found[0].class_id] = window
                placed.append(_Placed(each, window, found[0]))
    return placed, findings


def _order_codes(placed: Sequence[_Placed]) -> tuple[dict[ids.ClassId, str], list[Finding]]:
    printed = Counter(one.wanted.order_code for one in placed if one.wanted.order_code)
    codes: dict[ids.ClassId, str] = {}
    findings = [
        Finding("error", "plan-order-code-twice", _where(one), {"order_code": one.wanted.order_code})
        for one in placed
        if one.wanted.order_code and printed[one.wanted.order_code] > 1
    ]
    numbers: dict[str, Iterator[int]] = {}
    for one in placed:
        group = one.window.group
        free = (f"{group}{number}" for number in numbers.setdefault(group, count(1)))
        codes[one.known.class_id] = one.wanted.order_code or next(code for code in free if code not in printed)
    return codes, findings


def _slots(
    wanted: Wanted,
    groups: Mapping[str, Group],
    placed: Sequence[_Placed],
    codes: Mapping[ids.ClassId, str],
    keep: _Ids,
) -> Iterator[Slot]:
    for window in wanted.windows:
        group = groups.get(window.group)
        if group is None or window.ends_at <= window.starts_at:
            continue
        if window.delegated_zh:
            yield keep.slot(None, window.delegated_zh, group, None, (window.starts_at, window.ends_at))
        here = [one for one in placed if one.window is window]
        cut = spans(window.starts_at, window.ends_at, [one.known.headcount for one in here]) if here else []
        for one, span in zip(here, cut, strict=False):
            yield keep.slot(one.known.class_id, one.known.label, group, codes[one.known.class_id], span)


def _group_findings(wanted: Wanted, campuses: Mapping[str, Campus]) -> Iterator[Finding]:
    named = Counter(group.code for group in wanted.groups)
    for group in wanted.groups:
        if group.campus_code not in campuses:
            yield Finding("error", "plan-campus-unknown", group.code, {"campus": group.campus_code})
    for code, times in named.items():
        if times > 1:
            yield Finding("error", "plan-group-twice", code)


def _window_findings(wanted: Wanted, groups: Mapping[str, Group]) -> Iterator[Finding]:
    by_group: dict[str, list[WantedWindow]] = {}
    blocks: set[tuple[str, str]] = set()
    for window in wanted.windows:
        at = where(window.group, window.starts_at)
        by_group.setdefault(window.group, []).append(window)
        if window.group not in groups:
            yield Finding("error", "plan-window-group-unknown", at)
        if window.ends_at <= window.starts_at:
            yield Finding("error", "plan-window-backwards", at)
        elif window.classes and not spans(window.starts_at, window.ends_at, [1] * len(window.classes)):
            yield Finding("error", "plan-window-too-short", at, {"classes": len(window.classes)})
        if window.classes and window.delegated_zh:
            yield Finding("error", "plan-window-both", at)
        if not window.classes and not window.delegated_zh:
            yield Finding("warning", "plan-window-empty", at)
        if window.delegated_zh and (window.group, window.delegated_zh) in blocks:
            yield Finding("error", "plan-block-twice", where(window.group, window.starts_at, window.delegated_zh))
        blocks.add((window.group, window.delegated_zh))
    for code, windows in by_group.items():
        for first, second in pairwise(sorted(windows, key=lambda window: window.starts_at)):
            if second.starts_at < first.ends_at:
                yield Finding(
                    "error",
                    "plan-windows-overlap",
                    where(code, second.starts_at),
                    {"first": where(code, first.starts_at)},
                )


def _campus_findings(placed: Sequence[_Placed], groups: Mapping[str, Group]) -> Iterator[Finding]:
    for one in placed:
        group = groups.get(one.window.group)
        if group is not None and group.campus_id != one.known.campus_id:
            yield Finding("error", "plan-class-wrong-campus", _where(one))


def _missing_findings(
    wanted: Wanted, school: School, groups: Mapping[str, Group], placed: Sequence[_Placed]
) -> Iterator[Finding]:
    """Classes with heads and without a slot. A delegated block on their campus may be theirs: then only a warning."""
    planned = {one.known.class_id for one in placed}
    delegated = {groups[window.group].campus_id for window in wanted.windows if _is_block(window, groups)}
    for one in school.classes:
        if one.class_id not in planned and one.headcount:
            campus = next((campus.name_zh for campus in school.campuses if campus.campus_id == one.campus_id), "")
            at = " · ".join(filter(None, (campus, f"{one.college_zh} {one.label}".strip())))
            severity = "warning" if one.campus_id in delegated else "error"
            yield Finding(severity, "plan-class-missing", at, {"heads": one.headcount})  # type: ignore[arg-type]
        elif one.class_id in planned and not one.headcount:
            yield Finding("warning", "plan-class-empty", f"{one.college_zh} {one.label}".strip())


def _is_block(window: WantedWindow, groups: Mapping[str, Group]) -> bool:
    return bool(window.delegated_zh) and window.group in groups


def _pace_findings(wanted: Wanted, placed: Sequence[_Placed]) -> Iterator[Finding]:
    """Windows that ask more of their desks an hour than the plan says that they do."""
    pace = {group.code: group.desks * group.planned_per_hour for group in wanted.groups}
    for window in wanted.windows:
        hours = (window.ends_at - window.starts_at) / timedelta(hours=1)
        heads = sum(one.known.headcount for one in placed if one.window is window)
        if hours > 0 and window.group in pace and heads > pace[window.group] * hours:
            params: dict[str, str | int] = {"heads": heads, "room": int(pace[window.group] * hours)}
            yield Finding("warning", "plan-window-tight", where(window.group, window.starts_at), params)


def _announced_findings(wanted: Wanted) -> Iterator[Finding]:
    """Days on which the notice says one hour and its timetable begins at another."""
    for group in wanted.groups:
        for announced in group.announced_from:
            day = plans.local(announced).date()
            starts = [window.starts_at for window in wanted.windows if window.group == group.code]
            first = min((at for at in starts if plans.local(at).date() == day), default=None)
            if first is not None and first != announced:
                hours = {"announced": _hour(announced), "first": _hour(first)}
                yield Finding("warning", "plan-start-differs", where(group.code, first), hours)


def _hour(at: datetime) -> str:
    return plans.local(at).strftime("%H:%M")


def _where(one: _Placed) -> str:
    return where(one.window.group, one.window.starts_at, one.wanted.name)
