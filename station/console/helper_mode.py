"""Helper mode: a browser for a class's own helper, who runs the reader at check-in and may do nothing else.

It holds no pack and sees no queue, no frame and no state: a scan goes in, the number and what to say come out.
"""

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict

from station.api import answers, bodies
from station.api import door as api
from station.console import admission, webcam
from station.handlers import queue
from station.ports import workplace
from station.readers import wedge


class Said(BaseModel):
    """What the helper reads out. No student id, no name, no class but in the words."""

    model_config = ConfigDict(frozen=True)

    outcome: str
    ticket: str | None
    code: str
    zh: str
    en: str


def router(watch: webcam.Watch, guard: admission.Admission) -> APIRouter:
    """The one door of a helper: a scan, a picture of a code, or a webcam's frame."""
    doors = APIRouter(prefix="/console/helper", include_in_schema=False, dependencies=[Depends(guard.demand_helper)])

    @doors.post("/checkins")
    async def check_in(body: bodies.Scan) -> Said:
        return _said(await _check_in(watch.work, wedge.plain(body.scan)))

    @doors.post("/checkins/picture")
    async def check_in_by_picture(request: Request) -> Said:
        return _said(await _check_in(watch.work, await api.code_in(request)))

    @doors.post("/checkins/webcam")
    async def look(request: Request) -> webcam.Looked[Said]:
        seen, answer = await watch.look(request, _check_in)
        return webcam.Looked[Said](seen=seen, checked_in=_said(answer) if answer else None)

    return doors


async def _check_in(work: workplace.Work, code: str) -> queue.CheckIn:
    """As the operator's check-in, but seating and letting in are the operator's alone."""
    if code in work.desk.tickets:
        return queue.CheckIn("already_ticketed", code)
    return await queue.check_in(work, code, by_operator=False)


def _said(answer: queue.CheckIn) -> Said:
    told = answers.checked_in(answer)
    return Said(**told.model_dump(include=set(Said.model_fields)))
