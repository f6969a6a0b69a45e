"""Halls over HTTP: who belongs to one, what its desks tell of walk-offs, and the students whom two desks took."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from gradphoto_contracts import ids
from kit import auth, errors, pages, web
from services.capture import ports
from services.capture.api import access
from services.capture.api.bodies import binding as binding_bodies
from services.capture.api.bodies import halls as halls_bodies
from services.capture.api.bodies import shape
from services.capture.api.packs import SIGNATURE
from services.capture.domain import stations
from services.capture.handlers import binding, doubles, halls

Reader = Annotated[auth.Principal, Depends(web.principal("capture.read"))]
Binder = Annotated[auth.Principal, Depends(web.principal("capture.rebind"))]
Limit = Annotated[int, Query(ge=1, le=1000)]


def router(unit: ports.Unit, signed: access.Signed) -> APIRouter:
    """The hall's list and walk-offs for stations, doubles for staff."""
    doors = APIRouter(tags=["hall"])
    _add_staff(doors, unit)

    # FastAPI reads annotations at definition time, so the dependency's type is made here.
    Station = Annotated[stations.Station, Depends(signed)]  # noqa: N806

    @doors.get("/hall", response_model=halls_bodies.HallList)
    async def hall(station: Station) -> Response:
        async with unit() as work:
            content, signature = await halls.hall_list(work, station)
        return Response(content, media_type="application/json", headers={SIGNATURE: signature})

    @doors.put("/releases/{checkin_id}")
    async def release(checkin_id: UUID, body: halls_bodies.Release, station: Station) -> halls_bodies.Released:
        async with unit() as work:
            await note_release(work, checkin_id, body, station)
        return halls_bodies.Released()

    return doors


async def note_release(
    work: ports.Work, checkin_id: UUID, body: halls_bodies.Release, station: stations.Station
) -> None:
    """The holder of a ticket walked off, as this station tells it; it may speak for its own campaign alone."""
    checkin = await work.checkins.get(ids.CheckinId(checkin_id))
    if checkin is not None and checkin.campaign_id != station.campaign_id:
        raise errors.Refused("student-of-another-campaign")
    await doubles.release_checkin(work, ids.CheckinId(checkin_id), body.released_at)


def _add_staff(doors: APIRouter, unit: ports.Unit) -> None:
    @doors.get("/campaigns/{campaign_id}/doubles")
    async def listed(
        campaign_id: UUID, who: Reader, after: UUID | None = None, limit: Limit = 200
    ) -> pages.Page[halls_bodies.ListedDouble]:
        scope = access.within(who, campaign_id)
        async with unit() as work:
            found = await work.reports.doubles(ids.CampaignId(campaign_id), scope, after, limit)
        return shape.page(halls_bodies.ListedDouble, found, limit)

    @doors.post("/students/{student_id}/double")
    async def settle(student_id: UUID, body: halls_bodies.DoubleSettled, who: Binder) -> binding_bodies.Bound:
        async with unit() as work:
            photo = await binding.locked(work, ids.CaptureId(body.capture_id))
            await access.require_photo(work, who, photo)
            act = binding.Act(who.sub, who.role, body.reason)
            await doubles.settle_double(work, ids.StudentId(student_id), photo.shot.capture_id, act)
            kept = await binding.locked(work, photo.shot.capture_id)
        return binding_bodies.Bound(
            capture_id=kept.shot.capture_id, state=kept.state, student_id=kept.student_id, version=kept.version
        )
