"""Helper mode: a browser for a class's own helper, who runs the reader at check-in and may do nothing else.

It holds no pack and sees no queue, no frame and no state: a scan goes in, the number and what to say come out.
"""

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from station import agent as agents
from station.api import answers, bodies
from station.console import admission
from station.handlers import queue


class Said(BaseModel):
    """What the helper reads out. No student id, no name, no class but in the words."""

    model_config = ConfigDict(frozen=True)

    outcome: str
    ticket: str | None
    code: str
    zh: str
    en: str


def router(agent: agents.Agent, guard: admission.Admission) -> APIRouter:
    """The one door of a helper."""
    doors = APIRouter(prefix="/console/helper", include_in_schema=False, dependencies=[Depends(guard.demand_helper)])

    @doors.post("/checkins")
    async def check_in(body: bodies.Scan) -> Said:
        told = answers.checked_in(await queue.check_in(agent.work, body.scan))
        return Said(**told.model_dump(include=set(Said.model_fields)))

    return doors
