"""The desk pack over HTTP: conditional (ETag), and as changes to what is held (RFC 3229) for who asks so."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, status

from services.capture import ports
from services.capture.api import access
from services.capture.api.bodies import packs as packs_bodies
from services.capture.domain import packs, stations
from services.capture.handlers import packs as acts

#: How a station asks for changes in `A-IM`, and is told in `IM` that it gets them.
CHANGES = "gradphoto-pack-changes"
#: The header with the signature over the body.
SIGNATURE = "gradphoto-signature"


def router(unit: ports.Unit, signed: access.Signed) -> APIRouter:
    """One door: the pack of the desk whose station asks."""
    doors = APIRouter(tags=["desk"])

    # FastAPI reads annotations at definition time, so the dependency's type is made here.
    Station = Annotated[stations.Station, Depends(signed)]  # noqa: N806

    @doors.get(
        "/desk-pack",
        response_model=packs_bodies.DeskPack,
        responses={226: {"model": packs_bodies.DeskPackChanges}, 304: {}},
    )
    async def desk_pack(request: Request, station: Station) -> Response:
        held = packs.read(request.headers.get("if-none-match"))
        whole = CHANGES not in request.headers.get("a-im", "")
        async with unit() as work:
            told = await acts.desk_pack(work, station, held, whole=whole)
        if isinstance(told, str):
            return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers={"etag": told})
        headers = {"etag": told.etag, SIGNATURE: told.signature, "vary": "A-IM"}
        if told.kind == "whole":
            return Response(told.content, media_type="application/json", headers=headers)
        changed = {**headers, "im": CHANGES, "delta-base": held.etag if held else ""}
        return Response(told.content, status.HTTP_226_IM_USED, changed, "application/json")

    return doors
