"""What a desk's station sends and fetches. Every request is signed, and every PUT may come again."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from gradphoto_contracts import ids
from kit import auth, documents, errors
from kit import clock as clocks
from services.capture import ports
from services.capture.api import access
from services.capture.api.bodies import desk as desk_bodies
from services.capture.api.bodies import shape
from services.capture.api.bodies import stations as stations_bodies
from services.capture.domain import checkins, consents, photos, sessions, stations
from services.capture.handlers import consents as consent_acts
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
    async def checkin(checkin_id: UUID, body: desk_bodies.Checkin, station: Station) -> desk_bodies.CheckinRecorded:
        async with unit() as work:
            recorded = await acts.record_checkin(
                work, await checkin_of(work, checkin_id, body, station), let_in_of(body)
            )
        return desk_bodies.CheckinRecorded(checkin_id=recorded.checkin_id, ticket=recorded.ticket)

    @doors.post("/uploads")
    async def upload(body: desk_bodies.UploadAsked, station: Station) -> desk_bodies.Upload:
        key = photos.original_key(station.campaign_id, body.sha256)
        return desk_bodies.Upload(
            object_key=key,
            url=await objects.presign_put(key, UPLOAD_S),
            expires_at=clock.now() + timedelta(seconds=UPLOAD_S),
            exists=await acts.is_stored(objects, station.campaign_id, body.sha256, body.size_bytes),
        )

    @doors.put("/captures/{capture_id}")
    async def capture(capture_id: UUID, body: desk_bodies.Capture, station: Station) -> desk_bodies.CaptureReceived:
        await acts.receive_capture(unit, objects, shot_of(capture_id, body, station), override_of(body))
        async with unit() as work:
            signature = work.sign_receipt(documents.receipt(station.station_id, capture_id, body.sha256))
        return desk_bodies.CaptureReceived(capture_id=capture_id, sha256=body.sha256, signature=signature)

    @doors.put("/consents/{consent_id}")
    async def consent(consent_id: UUID, body: desk_bodies.Consent, station: Station) -> desk_bodies.ConsentNoted:
        async with unit() as work:
            await consent_acts.note_consent(work, consent_of(work, consent_id, body, station))
        return desk_bodies.ConsentNoted()

    @doors.put("/drifts/{drift_id}")
    async def drift(drift_id: UUID, body: desk_bodies.Drift, station: Station) -> desk_bodies.DriftNoted:
        async with unit() as work:
            noted = await acts.tell_drift(work, drift_of(drift_id, body, station))
        return desk_bodies.DriftNoted(state="suspected" if noted.resolution is None else "resolved")

    @doors.post("/heartbeats")
    async def heartbeat(body: stations_bodies.Heartbeat, station: Station) -> stations_bodies.ServerTime:
        async with unit() as work:
            await station_acts.note_heartbeat(work, station.station_id, stations.Health(**body.model_dump()))
        return stations_bodies.ServerTime(server_time=clock.now())

    return doors


async def checkin_of(
    work: ports.Work, checkin_id: UUID, body: desk_bodies.Checkin, station: stations.Station
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


def let_in_of(body: desk_bodies.Checkin) -> checkins.LetIn | None:
    """Who let the student in, if somebody did."""
    told = body.let_in
    return checkins.LetIn(told.role, told.reason, told.at) if told else None


def override_of(body: desk_bodies.Capture) -> acts.Override | None:
    """Who let the photo pass, if somebody did."""
    told = body.override
    return acts.Override(told.role, told.reason, told.at) if told else None


def consent_of(
    work: ports.Work, consent_id: UUID, body: desk_bodies.Consent, station: stations.Station
) -> consents.Consent:
    """A student's word as this station tells it; raises Invalid unless its own key signed exactly this."""
    try:
        at = shape.of_our_time(datetime.fromisoformat(body.at))
    except ValueError:
        raise errors.Invalid("consent-malformed") from None
    if at.tzinfo is None:
        raise errors.Invalid("consent-malformed")
    consent = consents.Consent(
        consent_id=consent_id,
        campaign_id=station.campaign_id,
        student_id=ids.StudentId(body.student_id),
        station_id=station.station_id,
        desk_id=station.desk_id,
        given=body.given,
        text=body.text,
        text_sha256=body.text_sha256,
        said_at=body.at,
        at=at,
        signature=body.signature,
        recorded_at=work.now,
    )
    content = documents.canonical(consents.document(consent))
    if not auth.stamped(station.public_key_pem or "", documents.CONSENT, content, body.signature):
        raise errors.Invalid("consent-signature-invalid")
    return consent


def drift_of(drift_id: UUID, body: desk_bodies.Drift, station: stations.Station) -> sessions.Drift:
    """A drift as this station tells it."""
    return sessions.Drift(
        drift_id=ids.DriftId(drift_id),
        campaign_id=station.campaign_id,
        desk_id=station.desk_id,
        station_id=station.station_id,
        **body.model_dump(),
    )


def shot_of(capture_id: UUID, body: desk_bodies.Capture, station: stations.Station) -> photos.Shot:
    """A frame as this station tells it."""
    return photos.Shot(
        capture_id=ids.CaptureId(capture_id),
        campaign_id=station.campaign_id,
        desk_id=station.desk_id,
        station_id=station.station_id,
        student_id=None if body.student_id is None else ids.StudentId(body.student_id),
        checkin_id=None if body.checkin_id is None else ids.CheckinId(body.checkin_id),
        desk_rules=tuple(body.desk_rules),
        override_role=None,
        override_mark=None,
        **body.model_dump(exclude={"student_id", "checkin_id", "desk_rules", "override"}),
    )
