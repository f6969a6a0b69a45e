"""Who asks: a station by its signature, or a person by a token whose scope narrows what is shown."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import Request

from gradphoto_contracts import ids
from kit import auth, errors, web
from kit import clock as clocks
from services.capture import ports
from services.capture.domain import photos, stations


class Signed:
    """A dependency: the enrolled station that signed this very request, body and all."""

    def __init__(self, unit: ports.Unit, clock: clocks.Clock) -> None:
        self._unit = unit
        self._clock = clock

    async def __call__(self, request: Request) -> stations.Station:
        token = auth.station_token(request.headers.get("authorization"))
        station_id = auth.station_id(token)
        web.identify(request, str(station_id), "unknown")
        async with self._unit() as work:
            station = await work.stations.get(ids.StationId(station_id))
        if station is None or station.public_key_pem is None:
            raise errors.Unauthenticated("station-signature-invalid")
        web.identify(request, str(station_id), "station")
        body = await request.body()
        now = self._clock.now()
        auth.verify_station(token, request.method, request.url.path, body, station.public_key_pem, now)
        if station.state == "revoked":
            raise errors.Refused("station-revoked")
        return station


async def note_look(work: ports.Work, who: auth.Principal, subject_id: UUID, what: ports.What) -> None:
    """That somebody opens an image, or what people wrote, is on record in the transaction in which they read it."""
    await work.photos.note_view(ports.View(subject_id, who.sub, who.role, what, work.now))


def within(principal: auth.Principal, campaign_id: UUID) -> ports.Scope:
    """The part of a campaign that a list may show to this person."""
    principal.require_scope(campaign_id=campaign_id)
    scope = principal.scope
    colleges = scope.get("college")
    return ports.Scope(
        campus_ids=_uuids(scope.get("campus")),
        colleges=None if colleges is None else tuple(colleges),
        class_ids=_uuids(scope.get("class")),
    )


async def require_photo(work: ports.Work, principal: auth.Principal, photo: photos.Photo) -> None:
    """A photo is shown and moved by those within whose scope its class is; an unbound one, by the campaign's own."""
    if photo.class_id is None:
        principal.require_whole(photo.shot.campaign_id)
        return
    scope = within(principal, photo.shot.campaign_id)
    if not await work.reports.covers(scope, photo.class_id):
        raise errors.Refused("out-of-scope", dimension="class")


def _uuids(texts: Sequence[str] | None) -> tuple[UUID, ...] | None:
    return None if texts is None else tuple(UUID(text) for text in texts)
