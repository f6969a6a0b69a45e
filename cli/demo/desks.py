"""The desks of the day: a station process each, enrolled with a one-time code, under the stack's supervisor."""

import asyncio
import contextlib
import json
import os
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.demo import doors
from cli.stack import control
from cli.stack import layout as layouts
from cli.stack.stack import Stack
from station.cameras.portraits import Flaw


@dataclass
class Desk:
    """One desk and its station process. `folder` holds the station's keys, spool and journal."""

    desk_id: str
    code: str
    group: str
    folder: Path
    door: doors.Door
    station_id: str = ""
    timings: dict[str, list[float]] = field(
        default_factory=lambda: {"checkin_to_shutter": [], "shutter_to_verdict": []}
    )
    verdicts: dict[str, int] = field(default_factory=dict)
    retakes: int = 0
    done: int = 0
    #: Its process was started once: whoever starts the stack again starts it as well.
    started: bool = False
    busy_s: float = 0.0

    @property
    def part(self) -> str:
        """The station's name under the supervisor."""
        return f"station-{self.code}"

    def sit_down(self, face: int, flaw: Flaw | None) -> None:
        """Somebody sits before the lens of the virtual camera."""
        camera = self.folder / "camera"
        camera.mkdir(exist_ok=True)
        subject = {"seed": face, "flaw": flaw.value if flaw else None}
        layouts.write_atomically(camera / "subject.json", json.dumps(subject))

    def note_verdict(self, answer: dict[str, Any], waited_s: float, took_s: float) -> None:
        self.timings["checkin_to_shutter"].append(waited_s)
        self.timings["shutter_to_verdict"].append(took_s)
        for reason in answer["reasons"] or [{"rule": "ok"}]:
            self.verdicts[reason["rule"]] = self.verdicts.get(reason["rule"], 0) + 1


class Fleet:
    """All desks of a plan."""

    def __init__(self, stack: Stack, capture: doors.Door, camera: str, heal: Any, *, hall: bool = False) -> None:
        """`hall`: desks of one group share their queue over the LAN, which is this machine."""
        self.stack = stack
        self.capture = capture
        self.camera = camera
        self.heal = heal
        self.hall = hall
        self.desks: dict[str, Desk] = {}
        self._putting_up = threading.Lock()

    def environment(self) -> dict[str, str]:
        """What a station process is told: it stands in the embedded stack and lives by its clock."""
        return {
            "GRADPHOTO_DEPLOYMENT": "embedded",
            "GRADPHOTO_CLOCK_FILE": str(self.stack.layout.clock),
            "GRADPHOTO_LOG_LEVEL": "INFO",
        }

    async def set_up(self, campaign_id: str, plan: dict[str, Any]) -> None:
        """Register, enrol and start a station for every desk of the plan, several at a time."""
        hands = asyncio.Semaphore(3)

        async def one(row: dict[str, Any]) -> None:
            async with hands:
                await self._set_up_desk(campaign_id, row)

        await asyncio.gather(*(one(row) for row in plan["desks"]))

    async def _set_up_desk(self, campaign_id: str, row: dict[str, Any]) -> None:
        folder = self.stack.layout.root / "stations" / row["code"]
        desk = Desk(row["desk_id"], row["code"], row["group_code"], folder, doors.desk(folder, self.heal))
        self.desks[desk.code] = desk
        body = {"campaign_id": campaign_id, "desk_id": desk.desk_id, "label": desk.code}
        answer = await self.capture.post_once_known("/v1/stations", body)
        desk.station_id = answer["station_id"]
        await self._enrol(desk, answer["enrolment_code"])
        if self.hall:
            layouts.write_atomically(folder / "hall.json", json.dumps({"listen": "127.0.0.1:0"}))
        await self.start(desk)

    async def _enrol(self, desk: Desk, code: str) -> None:
        """As an operator does: the code is good until the station has its answer, so a failure is tried again."""
        said = ""
        async for _ in doors.tries(self.heal):
            with contextlib.suppress(KeyError, ValueError):  # the stack's own state while it starts again
                failed, said = await self._enrol_once(desk, code)
                if not failed:
                    return
        raise RuntimeError(f"台站 {desk.code} 登记失败 enrolment failed:\n{said[-2000:]}")

    async def _enrol_once(self, desk: Desk, code: str) -> tuple[bool, str]:
        where = ["--dir", str(desk.folder), "--server", self.stack.url("capture")]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "station", "enrol", *where, "--code", code, "--camera", self.camera),
            env={**_own_environment(), **self.environment()},
            cwd=layouts.PROJECT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return bool(process.returncode), output.decode(errors="replace")

    async def start(self, desk: Desk) -> None:
        """Start the station's process and wait until its door is open and it has a desk pack."""
        async for _ in doors.tries(self.heal):
            with contextlib.suppress(control.NotRunning, TimeoutError):
                await asyncio.to_thread(self.put_up, desk)
                break
        await self.wait_for_pack(desk, entries=1)

    def put_up(self, desk: Desk) -> None:
        """Give the station's process to the supervisor, unless it has it already. NotRunning without one."""
        desk.started = True
        with self._putting_up:
            if desk.part not in self.stack.layout.read_state().get("parts", {}):
                self.stack.spawn(desk.part, self.command(desk), env=self.environment())

    def put_up_again(self) -> None:
        """Every station that was started once and that a new supervisor does not have."""
        for desk in [desk for desk in self.desks.values() if desk.started]:
            self.put_up(desk)

    def command(self, desk: Desk) -> list[str]:
        """The station's command line."""
        return [sys.executable, "-m", "station", "run", "--dir", str(desk.folder)]

    async def wait_for_pack(self, desk: Desk, entries: int) -> None:
        """Return once the desk knows at least so many students by their codes."""
        for _ in range(4500):
            state = await desk.door.get("/v1/state")
            if state["pack_codes"] >= entries:
                return
            await asyncio.sleep(0.2)
        raise RuntimeError(f"台站 {desk.code} 没有名单 the desk has no pack")

    async def wait_drained(self) -> None:
        """Return once no desk has anything left to send."""
        for desk in self.desks.values():
            while (await desk.door.get("/v1/state"))["backlog"]:  # noqa: ASYNC110 - the door can only be asked
                await asyncio.sleep(0.2)

    async def seal(self) -> list[dict[str, Any]]:
        """Close the session at every desk: camera, journal and server counts are compared."""
        return [await desk.door.post("/v1/sessions/seal") for desk in self.desks.values()]

    async def journals(self) -> list[dict[str, Any]]:
        """Every journalled frame of every desk."""
        return [row for desk in self.desks.values() for row in (await desk.door.get("/v1/journal"))["items"]]

    async def close(self) -> None:
        for desk in self.desks.values():
            await desk.door.close()


def _own_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GRADPHOTO_")}
