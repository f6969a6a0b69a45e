"""The console's door: what the page asks for and what it does, each answered with the desk as it is then."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from pydantic import BaseModel, Field

from gradphoto_contracts import ids
from kit.errors import NotFound, Problem, Unavailable
from photospec import decoding
from station import agent as agents
from station import previews
from station.api import answers, bodies
from station.api import door as api
from station.console import admission, live, overview, pages, views, webcam
from station.domain import facts
from station.handlers import comparing, frames, queue, sessions
from station.readers import wedge

_SEAL_PATIENCE_S = 20.0


class Release(bodies.Reason):
    """Whose holder walked off, and why. In the body: a ticket is no address."""

    ticket: Annotated[str, Field(min_length=1, max_length=24)]


class Consent(BaseModel):
    """Whether the holder of a ticket lets faces be compared."""

    ticket: Annotated[str, Field(min_length=1, max_length=24)]
    given: bool


class LetIn(bodies.Reason):
    """Who lets a student in whom check-in turned away, and why."""

    #: Whom they mean: `turned_away` of the desk when they were asked.
    turned_away: UUID
    role: facts.Role


class CheckedIn(BaseModel):
    """How a scan ended, and the desk after it."""

    answer: bodies.CheckInAnswer
    desk: views.Desk


class Invitation(BaseModel):
    """For whom a browser is let in."""

    role: admission.Role = "operator"


class Invited(BaseModel):
    """Where a browser enters, once."""

    path: str
    expires_in_s: int


def entrance(guard: admission.Admission, token: str, station: str) -> APIRouter:
    """How a browser gets in: the holder of the station's token asks for a link, the link gives a cookie."""
    doors = APIRouter(tags=["console"])

    @doors.post("/v1/console/invitations", dependencies=[Depends(api.holder_of(token, station))])
    async def invite(body: Invitation | None = None) -> Invited:
        code = guard.invite(body.role if body else "operator")
        return Invited(path=f"/console/enter?once={code}", expires_in_s=admission.CODE_LIFE_S)

    @doors.get("/console/enter", include_in_schema=False)
    async def enter(once: str) -> Response:
        response = RedirectResponse("/console/", 303, headers=pages.HEADERS)
        if guard.admit(once, response) == "helper":
            response.headers["location"] = "/console/helper"
        return response

    @doors.get("/console/admitted", include_in_schema=False, status_code=204, dependencies=[Depends(guard.demand)])
    async def admitted() -> None:
        """An event stream does not tell a page why it was refused; this does."""

    return doors


class Desk:
    """One agent before its page."""

    def __init__(self, agent: agents.Agent, shown: previews.Previews) -> None:
        self.agent, self.shown = agent, shown
        self.watch = webcam.Watch(agent.work, agent.measures)
        self._trouble: Problem | None = None
        self._at_frame: ids.CaptureId | None = None
        self._studio = read_studio(agent)

    def view(self) -> views.Desk:
        """The desk as it is."""
        newest = next(reversed(self.agent.work.desk.frames), None)
        if newest != self._at_frame:
            self._at_frame, self._trouble = newest, None
        return overview.desk(self.agent, self.shown, self._trouble, self._studio)

    def camera_failed(self, problem: Problem) -> None:
        """Remember it for as long as no picture comes."""
        self.view()
        self._trouble = problem

    def studio_measured(self, studio: dict[str, Any]) -> None:
        """Show the newest test shot."""
        self._studio = studio


def router(desk: Desk, guard: admission.Admission, streams: live.Live) -> APIRouter:
    """What the page of a working desk asks for and does."""
    doors = APIRouter(prefix="/console", include_in_schema=False, dependencies=[Depends(guard.demand)])
    _looking(doors, desk, streams)
    _checking_in(doors, desk)
    _queueing(doors, desk)
    _photographing(doors, desk)
    return doors


