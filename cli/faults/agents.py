"""A desk under trial: its agent's process, and the operator at its door who asks again when the agent died."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil

from cli.faults import patience
from cli.stack import layout as layouts

if TYPE_CHECKING:
    from cli.faults.hall import Line

_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class Refused(Exception):
    """The desk's door said no, with a code and words."""

    def __init__(self, status: int, answer: dict[str, Any]) -> None:
        self.status, self.code, self.zh = status, str(answer.get("code", "")), str(answer.get("zh", ""))
        super().__init__(f"{status} {self.code} {self.zh}")


class Nursery:
    """The process that forks agents."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    def open(cls) -> "Nursery":
        """Start it; the libraries are loaded when the first agent is wanted."""
        line = [sys.executable, "-m", "cli.faults.nursery"]
        process = subprocess.Popen(
            line, cwd=layouts.PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment({})
        )
        return cls(process)

    async def bear(self, desk: "Desk", enrolment: dict[str, str] | None) -> int:
        """Fork an agent, or one that enrols and ends; its process id."""
        order = {
            "dir": str(desk.folder),
            "log": str(desk.log),
            "environment": desk.settings(),
            "without": list(desk.without),
            "limit_bytes": desk.limit_bytes,
            "enrolment": enrolment,
        }
        async with self._one_at_a_time:
            return int(await asyncio.to_thread(self._ask, json.dumps(order)))

    def _ask(self, order: str) -> str:
        source, target = self._process.stdout, self._process.stdin
        assert source is not None  # noqa: S101 - both are pipes
        assert target is not None  # noqa: S101
        target.write(f"{order}\n")
        target.flush()
        answer = source.readline()
        if not answer:
            raise RuntimeError("台站程序的父进程已结束 the nursery has ended")
        return answer

    def close(self) -> None:
        """End it, and every agent that still lives."""
        self._process.communicate()


def _one_connection_each() -> httpx.AsyncClient:
    # A connection each: one that was kept may be closed by the door in the moment in which it is used again.
    one_each = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(timeout=120, trust_env=False, limits=one_each)


@dataclass
class Desk:
    """One desk. `without` names guards that its agent goes without; `limit_bytes` is the greatest file it may write."""

    folder: Path
    #: Not in its directory, which may be on a full disk.
    log: Path
    nursery: Nursery
    line: "Line"
    without: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    limit_bytes: int = 0
    #: So many codes its desk pack must know before anybody comes: they reach capture one by one.
    codes: int = 1
    station_id: str = ""
    pid: int = 0
    starts: int = 0
    #: How long its last start took to an open door.
    opening_s: float = 0.0
    #: What makes bad weather on its line, while it does.
    weather: "asyncio.Task[None] | None" = None
    _client: httpx.AsyncClient = field(default_factory=_one_connection_each)

    # -- the process

    def settings(self) -> dict[str, str]:
        """What its agent is told."""
        usual = {"DEPLOYMENT": "embedded", "STATION_RESERVE_MB": "1", "LOG_LEVEL": "INFO"}
        return {f"GRADPHOTO_{name}": value for name, value in {**usual, **self.environment}.items()}

    async def enrol(self, code: str, **devices: str) -> None:
        """As an operator does, with a one-time code; `devices` are camera, reader and printer, by their names."""
        self.pid = await self.nursery.bear(self, {"url": self.line.api.url, "code": code, **devices})
        await self.gone()
        if not (self.folder / "station.json").exists():
            raise RuntimeError(f"登记失败 enrolment failed: {layouts.log_tail(self.log)}")
        (self.folder / "camera").mkdir(exist_ok=True)

    async def launch(self) -> None:
        """Start the agent; does not wait for its door."""
        self.pid = await self.nursery.bear(self, None)
        self.starts += 1

    async def start(self) -> None:
        """Start the agent and wait for its door and its desk pack."""
        began = time.monotonic()
        await self.launch()
        await self.open()
        self.opening_s = time.monotonic() - began

    async def open(self) -> None:
        """Wait for the agent's door and its desk pack."""
        await patience.until(f"{self.folder.name}: door and desk pack", self._has_pack)

    async def _has_pack(self) -> bool:
        if not self.alive():
            raise RuntimeError(f"台站程序已结束 the agent has ended: {layouts.log_tail(self.log)}")
        with contextlib.suppress(httpx.TransportError, OSError, ValueError, KeyError):
            return self._door()["pid"] == self.pid and bool((await self.state())["pack_codes"] >= self.codes)
        return False

    def alive(self) -> bool:
        """Whether the agent runs."""
        return psutil.pid_exists(self.pid)

    async def kill(self) -> None:
        """kill -9; returns when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        await self.gone()

    async def gone(self) -> None:
        """Return when the process is no more."""
        while self.alive():  # noqa: ASYNC110 - it is no child of ours
            await asyncio.sleep(0.005)

    async def again(self) -> None:
        """kill -9, and start anew."""
        await self.kill()
        await self.start()

    async def close(self) -> None:
        """End the agent, if it runs."""
        if self.pid:
            await self.kill()
        await self._client.aclose()

    # -- its door

    async def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The decoded answer. Refused, or httpx.TransportError when the agent is dead."""
        return await self._ask("POST", path, body or {})

    async def state(self) -> dict[str, Any]:
        """The desk at a glance."""
        return await self._ask("GET", "/v1/state", None)

    async def alive_at_door(self) -> None:
        """The least that its door answers."""
        (await self._client.get(f"{self._door()['url']}/healthz")).raise_for_status()

    async def journal(self) -> list[dict[str, Any]]:
        """Every journalled frame."""
        items: list[dict[str, Any]] = (await self._ask("GET", "/v1/journal", None))["items"]
        return items

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of all samples of a metric with these labels; 0 without any."""
        text = (await self._client.get(f"{self._door()['url']}/metrics")).text
        found = 0.0
        for series, told, value in _SAMPLE.findall(text):
            if series == name and labels.items() <= dict(_LABEL.findall(told)).items():
                found += float(value)
        return found

    async def messages(self) -> dict[str, str]:
        """What the operator's screen says now: code → Chinese text."""
        return {one["code"]: one["zh"] for one in (await self.screen())["messages"]}

    async def screen(self) -> dict[str, Any]:
        """The whole document that the console shows."""
        invited = await self.post("/v1/console/invitations")
        url = self._door()["url"]
        async with httpx.AsyncClient(timeout=120, trust_env=False) as browser:
            await browser.get(url + invited["path"])  # answers with a cookie
            async with browser.stream("GET", f"{url}/console/events") as events:
                async for line in events.aiter_lines():
                    if line.startswith("data:"):
                        document: dict[str, Any] = json.loads(line.removeprefix("data:"))
                        return document
        raise RuntimeError("操作台没有内容 the console shows nothing")

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        door = self._door()
        headers = {"authorization": f"Bearer {door['token']}"}
        answer = await self._client.request(method, door["url"] + path, json=body, headers=headers)
        decoded: dict[str, Any] = answer.json()
        if not answer.is_success:
            raise Refused(answer.status_code, decoded)
        return decoded

    def _door(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.folder / "door.json").read_bytes())
        return told

    # -- the hall before the camera

    def sit_down(self, picture: bytes) -> None:
        """Somebody sits there who looks like this; the camera takes it instead of a drawing."""
        part = self.folder / "camera" / "picture.part"
        part.write_bytes(picture)
        part.replace(part.with_suffix(".jpg"))

    async def seat(self, place: int) -> str:
        """Check a student in and seat them; the ticket. Both may be said again."""
        await self.resolve()
        ticket = str((await self.post("/v1/checkins", {"scan": f"code-{place}"}))["ticket"])
        await self.post("/v1/seat", {"ticket": ticket})
        return ticket

    async def photograph(self, place: int) -> str:
        """Check in, seat, shoot and keep; the capture id."""
        await self.seat(place)
        return await self.keep(await self.post("/v1/shutter"))

    async def keep(self, shot: dict[str, Any]) -> str:
        """Keep a frame, whatever the photo standard says of it."""
        await self.resolve()
        body = {"capture_id": shot["capture_id"], "decision": "keep"}
        if shot["verdict"] == "reject":
            body |= {"decision": "override", "reason": "演练 drill", "role": "crew_lead"}
        await self.post("/v1/decision", body)
        return str(shot["capture_id"])

    async def resolve(self) -> None:
        """A jump of the camera's count after a fault stops the desk until its operator has looked."""
        while drift := (await self.state())["drift"]:
            # A gap in the count: this frame shows who sits. A frame too many: it is nobody's.
            resolution = "seen" if drift["sign"] == "frame_missing" else "dismiss"
            answer = {"drift_id": drift["drift_id"], "resolution": resolution, "note": "演练 drill"}
            await self.post("/v1/drift/resolve", answer)

    async def settle(self) -> None:
        """Decide what nobody asked for, and wait until the server has everything."""
        await self.resolve()
        for frame in (await self.state())["undecided"]:
            body = {"capture_id": frame["capture_id"], "decision": "unbound", "reason": "演练 drill"}
            await self.post("/v1/decision", body)
        await patience.until(f"{self.folder.name}: all is sent", self._sent)

    async def _sent(self) -> bool:
        return not (await self.state())["backlog"]


def _environment(settings: dict[str, str]) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GRADPHOTO_")}
    return {**own, **settings}
