"""A station as a process of its own, and an operator at its door."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.integration.station import forge


class Station:
    """`python -m station run` over a directory; can be killed and started again."""

    def __init__(self, directory: Path, url: str, **environment: str) -> None:
        self.directory, self._url, self._environment = directory, url, environment
        self.process: forge.Process | None = None
        self.client = httpx.Client(timeout=30, trust_env=False)

    def enrol(self, camera: str = "virtual", *more: str) -> None:
        """Enrol with a one-time code, and what else is to be said of the devices."""
        line = ("--server", self._url, "--code", "ABCDEFGHJK", "--camera", camera, *more)
        self.run_to_end("enrol", *line).check_returncode()

    def start(self) -> None:
        """Start the process and wait for its door and its desk pack."""
        self.launch()
        self._once_it_is_so(lambda: self.get("/v1/state")["pack_entries"])

    def launch(self) -> None:
        """Start the process, enrolled or not, and wait for its door."""
        self.directory.mkdir(exist_ok=True)
        (self.directory / "door.json").unlink(missing_ok=True)
        self.process = forge.begin(self._words("run"), self._env(), self.directory / "station.log")
        self._once_it_is_so(lambda: self.get("/healthz"))

    def wait_until(self, reached: Callable[[], bool], timeout_s: float = 180) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + timeout_s
        while not reached():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _once_it_is_so(self, wanted: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 300
        while True:
            try:
                if wanted():
                    return
            except (OSError, ValueError, httpx.TransportError):
                assert self.process is not None
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError((self.directory / "station.log").read_text()) from None
            time.sleep(0.02)

    def console(self) -> str:
        """A link that lets one browser in."""
        invited = self.post("/v1/console/invitations")
        return str(json.loads((self.directory / "door.json").read_text())["url"]) + str(invited["path"])

    def kill(self) -> None:
        """kill -9, whatever it is doing."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it as a supervisor does; the exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=20)

    def sit_down(self, seed: int, flaw: str | None = None) -> None:
        """Somebody sits before the virtual camera."""
        part = self.directory / "camera" / "subject.part"
        part.parent.mkdir(exist_ok=True)
        part.write_text(json.dumps({"seed": seed, "flaw": flaw}))
        part.replace(part.with_suffix(".json"))

    def get(self, path: str) -> dict[str, Any]:
        """The decoded answer; raises httpx.HTTPStatusError when refused."""
        return self._decoded("GET", path, None)

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The decoded answer; raises httpx.HTTPStatusError when refused."""
        return self._decoded("POST", path, body or {})

    def photograph(self, place: int, flaw: str | None = None) -> dict[str, Any]:
        """Check student `place` in, seat, shoot and keep."""
        answer = self.post("/v1/checkins", {"scan": f"scan-{place}"})
        ticket = answer["ticket"]
        assert ticket, answer
        self.post("/v1/seat", {"ticket": ticket})
        self.sit_down(place, flaw)
        shot = self.post("/v1/shutter")
        self.post("/v1/decision", {"capture_id": shot["capture_id"], "decision": "keep"})
        return shot

    def drained(self, timeout_s: float = 180) -> dict[str, Any]:
        """The state once everything is with the server."""
        return self.wait_for(lambda state: not state["backlog"], timeout_s)

    def figures(self) -> str:
        """The desk's figures as Prometheus reads them."""
        door = json.loads((self.directory / "door.json").read_text())
        return self.client.get(door["metrics"]).text

    def wait_for(self, reached: Callable[[dict[str, Any]], bool], timeout_s: float = 180) -> dict[str, Any]:
        """The state once it is as wanted."""
        deadline = time.monotonic() + timeout_s
        while not reached(state := self.get("/v1/state")):
            assert time.monotonic() < deadline, state
            time.sleep(0.05)
        return state

    def _decoded(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        door = json.loads((self.directory / "door.json").read_text())
        headers = {"authorization": f"Bearer {door['token']}"}
        answer = self.client.request(method, door["url"] + path, json=body, headers=headers)
        answer.raise_for_status()
        decoded: dict[str, Any] = answer.json()
        return decoded

    def _env(self) -> dict[str, str]:
        return {**_environment(), **self._environment}

    def _words(self, act: str, *more: str) -> list[str]:
        return [act, "--dir", str(self.directory), *more]

    def run_to_end(self, act: str, *more: str) -> subprocess.CompletedProcess[bytes]:
        """Run one act of the program to its end; what it printed is `stderr`."""
        words = self._words(act, *more)
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            status = forge.begin(words, self._env(), log).wait(timeout=300)
            return subprocess.CompletedProcess(words, status, stderr=log.read_bytes())


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GRADPHOTO_")}
    return {**own, "GRADPHOTO_DEPLOYMENT": "embedded", "GRADPHOTO_STATION_RESERVE_MB": "1"}
