"""Seals over HTTP: a station tells, the answer says what differs; staff read, and settle."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from gradphoto_contracts import ids
from kit import auth, documents, errors, pages, web
from services.capture import ports
from services.capture.api import access
from services.capture.api.bodies import binding as binding_bodies
from services.capture.api.bodies import seals as seals_bodies
from services.capture.api.bodies import shape
from services.capture.domain import seals, stations
from services.capture.handlers import seals as acts

Reader = Annotated[auth.Principal, Depends(web.principal("ops.read"))]
Binder = Annotated[auth.Principal, Depends(web.principal("capture.rebind"))]
Limit = Annotated[int, Query(ge=1, le=1000)]


def router(unit: ports.Unit, signed: access.Signed) -> APIRouter:
    """Told by stations, read and settled by staff."""
    doors = APIRouter(tags=["seals"])
    Station = Annotated[stations.Station, Depends(signed)]  # noqa: N806 - FastAPI reads annotations when defining

    @doors.put("/sessions/{session_id}")
    async def seal(session_id: UUID, body: seals_bodies.SealAsked, station: Station) -> seals_bodies.Sealed:
        async with unit() as work:
            sealed = await acts.seal_session(work, told(session_id, body, station))
            return _answer(work, sealed)

    @doors.get("/sessions/{session_id}")
    async def session(session_id: UUID, who: Reader) -> seals_bodies.SealWhole:
        async with unit() as work:
            sealed = await acts.sealed_session(work, ids.SessionId(session_id))
            await _require(work, who, sealed)
            answer = _answer(work, sealed)
            station = await work.stations.get(sealed.told.station_id)
            await access.note_look(work, who, session_id, "session")
            return seals_bodies.SealWhole(
                **answer.model_dump(),
                session_id=session_id,
                station_id=sealed.told.station_id,
                desk_id=sealed.told.desk_id,
                document=dict(sealed.told.document),
                station_signature=sealed.told.signature,
                station_key=station.public_key_pem if station else None,
                server_key=work.pack_key,
                settled_by=sealed.settled_by,
                settled_role=sealed.settled_role,
                settled_reason=await work.sessions.settled_reason(sealed.told.session_id),
                version=sealed.version,
            )

    @doors.get("/campaigns/{campaign_id}/sessions")
    async def sessions(
        campaign_id: UUID, who: Reader, after: UUID | None = None, limit: Limit = 200
    ) -> pages.Page[seals_bodies.ListedSession]:
        who.require_whole(campaign_id)
        async with unit() as work:
            rows = await work.reports.sessions(ids.CampaignId(campaign_id), after, limit)
        return shape.page(seals_bodies.ListedSession, rows, limit)

    @doors.post("/sessions/{session_id}/settle")
    async def settle(session_id: UUID, body: binding_bodies.Withdrawal, who: Binder) -> seals_bodies.Sealed:
        async with unit() as work:
            await _require(work, who, await acts.sealed_session(work, ids.SessionId(session_id)))
            settled = await acts.settle_session(work, ids.SessionId(session_id), who.sub, who.role, body.reason)
            return _answer(work, settled)

    return doors


def told(session_id: UUID, body: seals_bodies.SealAsked, station: stations.Station) -> seals.Told:
    """What a station says of a session; raises Invalid unless its own key signed exactly this."""
    said: dict[str, Any] = body.model_dump(mode="json", exclude={"signature"}, exclude_unset=True)
    document = {**said, "session_id": str(session_id), "station_id": str(station.station_id)}
    if not signature_fits(station, document, body.signature):
        raise errors.Invalid("seal-signature-invalid")
    return seals.read(document, station.campaign_id, station.desk_id, body.signature)


def signature_fits(station: stations.Station, document: dict[str, Any], signature: str) -> bool:
    """Whether the station's key signed this document."""
    content = documents.canonical(document)
    return auth.stamped(station.public_key_pem or "", documents.SEAL, content, signature)


async def _require(work: ports.Work, who: auth.Principal, seal: seals.Seal) -> None:
    desk = await work.floor.desk(seal.told.desk_id)
    access.require_desk(who, seal.told.campaign_id, desk.campus_id if desk else None)


def _answer(work: ports.Work, seal: seals.Seal) -> seals_bodies.Sealed:
    countersigned = acts.countersign(work, seal)
    return seals_bodies.Sealed(
        state=seal.state,
        stored_frames=seal.stored_frames,
        missing=list(seal.missing),
        balanced=seal.balanced,
        difference_count=seal.difference_count,
        differences=[seals_bodies.SealDifference(**vars(one)) for one in seal.differences],
        sealed_at=seal.sealed_at,
        countersigned=dict(countersigned[0]) if countersigned else None,
        countersignature=countersigned[1] if countersigned else None,
    )
