"""A dead desk's work brought by somebody else: believed by the dead station's own signature, allowed by staff.

Only of a station that was revoked: one that may still speak for itself is not spoken for.
"""

import json
from datetime import timedelta
from typing import Annotated, Literal, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ValidationError

from gradphoto_contracts import ids
from kit import auth, documents, errors, logs, web
from kit import clock as clocks
from services.capture import ports
from services.capture.api import bodies, desk, halls, seals
from services.capture.domain import photos, stations
from services.capture.handlers import desk as acts
from services.capture.handlers import seals as seal_acts
from services.capture.handlers import stations as station_acts

B = TypeVar("B", bound=BaseModel)
Manager = Annotated[auth.Principal, Depends(web.principal("station.manage"))]


def router(unit: ports.Unit, objects: ports.Objects, clock: clocks.Clock) -> APIRouter:
    """Keys, uploads and messages of a revoked station."""
    doors = APIRouter(prefix="/imports/{station_id}", tags=["imports"])

    @doors.post("/keys")
    async def keys(station_id: UUID, body: bodies.KeysAsked, who: Manager) -> bodies.Keys:
        station = await _revoked(unit, who, station_id)
        manifest = body.manifest.encode()
        if not auth.stamped(station.public_key_pem or "", documents.EXPORT, manifest, body.signature):
            raise errors.Invalid("import-signature-invalid")
        async with unit() as work:
            box = work.open_box(_box(body.manifest), body.recipient, station_id)
        logs.get().warning("station.keys-opened", station_id=str(station_id), who=who.sub, role=who.role)
        return bodies.Keys(box=box)

    @doors.post("/uploads")
    async def upload(station_id: UUID, body: bodies.UploadAsked, who: Manager) -> bodies.Upload:
        station = await _revoked(unit, who, station_id)
        key = photos.original_key(station.campaign_id, body.sha256)
        return bodies.Upload(
            object_key=key,
            url=await objects.presign_put(key, desk.UPLOAD_S),
            expires_at=clock.now() + timedelta(seconds=desk.UPLOAD_S),
            exists=await acts.is_stored(objects, station.campaign_id, body.sha256),
        )

    @doors.put("/{kind}/{key}")
    async def bring(
        station_id: UUID,
        kind: Literal["checkin", "release", "capture", "drift", "session"],
        key: UUID,
        body: bodies.Brought,
        who: Manager,
    ) -> bodies.BroughtIn:
        station = await _revoked(unit, who, station_id)
        signed = documents.brought(station_id, kind, str(key), body.text)
        if not auth.stamped(station.public_key_pem or "", documents.EXPORT_MESSAGE, signed, body.signature):
            raise errors.Invalid("import-signature-invalid")
        await _take(unit, objects, station, kind, key, body.text)
        return bodies.BroughtIn()

    return doors


async def _take(
    unit: ports.Unit, objects: ports.Objects, station: stations.Station, kind: str, key: UUID, text: str
) -> None:
    """As if the station itself had sent it."""
    if kind == "checkin":
        async with unit() as work:
            await acts.record_checkin(work, await desk.checkin_of(work, key, _read(bodies.Checkin, text), station))
    elif kind == "release":
        async with unit() as work:
            await halls.note_release(work, key, _read(bodies.Release, text), station)
    elif kind == "capture":
        await acts.receive_capture(unit, objects, desk.shot_of(key, _read(bodies.Capture, text), station))
    elif kind == "drift":
        async with unit() as work:
            await acts.tell_drift(work, desk.drift_of(key, _read(bodies.Drift, text), station))
    else:
        async with unit() as work:
            await seal_acts.seal_session(work, seals.told(key, _read(bodies.SealAsked, text), station))


def _read(kind: type[B], text: str) -> B:
    try:
        return kind.model_validate_json(text)
    except ValidationError:
        # What it says is not repeated: an operator's reason may hold a name.
        raise errors.Invalid("import-message-malformed") from None


def _box(manifest: str) -> str:
    try:
        return str(json.loads(manifest)["keys"])
    except (ValueError, KeyError, TypeError):
        raise errors.Invalid("import-message-malformed") from None


async def _revoked(unit: ports.Unit, who: auth.Principal, station_id: UUID) -> stations.Station:
    async with unit() as work:
        station = await work.stations.get(ids.StationId(station_id))
        if station is None:
            raise errors.NotFound("station-not-known")
        at = await station_acts.planned_desk(work, station)
        who.require_scope(campaign_id=station.campaign_id, campus_id=at.campus_id)
    if station.state != "revoked":
        raise errors.Conflict("import-station-not-revoked")
    return station
