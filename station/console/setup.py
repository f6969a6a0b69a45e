"""Setting a desk up from the page: enrol with a one-time code, pick the camera, take a test shot of the backdrop."""

import asyncio
import dataclasses
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from kit.errors import Conflict, Unavailable
from photospec import decoding, profiles, studio
from station import enrolment, ports, settings
from station.cameras import choice
from station.console import admission, door, live, views
from station.handlers import calibration

CameraName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Enrol(_Body):
    """Which server, with which one-time code, and the camera of this desk."""

    server: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^https?://\S{1,300}$")]
    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    camera: CameraName


class CameraChosen(_Body):
    """Another camera."""

    camera: CameraName


class SetUp(views.Document):
    """The document of a station that serves no desk yet."""

    phase: Literal["setup"] = "setup"
    cameras: tuple[str, ...] = choice.CHOICES
    enrolled: bool


class Moved(BaseModel):
    """Done; the station starts anew, and the page finds it again by itself."""

    restarting: bool = True


class TestShot(BaseModel):
    """What a test shot came to: of an empty seat the backdrop, of a sitter the whole inspection."""

    capture_id: str = Field(description="under which the picture can be looked at")
    empty: bool
    verdict: str | None
    marks: ports.Marks | None
    reasons: tuple[views.Reason, ...]
    studio: dict[str, Any] | None


def unenrolled(
    directory: settings.Directory, config: settings.Settings, guard: admission.Admission, streams: live.Live,
    done: Callable[[], None],
) -> APIRouter:  # fmt: skip
    """What the page of a station asks for that serves no desk yet."""
    doors = APIRouter(prefix="/console", include_in_schema=False, dependencies=[Depends(guard.demand)])

    @doors.get("/events")
    async def events() -> StreamingResponse:
        return streams.stream(lambda: SetUp(enrolled=directory.is_enrolled))

    @doors.post("/setup/enrol")
    async def enrol(body: Enrol) -> Moved:
        if directory.is_enrolled:
            raise Conflict("console-setup-elsewhere")
        await _demand_works(directory, body.camera)
        await enrolment.enrol(directory, config, body.server.rstrip("/"), body.code, body.camera)
        done()
        return Moved()

    return doors


def enrolled(
    desk: door.Desk, directory: settings.Directory, guard: admission.Admission, again: Callable[[], None]
) -> APIRouter:
    """What the wizard does at a desk that is enrolled."""
    doors = APIRouter(prefix="/console/setup", include_in_schema=False, dependencies=[Depends(guard.demand)])
    work = desk.agent.work

    @doors.get("")
    async def known() -> SetUp:
        return SetUp(enrolled=True)

    @doors.post("/camera")
    async def change_camera(body: CameraChosen) -> Moved:
        if desk.agent.enrolled.camera == body.camera:
            return Moved(restarting=False)
        if work.desk.seated or work.desk.undecided or work.exposing:
            raise Conflict("console-setup-busy")
        await _demand_works(directory, body.camera)
        directory.save_enrolled(desk.agent.enrolled.model_copy(update={"camera": body.camera}))
        again()
        return Moved()

    @doors.post("/test-shots")
    async def test_shot() -> TestShot:
        try:
            frame, jpeg = await calibration.take_test_shot(work)
        except Unavailable as problem:
            desk.camera_failed(problem)
            raise
        with suppress(decoding.UnreadableImage):  # the verdict says so
            await desk.shown.keep(frame.capture_id, jpeg)
        profile = work.packs.current().photo.profile
        judgement = await work.inspector.inspect(jpeg, profile)
        measured = None
        if judgement.marks is None:
            measured = await asyncio.to_thread(_studio, jpeg, profile)
            measured["at"] = work.clock.now().isoformat()
            settings.write_whole(directory.studio, json.dumps(measured).encode())
            desk.studio_measured(measured)
        return TestShot(
            capture_id=str(frame.capture_id),
            empty=judgement.marks is None,
            verdict=None if judgement.marks is None else judgement.verdict,
            marks=judgement.marks,
            reasons=tuple(views.reason(finding) for finding in judgement.findings),
            studio=measured,
        )

    return doors


def _studio(jpeg: bytes, profile: str) -> dict[str, Any]:
    measured = studio.measure(jpeg, profiles.load(profile))
    return {**dataclasses.asdict(measured), "passed": measured.passed}


async def _demand_works(directory: settings.Directory, camera: str) -> None:
    """Raise what is wrong with a camera before the station is told to use it."""
    directory.make()
    found = choice.open_camera(camera, directory.camera, "setup")
    await found.frames_taken()
    await choice.try_out(found)
