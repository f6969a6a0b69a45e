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
from services.capture.api import access, desk, halls, seals
from services.capture.api.bodies import desk as desk_bodies
from services.capture.api.bodies import halls as halls_bodies
from services.capture.api.bodies import seals as seals_bodies
from services.capture.api.bodies import sticks as sticks_bodies
from services.capture.domain import photos, stations
from services.capture.handlers import consents as consent_acts
from services.capture.handlers import desk as acts
from services.capture.handlers import seals as seal_acts
from services.capture.handlers import stations as station_acts

B = TypeVar("B", bound=BaseModel)
Manager = Annotated[auth.Principal, Depends(web.principal("station.manage"))]


def router(unit: ports.Unit, objects: ports.Objects, clock: clocks.Clock) -> APIRouter:
    """Keys, uploads and messages of a revoked station."""
    doors = APIRouter(prefix="/imports/{station_id}", tags=["imports"])

    @doors.post("/keys")
    async def keys(station_id: UUID, body: sticks_bodies.KeysAsked, who: Manager) -> sticks_bodies.Keys:
        # Behind these keys lie pictures of whole classes: asked are those who may see them, and it is on record.
        who.require("capture.read")
        station = await _revoked(unit, who, station_id)
        manifest = body.manifest.encode()
        if not auth.stamped(station.public_key_pem or "", documents.EXPORT, manifest, body.signature):
            raise errors.Invalid("import-signature-invalid")
        async with unit() as work:
            await access.note_look(work, who, station_id, "keys")
            box = work.open_box(_box(body.manifest), body.recipient, station_id)
        logs.get().warning("station.keys-opened", station_id=str(station_id), who=who.sub, role=who.role)
        return sticks_bodies.Keys(box=box)

    @doors.post("/uploads")
    async def upload(station_id: UUID, body: desk_bodies.UploadAsked, who: Manager) -> desk_bodies.Upload:
        station = await _revoked(unit, who, station_id)
        key = photos.original_key(station.campaign_id, body.sha256)
        return desk_bodies.Upload(
            object_key=key,
            url=await objects.presign_put(key, desk.UPLOAD_S),
            expires_at=clock.now() + timedelta(seconds=desk.UPLOAD_S),
            exists=await acts.is_stored(objects, station.campaign_id, body.sha256, body.size_bytes),
        )

    @doors.put("/{kind}/{key}")
    async def bring(
        station_id: UUID,
        kind: Literal["checkin", "release", "consent", "capture", "drift", "session"],
        key: UUID,
        body: sticks_bodies.Brought,
        who: Manager,
    ) -> sticks_bodies.BroughtIn:
        station = await _revoked(unit, who, station_id)
        signed = documents.brought(station_id, kind, str(key), body.text)
        if not auth.stamped(station.public_key_pem or "", documents.EXPORT_MESSAGE, signed, body.signature):
            raise errors.Invalid("import-signature-invalid")
        await _take(unit, objects, station, kind, key, body.text)
        return sticks_bodies.BroughtIn()

    return doors


async def _take(
    unit: ports.Unit, objects: ports.Objects, station: stations.Station, kind: str, key: UUID, text: str
) -> None:
    """As if the station itself had sent it."""
    if kind == "checkin":
        async with unit() as work:
            told = _read(desk_bodies.Checkin, text)
            await acts.record_checkin(work, await desk.checkin_of(work, key, told, station), desk.let_in_of(told))
    elif kind == "release":
        async with unit() as work:
            await halls.note_release(work, key, _read(halls_bodies.Release, text), station)
    elif kind == "capture":
        shot = _read(desk_bodies.Capture, text)
        await acts.receive_capture(unit, objects, desk.shot_of(key, shot, station), desk.override_of(shot))
    elif kind == "consent":
        async with unit() as work:
            said = _read(desk_bodies.Consent, text)
            await consent_acts.note_consent(work, desk.consent_of(work, key, said, station))
    elif kind == "drift":
        async with unit() as work:
            await acts.tell_drift(work, desk.drift_of(key, _read(desk_bodies.Drift, text), station))
    else:
        async with unit() as work:
            await seal_acts.seal_session(work, seals.told(key, _read(seals_bodies.SealAsked, text), station))


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
        access.require_desk(who, station.campaign_id, at.campus_id)
    if station.state != "revoked":
        raise errors.Conflict("import-station-not-revoked")
    return station
