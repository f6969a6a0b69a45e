"""Who asks: a station by its signature, or a person by a token whose scope narrows what is shown."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import Request

from gradphoto_contracts import ids
from kit import auth, errors, web
from kit import clock as clocks
from services.capture import ports
from services.capture.domain import floor, photos, stations


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
    await work.views.note(ports.View(subject_id, who.sub, who.role, what, work.now))


def require_desk(principal: auth.Principal, campaign_id: UUID, campus_id: UUID | None) -> None:
    """A desk serves its whole campus: a token of one college, class or student has no say over it."""
    principal.require_scope(campaign_id=campaign_id)
    fleet = desks_of(principal)
    if fleet.campus_ids is not None and campus_id not in fleet.campus_ids:
        raise errors.Refused("out-of-scope", dimension="campus")


def desks_of(principal: auth.Principal) -> ports.Fleet:
    """The desks over which somebody has a say."""
    for dimension in principal.scope:
        if dimension not in ("campaign", "campus"):
            raise errors.Refused("out-of-scope", dimension=dimension)
    return ports.Fleet(_uuids(principal.scope.get("campaign")), _uuids(principal.scope.get("campus")))


def within(principal: auth.Principal, campaign_id: UUID) -> ports.Scope:
    """The part of a campaign that a list may show to this person."""
    principal.require_scope(campaign_id=campaign_id)
    scope = principal.scope
    if "student" in scope:
        raise errors.Refused("out-of-scope", dimension="student")
    colleges = scope.get("college")
    return ports.Scope(
        campus_ids=_uuids(scope.get("campus")),
        colleges=None if colleges is None else tuple(colleges),
        class_ids=_uuids(scope.get("class")),
    )


async def require_photo(work: ports.Work, principal: auth.Principal, photo: photos.Photo) -> None:
    """A photo is shown and moved by those who may see its student; one that is nobody's, by the campaign's own."""
    student = await work.floor.student(photo.student_id) if photo.student_id else None
    if student is None or student.campaign_id != photo.shot.campaign_id:
        principal.require_whole(photo.shot.campaign_id)
    else:
        await _require_class(work, principal, student)


async def require_student(work: ports.Work, principal: auth.Principal, student_id: UUID) -> floor.Student:
    """A student is shown to those within whose scope their class is now, wherever they stood when photographed."""
    student = await work.floor.student(ids.StudentId(student_id))
    if student is None:
        raise errors.NotFound("student-not-known")
    await _require_class(work, principal, student)
    return student


async def _require_class(work: ports.Work, principal: auth.Principal, student: floor.Student) -> None:
    if not await work.reports.covers(within(principal, student.campaign_id), student.class_id):
        raise errors.Refused("out-of-scope", dimension="class")


def _uuids(texts: Sequence[str] | None) -> tuple[UUID, ...] | None:
    return None if texts is None else tuple(UUID(text) for text in texts)