def _looking(doors: APIRouter, desk: Desk, streams: live.Live) -> None:
    @doors.get("/events")
    async def events() -> StreamingResponse:
        return streams.stream(desk.view)

    @doors.get("/frames/{capture_id}.jpg")
    async def frame(capture_id: ids.CaptureId) -> Response:
        if capture_id not in desk.agent.work.desk.frames:
            raise NotFound("desk-frame-unknown", capture_id=str(capture_id))
        try:
            content = await desk.shown.get(capture_id)
        except decoding.UnreadableImage:
            raise NotFound("console-no-picture") from None
        # `no-store`: a face does not get into the browser's cache on the disk.
        return Response(content, headers={**pages.HEADERS, "content-type": "image/jpeg"})

    @doors.get("/live.jpg")
    async def live_view() -> Response:
        content = await desk.agent.work.camera.preview()
        return Response(content, headers={**pages.HEADERS, "content-type": "image/jpeg"})


def _checking_in(doors: APIRouter, desk: Desk) -> None:
    work = desk.agent.work

    def answered(answer: queue.CheckIn) -> CheckedIn:
        told = answers.checked_in(answer)
        return CheckedIn(answer=told.model_copy(update={"student_id": None}), desk=desk.view())

    @doors.post("/checkins")
    async def check_in(body: bodies.Scan) -> CheckedIn:
        return answered(await queue.check_in(work, wedge.plain(body.scan)))

    @doors.post("/checkins/picture")
    async def check_in_by_picture(request: Request) -> CheckedIn:
        return answered(await queue.check_in(work, await api.code_in(request)))

    @doors.post("/checkins/webcam")
    async def look(request: Request) -> webcam.Looked[CheckedIn]:
        seen, answer = await desk.watch.look(request)
        return webcam.Looked[CheckedIn](seen=seen, checked_in=answered(answer) if answer else None)

    @doors.post("/checkins/let-in")
    async def let_in(body: LetIn) -> CheckedIn:
        return answered(await queue.admit_turned_away(work, body.turned_away, body.role, body.reason))

    @doors.post("/slips")
    async def print_slip(body: bodies.SlipAsked) -> bodies.SlipAnswer:
        return await api.reprint(desk.agent, body)


def _queueing(doors: APIRouter, desk: Desk) -> None:
    work, view = desk.agent.work, desk.view

    @doors.post("/seat")
    async def seat(body: bodies.Seating) -> views.Desk:
        await (queue.show(work, body.scan) if body.scan else queue.seat(work, body.ticket))
        return view()

    @doors.post("/releases")
    async def release(body: Release) -> views.Desk:
        await queue.release(work, body.ticket, body.reason)
        return view()

    @doors.post("/consents")
    async def consent(body: Consent) -> views.Desk:
        await comparing.note_consent(work, body.ticket, given=body.given)
        return view()

    @doors.post("/drift")
    async def resolve(body: bodies.Resolved) -> views.Desk:
        await queue.resolve_drift(work, ids.DriftId(body.drift_id), body.resolution, body.note)
        return view()

    @doors.post("/seals")
    async def seal() -> dict[str, Any]:
        return await sessions.seal(work, _SEAL_PATIENCE_S)


def _photographing(doors: APIRouter, desk: Desk) -> None:
    work, view = desk.agent.work, desk.view

    @doors.post("/shutter")
    async def shutter() -> views.Desk:
        try:
            await api.shoot(desk.agent)
        except Unavailable as problem:
            desk.camera_failed(problem)
            raise
        return view()

    @doors.post("/decisions")
    async def decide(body: bodies.Decision) -> views.Desk:
        await frames.decide(work, ids.CaptureId(body.capture_id), body.decision, body.reason, body.role)
        return view()


def read_studio(agent: agents.Agent) -> dict[str, Any] | None:
    """The last test shot's measures, if there was one."""
    try:
        kept: dict[str, Any] = json.loads(agent.directory.studio.read_bytes())
    except FileNotFoundError:
        return None
    return kept
