"""The doors of capture: what a desk signs and sends, and what staff may see and do."""

from fastapi import APIRouter

from kit import clock as clocks
from services.capture import ports
from services.capture.api import access, desk, packs, staff, stations


def router(unit: ports.Unit, objects: ports.Objects, clock: clocks.Clock) -> APIRouter:
    """All of capture's addresses, under /v1."""
    whole = APIRouter(prefix="/v1")
    signed = access.Signed(unit, clock)
    whole.include_router(stations.router(unit, clock))
    whole.include_router(packs.router(unit, signed))
    whole.include_router(desk.router(unit, objects, signed, clock))
    whole.include_router(staff.router(unit, objects, clock))
    return whole
