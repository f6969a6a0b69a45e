"""What a desk's station sends and fetches. Every request is signed, and every PUT may come again."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from gradphoto_contracts import ids
from kit import clock as clocks
from services.capture import ports
from services.capture.api import access, bodies
from services.capture.domain import checkins, photos, sessions, stations
from services.capture.handlers import desk as acts
from services.capture.handlers import stations as station_acts

#: How long an upload's address is good: a 24 MP original over a bad hall network.
UPLOAD_S = 900


def router(unit: ports.Unit, objects: ports.Objects, signed: access.Signed, clock: clocks.Clock) -> APIRouter:
    """Check-ins, uploads, captures, drifts, heartbeats."""
    doors = APIRouter(tags=["desk"])

    # FastAPI reads annotations at definition time, so the dependency's type is made here.
    Station = Annotated[stations.Station, Depends(signed)]  # noqa: N806

    @doors.put("/checkins/{checkin_id}")
    async def checkin(checkin_id: UUID, body: bodies.Checkin, station: Station) -> bodies.CheckinRecorded:
        async with unit() as work:
            recorded = await acts.record_checkin(work, await checkin_of(work, checkin_id, body, station))
        return bodies.CheckinRecorded(checkin_id=recorded.checkin_id, ticket=recorded.ticket)

    @doors.post("/uploads")
    async def upload(body: bodies.UploadAsked, station: Station) -> bodies.Upload:
        key = photos.original_key(station.campaign_id, body.sha256)
        return bodies.Upload(
            object_key=key,
            url=await objects.presign_put(key, UPLOAD_S),
            expires_at=clock.now() + timedelta(seconds=UPLOAD_S),
            exists=await acts.is_stored(objects, station.campaign_id, body.sha256),
        )

    @doors.put("/captures/{capture_id}")
    async def capture(capture_id: UUID, body: bodies.Capture, station: Station) -> bodies.CaptureReceived:
        await acts.receive_capture(unit, objects, shot_of(capture_id, body, station))
        return bodies.CaptureReceived()

    @doors.put("/drifts/{drift_id}")
    async def drift(drift_id: UUID, body: bodies.Drift, station: Station) -> bodies.DriftNoted:
        async with unit() as work:
            noted = await acts.tell_drift(work, drift_of(drift_id, body, station))
        return bodies.DriftNoted(state="suspected" if noted.resolution is None else "resolved")

    @doors.post("/heartbeats")
    async def heartbeat(body: bodies.Heartbeat, station: Station) -> bodies.ServerTime:
        async with unit() as work:
            await station_acts.note_heartbeat(work, station.station_id, stations.Health(**body.model_dump()))
        return bodies.ServerTime(server_time=clock.now())

    return doors


async def checkin_of(
    work: ports.Work, checkin_id: UUID, body: bodies.Checkin, station: stations.Station
) -> checkins.Checkin:
    """A check-in as this station tells it."""
    return checkins.Checkin(
        checkin_id=ids.CheckinId(checkin_id),
        campaign_id=station.campaign_id,
        student_id=ids.StudentId(body.student_id),
        class_id=await acts.class_of(work, ids.StudentId(body.student_id), station.campaign_id),
        desk_id=station.desk_id,
        station_id=station.station_id,
        ticket=body.ticket,
        checked_in_at=body.checked_in_at,
        recorded_at=work.now,
        hall_term=body.hall.term,
        apart=body.hall.apart,
    )


def drift_of(drift_id: UUID, body: bodies.Drift, station: stations.Station) -> sessions.Drift:
    """A drift as this station tells it."""
    return sessions.Drift(
        drift_id=ids.DriftId(drift_id),
        campaign_id=station.campaign_id,
        desk_id=station.desk_id,
        station_id=station.station_id,
        **body.model_dump(),
    )


def shot_of(capture_id: UUID, body: bodies.Capture, station: stations.Station) -> photos.Shot:
    """A frame as this station tells it."""
    return photos.Shot(
        capture_id=ids.CaptureId(capture_id),
        campaign_id=station.campaign_id,
        desk_id=station.desk_id,
        station_id=station.station_id,
        student_id=None if body.student_id is None else ids.StudentId(body.student_id),
        checkin_id=None if body.checkin_id is None else ids.CheckinId(body.checkin_id),
        desk_rules=tuple(body.desk_rules),
        **body.model_dump(exclude={"student_id", "checkin_id", "desk_rules"}),
    )
