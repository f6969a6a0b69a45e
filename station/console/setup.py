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
from station import devices, enrolment, settings
from station.cameras import choice as cameras
from station.console import admission, door, live, sights, views
from station.handlers import calibration
from station.ports import hardware, verdicts
from station.printers import choice as printers
from station.readers import cards
from station.readers import choice as readers

DeviceName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]


#: A reader or a printer that is there answers within a second.
_TRIAL_S = 8.0


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Chosen(_Body):
    """The devices of this desk."""

    camera: DeviceName
    reader: DeviceName = "none"
    printer: DeviceName = "none"

    @property
    def devices(self) -> settings.Devices:
        """As the station keeps them."""
        return settings.Devices(camera=self.camera, reader=self.reader, printer=self.printer)


class Enrol(Chosen):
    """Which server, with which one-time code, and the devices of this desk."""

    server: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^https?://\S{1,300}$")]
    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class SetUp(views.Document):
    """The document of a station that serves no desk yet."""

    phase: Literal["setup"] = "setup"
    cameras: tuple[str, ...] = cameras.CHOICES
    readers: tuple[str, ...] = readers.CHOICES
    printers: tuple[str, ...] = printers.CHOICES
    #: The serial lines of this machine: for whoever chooses a reader or a printer.
    serial_ports: tuple[str, ...]
    enrolled: bool


class Moved(BaseModel):
    """Done; the station starts anew, and the page finds it again by itself."""

    restarting: bool = True


class TestShot(BaseModel):
    """What a test shot came to: of an empty seat the backdrop, of a sitter the whole inspection."""

    capture_id: str = Field(description="under which the picture can be looked at")
    empty: bool
    verdict: str | None
    marks: verdicts.Marks | None
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
        lines = _serial_ports()
        return streams.stream(lambda: SetUp(enrolled=directory.is_enrolled, serial_ports=lines))

    @doors.post("/setup/enrol")
    async def enrol(body: Enrol) -> Moved:
        if directory.is_enrolled:
            raise Conflict("console-setup-elsewhere")
        await _demand_works(directory, body.devices, settings.Devices(camera=""))
        await enrolment.enrol(directory, config, body.server.rstrip("/"), body.code, body.devices)
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
        return SetUp(enrolled=True, serial_ports=_serial_ports())

    @doors.post("/devices")
    async def change_devices(body: Chosen) -> Moved:
        present = desk.agent.enrolled.devices
        if present == body.devices:
            return Moved(restarting=False)
        if work.desk.seated or work.desk.undecided or work.exposing:
            raise Conflict("console-setup-busy")
        await _demand_works(directory, body.devices, present)
        enrolment.choose(directory, body.devices.model_dump())
        again()
        return Moved()

    @doors.post("/test-slips")
    async def test_slip() -> Moved:
        if work.printer is None:
            raise Unavailable("printer-none")
        await work.printer.print(hardware.Slip("TEST", "试打 test", work.desk.code, work.clock.now()))
        return Moved(restarting=False)

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
            reasons=tuple(sights.reason(finding) for finding in judgement.findings),
            studio=measured,
        )

    return doors


def _studio(jpeg: bytes, profile: str) -> dict[str, Any]:
    measured = studio.measure(jpeg, profiles.load(profile))
    return {**dataclasses.asdict(measured), "passed": measured.passed}


def _serial_ports() -> tuple[str, ...]:
    return tuple(device for device, _ in cards.available())


async def _demand_works(directory: settings.Directory, chosen: settings.Devices, present: settings.Devices) -> None:
    """Raise what is wrong with a device that is new here before the station is told to use it."""
    enrolment.demand_known(chosen)
    directory.make()
    if chosen.camera != present.camera:
        found = cameras.open_camera(chosen.camera, directory.camera, "setup")
        await found.frames_taken()
        await cameras.try_out(found)
    if chosen.reader != present.reader and (reader := readers.open_reader(chosen.reader)):
        await devices.try_out(reader, _TRIAL_S, "device-opening")
    if chosen.printer != present.printer and (printer := printers.open_printer(chosen.printer)):
        await devices.try_out(printer, _TRIAL_S, "device-opening")
