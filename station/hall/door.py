"""The door for the other desks of the hall: whoever is not on the server's list is refused, whatever they ask.

It stands open to a whole LAN, in the process that serves the operator: of a request of anybody else nothing but the
head is read, and of a listed desk's the signature over the bytes comes before what they say.
"""

from typing import Annotated, Protocol, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel, ValidationError

from gradphoto_contracts import ids
from kit import auth, web
from kit import clock as clocks
from kit.errors import Invalid, Refused, Unauthenticated
from station.hall import peers, roster, wire
from station.ports import around

T = TypeVar("T", bound=BaseModel)
#: A full batch of entries, handed on within another message, is a fifth of it.
BODY_LIMIT_BYTES = 2 * 1024 * 1024


class Answering(Protocol):
    """The desk behind the door."""

    async def exchange(self, who: ids.StationId, told: wire.Told) -> wire.Told: ...
    async def grant_claim(self, who: ids.StationId, asked: wire.ClaimAsked) -> wire.ClaimAnswered: ...
    async def grant_call(self, who: ids.StationId, asked: wire.CallAsked) -> wire.CallAnswered: ...
    async def relay(self, asked: wire.Relayed) -> wire.RelayAnswered: ...


class Listed:
    """A dependency: the station of the hall that signed this very request."""

    def __init__(self, listed: roster.Roster, clock: around.Clock, client: peers.Peers) -> None:
        self._listed, self._clock, self._client = listed, clock, client

    async def __call__(self, request: Request) -> ids.StationId:
        token = auth.station_token(request.headers.get("authorization"))
        who = ids.StationId(auth.station_id(token))
        web.identify(request, str(who), "unknown")
        peer = self._listed.peers.get(who)
        if peer is None or not self._client.plugged:
            raise Unauthenticated("station-signature-invalid")
        body, now = await request.body(), self._clock.now()
        auth.verify_station(token, request.method, request.url.path, body, peer.public_key_pem, now, peers.LEEWAY_S)
        web.identify(request, str(who), "station")
        return who


def router(answering: Answering, listed: Listed, me: ids.StationId, private_pem: str, clock: around.Clock) -> APIRouter:
    """Exchange of entries, and what only the hub grants."""
    doors = APIRouter(prefix="/v1/hall", tags=["hall"])

    Who = Annotated[ids.StationId, Depends(listed)]  # noqa: N806 - FastAPI reads annotations at definition time

    def signed(request: Request, answer: BaseModel) -> Response:
        body = answer.model_dump_json().encode()
        signed_for = peers.answer_to(request.headers["authorization"], request.url.path)
        signature = auth.sign_station_request(private_pem, me, "ANSWER", signed_for, body, clock.now())
        return Response(body, headers={"content-type": "application/json", peers.HEADER: signature})

    @doors.post("/exchanges")
    async def exchange(request: Request, who: Who) -> Response:
        told = await _read(wire.Told, request)
        return signed(request, await answering.exchange(who, told))

    @doors.post("/claims")
    async def claim(request: Request, who: Who) -> Response:
        asked = await _read(wire.ClaimAsked, request)
        if asked.wish.desk != who:
            raise Refused("hall-not-yours")
        return signed(request, await answering.grant_claim(who, asked))

    @doors.post("/calls")
    async def call(request: Request, who: Who) -> Response:
        asked = await _read(wire.CallAsked, request)
        return signed(request, await answering.grant_call(who, asked))

    @doors.post("/relays")
    async def relay(request: Request, _who: Who) -> Response:
        asked = await _read(wire.Relayed, request)
        return signed(request, await answering.relay(asked))

    return doors


def application(settings: web.WebSettings, doors: APIRouter, clock: clocks.Clock) -> FastAPI:
    """The doors by themselves: no figures, no health and no pages for a LAN."""
    return web.application(
        settings,
        title="gradphoto hall",
        clock=clock,
        verifier=None,
        routers=[doors],
        readiness=_never_asked,
        body_limit_bytes=BODY_LIMIT_BYTES,
        docs=False,
        operations=False,
    )


async def _never_asked() -> dict[str, bool]:
    return {}


async def _read(shape: type[T], request: Request) -> T:
    """What a listed desk says; FastAPI itself would read it before it is known who speaks."""
    try:
        return shape.model_validate_json(await request.body())
    except ValidationError as error:
        raise Invalid("malformed-request", count=error.error_count()) from None
