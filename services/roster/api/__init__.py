"""Roster's HTTP door: parse, authorise, call a handler, answer."""

from fastapi import APIRouter

from kit import db
from services.roster.api import campaigns, students, uploads
from services.roster.ports import Work


def router(unit: db.Unit[Work]) -> APIRouter:
    """All of roster's addresses, under /v1."""
    whole = APIRouter(prefix="/v1")
    for part in (campaigns, uploads, students):
        whole.include_router(part.router(unit))
    return whole
