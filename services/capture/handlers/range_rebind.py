"""Shifting a range of photos: looked at with pictures first, then done as it was looked at or not at all."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from kit import errors
from services.capture import ports
from services.capture.domain import photos, ranges
from services.capture.handlers import binding, measures

Allowed = Callable[[ports.Work, photos.Photo], Awaitable[None]]


@dataclass(frozen=True)
class Preview:
    """What a shift would do. `digest` is handed in again to have just this done."""

    plan: ranges.Plan
    digest: str


async def preview(work: ports.Work, shift: ranges.Shift) -> Preview:
    """Work a shift out on what holds now. Nothing changes."""
    desk = await work.floor.desk(shift.desk_id)
    if desk is None:
        raise errors.NotFound("desk-not-planned")
    return _previewed(shift, await work.ranges.places(desk.campaign_id, desk.desk_id))


async def apply(
    work: ports.Work, rebind_id: UUID, shift: ranges.Shift, digest: str, act: binding.Act, allowed: Allowed
) -> ports.RangeRebind:
    """Do what was looked at: all of it, once. Refused when anything of it has changed since.

    Shifts of one desk go one after the other; each photo is locked besides, against who moves a single one. What was
    done before is told to whoever may move those photos.
    """
    await work.ranges.lock(shift.desk_id)
    done = await work.ranges.get(rebind_id)
    if done is not None:
        if (done.shift, done.digest) != (shift, digest):
            measures.CONFLICTS.labels(subject="range").inc()
            raise errors.Conflict("range-differs")
        await _demand(work, done, allowed)
        return done
    seen = await preview(work, shift)
    await _lock(work, seen.plan)
    seen = await preview(work, shift)
    if seen.digest != digest:
        measures.RANGES.labels(outcome="stale").inc()
        raise errors.Conflict("range-preview-stale")
    if seen.plan.faults:
        fault = seen.plan.faults[0]
        raise errors.Conflict(fault.code, ticket=fault.ticket)
    if not seen.plan.moves:
        raise errors.Conflict("range-moves-nothing")
    return await _move(work, rebind_id, shift, seen, act, allowed)


async def _move(
    work: ports.Work,
    rebind_id: UUID,
    shift: ranges.Shift,
    seen: Preview,
    act: binding.Act,
    allowed: Allowed,
) -> ports.RangeRebind:
    for row in seen.plan.rows:
        if row.before:
            await allowed(work, row.before)
    held = {row.before.shot.capture_id: row.before.student_id for row in seen.plan.rows if row.before}
    moves = {
        capture_id: binding.Move(student_id, holder)
        for capture_id, student_id in seen.plan.moves.items()
        if (holder := held[capture_id])
    }
    moved = await binding.rebind_photos(work, moves, act)
    for photo in moved:
        await allowed(work, photo)
    done = ports.RangeRebind(
        rebind_id=rebind_id,
        shift=shift,
        digest=seen.digest,
        author=act.author,
        reason=act.reason,
        applied_at=work.now,
        moves=dict(sorted(seen.plan.moves.items())),
    )
    await work.ranges.add(done)
    measures.RANGES.labels(outcome="applied").inc()
    return done


async def _demand(work: ports.Work, done: ports.RangeRebind, allowed: Allowed) -> None:
    for capture_id in done.moves:
        photo = await work.photos.get(capture_id)
        if photo is not None:
            await allowed(work, photo)


async def _lock(work: ports.Work, plan: ranges.Plan) -> None:
    for capture_id in sorted(row.before.shot.capture_id for row in plan.rows if row.before):
        await work.photos.get(capture_id, lock=True)


def _previewed(shift: ranges.Shift, places: list[ranges.Place]) -> Preview:
    plan = ranges.plan(places, shift)
    asked = f"{shift.desk_id} {shift.first} {shift.last} {shift.places} {' '.join(sorted(shift.skip))}"
    digest = hashlib.sha256("\n".join([asked, *plan.lines()]).encode()).hexdigest()
    return Preview(plan, digest)
