"""Verify's doors for people."""

from fastapi import APIRouter

from services.verify.api import answers, batches, cases, results
from services.verify.ports import Archive, Unit


def router(unit: Unit, archive: Archive, links: batches.Links) -> APIRouter:
    """All of them, under /v1."""
    doors = APIRouter(prefix="/v1")
    for part in (batches.router(unit, archive, links), results.router(unit), cases.router(unit), answers.router(unit)):
        doors.include_router(part)
    return doors
