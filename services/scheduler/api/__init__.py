"""Scheduler's HTTP door: parse, authorise, call a handler, answer."""

from fastapi import APIRouter

from kit import db
from services.scheduler.api import days, planning
from services.scheduler.ports import Work


def router(unit: db.Unit[Work]) -> APIRouter:
    """All of scheduler's addresses, under /v1."""
    whole = APIRouter(prefix="/v1")
    for part in (planning, days):
        whole.include_router(part.router(unit))
    return whole
