"""Stations over HTTP: invited by staff, enrolled by themselves."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, status

from gradphoto_contracts import ids
from kit import auth, errors, pages, web
from kit import clock as clocks
from services.capture import ports
from services.capture.api import access
from services.capture.api.bodies import shape
from services.capture.api.bodies import stations as stations_bodies
from services.capture.handlers import stations as acts

Manager = Annotated[auth.Principal, Depends(web.principal("station.manage"))]
Limit = Annotated[int, Query(ge=1, le=1000)]


def router(unit: ports.Unit, clock: clocks.Clock) -> APIRouter:
    """Invite, list, revoke and enrol stations."""
    doors = APIRouter(tags=["stations"])

    @doors.post("/stations", status_code=status.HTTP_201_CREATED)
    async def invite(request: stations_bodies.NewStation, who: Manager) -> stations_bodies.Invitation:
        command = acts.InviteStation(
            campaign_id=ids.CampaignId(request.campaign_id), desk_id=ids.DeskId(request.desk_id), label=request.label
        )
        async with unit() as work:
            station, code = await acts.invite_station(work, command)
            desk = await acts.planned_desk(work, station)
            access.require_desk(who, station.campaign_id, desk.campus_id)
        return stations_bodies.Invitation(
            station_id=station.station_id, enrolment_code=code, expires_at=station.code_expires_at
        )

    @doors.get("/stations")
    async def fleet(
        who: Manager, campaign_id: UUID | None = None, after: UUID | None = None, limit: Limit = 200
    ) -> pages.Page[stations_bodies.FleetStation]:
        if campaign_id is not None:
            who.require_scope(campaign_id=campaign_id)
        theirs = access.desks_of(who)
        async with unit() as work:
            found = await work.reports.fleet(theirs, ids.CampaignId(campaign_id) if campaign_id else None, after, limit)
        return shape.page(stations_bodies.FleetStation, found, limit)

    @doors.post("/stations/{station_id}/revoke")
    async def revoke(station_id: UUID, who: Manager) -> stations_bodies.StationState:
        async with unit() as work:
            station = await acts.revoke_station(work, ids.StationId(station_id))
            desk = await acts.planned_desk(work, station)
            access.require_desk(who, station.campaign_id, desk.campus_id)
        return stations_bodies.StationState(station_id=station.station_id, state=station.state)

    @doors.post("/enrolments")
    async def enrol(request: Request, body: stations_bodies.Enrolment) -> stations_bodies.Enrolled:
        token = auth.station_token(request.headers.get("authorization"))
        raw = await request.body()
        try:
            auth.verify_station(token, request.method, request.url.path, raw, body.public_key_pem, clock.now())
        except ValueError:
            raise errors.Invalid("public-key-unreadable") from None
        async with unit() as work:
            station, desk = await acts.enrol_station(work, body.code, body.public_key_pem)
            place, pack_key = await work.floor.place(desk.desk_id), work.pack_key
            recovery_key = work.recovery_key
        return stations_bodies.Enrolled(
            station_id=station.station_id,
            campaign_id=station.campaign_id,
            desk_id=desk.desk_id,
            desk_code=desk.code,
            group_code=desk.group_code,
            campus_id=desk.campus_id,
            campus_code=place.campus,
            pack_key=pack_key,
            recovery_key=recovery_key,
            server_time=clock.now(),
        )

    return doors
