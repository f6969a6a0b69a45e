"""The doors of capture: what a desk signs and sends, and what staff may see and do."""

from fastapi import APIRouter

from kit import clock as clocks
from services.capture import ports
from services.capture.api import (
    access,
    audits,
    desk,
    halls,
    imports,
    packs,
    pages,
    ranges,
    seals,
    staff,
    stations,
    views,
)


def router(unit: ports.Unit, objects: ports.Objects, clock: clocks.Clock) -> APIRouter:
    """All of capture's addresses, under /v1, and the pages that stand on them, under /staff."""
    whole = APIRouter(prefix="/v1")
    signed = access.Signed(unit, clock)
    whole.include_router(stations.router(unit, clock))
    whole.include_router(packs.router(unit, signed))
    whole.include_router(desk.router(unit, objects, signed, clock))
    whole.include_router(halls.router(unit, signed))
    whole.include_router(staff.router(unit, objects, clock))
    whole.include_router(ranges.router(unit, objects, clock))
    whole.include_router(views.router(unit))
    whole.include_router(audits.router(unit))
    whole.include_router(seals.router(unit, signed))
    whole.include_router(imports.router(unit, objects, clock))
    doors = APIRouter()
    doors.include_router(whole)
    doors.include_router(pages.router(objects))
    return doors
