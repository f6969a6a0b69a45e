"""Shifting a range of photos by some places: preview with pictures, apply, and what was done before."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from gradphoto_contracts import ids
from kit import auth, errors, messages, pages, web
from kit import clock as clocks
from services.capture import ports
from services.capture.api import access
from services.capture.api.bodies import binding as binding_bodies
from services.capture.api.bodies import shape
from services.capture.domain import photos, ranges
from services.capture.handlers import binding, range_rebind

Binder = Annotated[auth.Principal, Depends(web.principal("capture.rebind"))]
Limit = Annotated[int, Query(ge=1, le=1000)]
Ticket = Annotated[str, Field(min_length=1, max_length=24, pattern=r"^[ -~]+$")]

#: How long the preview's pictures open: as long as somebody needs to look through a class.
PICTURES_S = 600


class Range(shape.Body):
    """Photos of `first_ticket`..`last_ticket` move `places` on; `skip` are numbers that nobody used."""

    first_ticket: Ticket
    last_ticket: Ticket
    places: Annotated[int, Field(ge=-10_000, le=10_000)]
    skip: Annotated[list[Ticket], Field(max_length=200, default_factory=list)]


class Application(Range):
    """`digest` is the preview's: what was looked at is done, or nothing."""

    desk_id: UUID
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    reason: shape.Reason


class Picture(shape.Body):
    """A photo with an address that opens it for a short time."""

    capture_id: UUID
    taken_by_ticket: str | None
    shutter_at: datetime
    version: int
    url: str | None


class RangeRow(shape.Body):
    """One number: whose it is, the photo that is theirs now, and the one that would be."""

    ticket: str
    student_id: UUID
    before: Picture | None
    after: Picture | None
    changes: bool


class RangeFault(shape.Body):
    """Why it cannot be done."""

    code: str
    ticket: str
    zh: str
    en: str


class RangePreview(shape.Body):
    """What a shift would do; nothing has changed. `left_without` are holders who would have no photo any more."""

    desk_id: UUID
    digest: str
    moves: int
    left_without: list[str]
    rows: list[RangeRow]
    faults: list[RangeFault]
    expires_at: datetime


class Applied(shape.Body):
    """A shift that was done. Its history stands with each photo as well."""

    rebind_id: UUID
    desk_id: UUID
    first_ticket: str
    last_ticket: str
    places: int
    author: str
    reason: str
    applied_at: datetime
    moves: list[binding_bodies.Moved]


def router(unit: ports.Unit, objects: ports.Objects, clock: clocks.Clock) -> APIRouter:
    """The doors of range rebinding. Whoever asks must be allowed to rebind each photo of the range."""
    doors = APIRouter(tags=["staff"])

    @doors.post("/desks/{desk_id}/range-preview")
    async def preview(desk_id: UUID, body: Range, who: Binder) -> RangePreview:
        async with unit() as work:
            await _of_campaign(work, who, desk_id)
            seen = await range_rebind.preview(work, _shift(desk_id, body))
            for row in seen.plan.rows:
                await _show(work, who, row)
        expires_at = clock.now() + timedelta(seconds=PICTURES_S)
        return await _preview(objects, desk_id, seen, expires_at)

    @doors.put("/range-rebinds/{rebind_id}")
    async def apply(rebind_id: UUID, body: Application, who: Binder) -> Applied:
        act = binding.Act(who.sub, who.role, body.reason)

        async def allowed(work: ports.Work, photo: photos.Photo) -> None:
            await access.require_photo(work, who, photo)

        async with unit() as work:
            await _of_campaign(work, who, body.desk_id)
            shift = _shift(body.desk_id, body)
            done = await range_rebind.apply(work, rebind_id, shift, body.digest, act, allowed)
            if done.author != who.sub:  # done before, by somebody else: their reason is shown
                await access.note_look(work, who, body.desk_id, "range")
            return _applied(done)

    @doors.get("/desks/{desk_id}/range-rebinds")
    async def done(desk_id: UUID, who: Binder, after: UUID | None = None, limit: Limit = 200) -> pages.Page[Applied]:
        async with unit() as work:
            await _of_campaign(work, who, desk_id)
            await access.note_look(work, who, desk_id, "range")
            found = [_applied(each) for each in await work.ranges.of_desk(ids.DeskId(desk_id), after, limit)]
        return pages.Page(items=found, next=found[-1].rebind_id if len(found) == limit else None)

    return doors


async def _of_campaign(work: ports.Work, who: auth.Principal, desk_id: UUID) -> None:
    desk = await work.floor.desk(ids.DeskId(desk_id))
    if desk is None:
        raise errors.NotFound("desk-not-planned")
    access.require_desk(who, desk.campaign_id, desk.campus_id)


async def _show(work: ports.Work, who: auth.Principal, row: ranges.Row) -> None:
    """That the pictures were asked for is on record, as with a single one."""
    if row.before is None:
        return
    await access.require_photo(work, who, row.before)
    await access.note_look(work, who, row.before.shot.capture_id, "photo")


async def _preview(
    objects: ports.Objects, desk_id: UUID, seen: range_rebind.Preview, expires_at: datetime
) -> RangePreview:
    known = {photo.shot.capture_id: photo for row in seen.plan.rows for photo in (row.before, row.after) if photo}
    pictures = {capture_id: await _picture(objects, photo) for capture_id, photo in known.items()}

    def shown(photo: photos.Photo | None) -> Picture | None:
        return pictures[photo.shot.capture_id] if photo else None

    rows = [
        RangeRow(
            ticket=row.ticket,
            student_id=row.student_id,
            before=shown(row.before),
            after=shown(row.after),
            changes=row.changes,
        )
        for row in seen.plan.rows
    ]
    return RangePreview(
        desk_id=desk_id,
        digest=seen.digest,
        moves=len(seen.plan.moves),
        left_without=[row.ticket for row in seen.plan.rows if row.before and not row.after],
        rows=rows,
        faults=[_fault(fault) for fault in seen.plan.faults],
        expires_at=expires_at,
    )


async def _picture(objects: ports.Objects, photo: photos.Photo) -> Picture:
    url = await objects.presign_get(photo.photo_key, PICTURES_S) if photo.photo_key else None
    return Picture(
        capture_id=photo.shot.capture_id,
        taken_by_ticket=photo.shot.ticket,
        shutter_at=photo.shot.shutter_at,
        version=photo.version,
        url=url,
    )


def _fault(fault: ranges.Fault) -> RangeFault:
    zh, en = messages.render(fault.code, {"ticket": fault.ticket})
    return RangeFault(code=fault.code, ticket=fault.ticket, zh=zh, en=en)


def _shift(desk_id: UUID, body: Range) -> ranges.Shift:
    return ranges.Shift(ids.DeskId(desk_id), body.first_ticket, body.last_ticket, body.places, frozenset(body.skip))


def _applied(done: ports.RangeRebind) -> Applied:
    moves = [
        binding_bodies.Moved(capture_id=capture_id, student_id=student_id)
        for capture_id, student_id in done.moves.items()
    ]
    return Applied(
        rebind_id=done.rebind_id,
        desk_id=done.shift.desk_id,
        first_ticket=done.shift.first,
        last_ticket=done.shift.last,
        places=done.shift.places,
        author=done.author,
        reason=done.reason,
        applied_at=done.applied_at,
        moves=moves,
    )
