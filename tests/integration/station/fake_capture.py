"""Capture's station doors over real HTTP, small: signatures are verified, objects hashed, faults made to order."""

import asyncio
import hashlib
import json
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from kit import auth, crypto, documents, errors, ids
from station.domain.pack import SIGNED_AS

CODE_KEY = bytes(range(32))
CLASS_ID = "0199aaaa-0000-7000-8000-000000000001"
OTHER_CLASS_ID = "0199aaaa-0000-7000-8000-000000000002"


@dataclass
class Capture:
    """What a capture service would know. Counters and faults are for the tests."""

    students: list[str]
    elsewhere: set[str] = field(default_factory=set)
    other_class: set[str] = field(default_factory=set)
    public_pem: str = ""
    identity_mode: str = "capture_code"
    name_masked: str | None = None
    #: What stands on the card or in the code of the student in that place, instead of `scan-<place>`.
    payloads: dict[int, str] = field(default_factory=dict)
    #: When the class's slots begin, as the plan says.
    starts_at: list[str] = field(default_factory=list)
    station_id: UUID = field(default_factory=ids.new)
    campaign_id: UUID = field(default_factory=ids.new)
    desk_id: UUID = field(default_factory=ids.new)
    skew: timedelta = timedelta()
    failing_share: float = 0.0
    upload_kbit_s: int | None = None
    refuse_checkins: bool = False
    face_consent: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    checkins: dict[str, dict[str, Any]] = field(default_factory=dict)
    releases: dict[str, dict[str, Any]] = field(default_factory=dict)
    consents: dict[str, dict[str, Any]] = field(default_factory=dict)
    captures: dict[str, dict[str, Any]] = field(default_factory=dict)
    capture_puts: dict[str, int] = field(default_factory=dict)
    drifts: dict[str, dict[str, Any]] = field(default_factory=dict)
    seals: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    heartbeats: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    skew_answers: int = 0
    #: Others answer everything, in turn: status, content, headers.
    strangers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    strange_answers: int = 0
    pack_hits: int = 0
    pack_keys: tuple[str, str] = field(default_factory=crypto.new_key)
    url: str = ""
    dice: random.Random = field(default_factory=lambda: random.Random(7))

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skew

    def pack(self) -> dict[str, Any]:
        """The desk pack; `scan-<n>` is the code of student n."""
        taken = {row["student_id"] for row in self.captures.values() if row["decision"] in ("keep", "override")}
        return {
            "kind": "whole",
            "etag": "",
            "version": 1,
            "issued_at": self.now().isoformat(),
            "expires_at": (self.now() + timedelta(hours=72)).isoformat(),
            "campaign_id": str(self.campaign_id),
            "identity_mode": self.identity_mode,
            "upload_kbit_s": self.upload_kbit_s,
            "campaign_code_key": CODE_KEY.hex(),
            "photo": {"profile": "chsi-2017-99", "retake_limit": 3, "face_consent": self.face_consent},
            "desk": {
                "desk_id": str(self.desk_id),
                "code": "A",
                "group_code": "A",
                "campus_code": "M",
                "next_ticket": 1,
            },
            "classes": [{"class_id": CLASS_ID, "label": "2024-1", "order_code": "A1", "starts_at": self.starts_at}],
            "entries": [
                {
                    "student_id": student_id,
                    "class_id": OTHER_CLASS_ID if student_id in self.other_class else CLASS_ID,
                    "digest": crypto.digest_with(
                        CODE_KEY, self.identity_mode, self.payloads.get(place, f"scan-{place}")
                    ),
                    "ordinal": place,
                    "eligible": True,
                    "photographed": student_id in taken | self.elsewhere,
                    "name_masked": self.name_masked,
                }
                for place, student_id in enumerate(self.students)
            ],
        }

    def key_of(self, token: str) -> str:
        """The key with which a request must be signed."""
        return self.public_pem

    def pack_of(self, request: Request) -> dict[str, Any]:
        """The pack of the desk that asks."""
        return self.pack()

    def app(self) -> FastAPI:
        """The doors."""
        doors = FastAPI()

        @doors.middleware("http")
        async def signed(request: Request, forward: Any) -> Response:
            if self.strangers:
                self.strange_answers += 1
                status, content, headers = self.strangers[self.strange_answers % len(self.strangers)]
                return Response(content, status, headers)
            if request.url.path.startswith("/store/"):
                return await self._disturbed(request, forward)
            body = await request.body()
            token = auth.station_token(request.headers.get("authorization"))
            enrols = request.url.path == "/v1/enrolments"
            key = (await request.json())["public_key_pem"] if enrols else self.key_of(token)
            try:
                auth.verify_station(token, request.method, request.url.path, body, key, self.now())
            except errors.Unauthenticated as problem:
                self.skew_answers += problem.code == "station-clock-skew"
                return JSONResponse({"code": problem.code, "params": dict(problem.params)}, 401)
            return await self._disturbed(request, forward)

        doors.post("/v1/enrolments")(self._enrol)
        doors.get("/v1/desk-pack")(self._desk_pack)
        doors.put("/v1/checkins/{key}", response_model=None)(self._checkin)
        doors.put("/v1/releases/{key}", response_model=None)(self._release)
        doors.put("/v1/consents/{key}", response_model=None)(self._consent)
        doors.post("/v1/uploads")(self._upload)
        doors.put("/store/{sha256}")(self._store)
        doors.put("/v1/captures/{key}", response_model=None)(self._capture)
        doors.put("/v1/drifts/{key}")(self._drift)
        doors.put("/v1/sessions/{key}")(self._session)
        doors.post("/v1/heartbeats")(self._heartbeat)
        return doors

    async def _disturbed(self, request: Request, forward: Any) -> Response:
        # Half of the faults come before the work is done, half after it: a lost answer is the harder case.
        fault = self.dice.random()
        if fault < self.failing_share / 2:
            return JSONResponse({"code": "storm"}, 503)
        response: Response = await forward(request)
        return JSONResponse({"code": "storm"}, 502) if fault < self.failing_share else response

    async def _enrol(self, request: Request) -> dict[str, Any]:
        self.public_pem = (await request.json())["public_key_pem"]
        return {
            "station_id": str(self.station_id),
            "campaign_id": str(self.campaign_id),
            "desk_id": str(self.desk_id),
            "desk_code": "A",
            "group_code": "A",
            "campus_id": str(ids.new()),
            "campus_code": "M",
            "pack_key": self.pack_keys[1],
            "server_time": self.now().isoformat(),
        }

    async def _desk_pack(self, request: Request) -> Response:
        self.pack_hits += 1
        pack = self.pack_of(request)
        etag = hashlib.sha256(repr(pack["entries"]).encode()).hexdigest()
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304)
        content = json.dumps({**pack, "etag": etag}).encode()
        signature = auth.Stamp(self.pack_keys[0], SIGNED_AS).sign(content)
        return Response(content, headers={"etag": etag, "gradphoto-signature": signature})

    async def _checkin(self, key: str, request: Request) -> Any:
        if self.refuse_checkins:
            return JSONResponse({"code": "ticket-taken", "params": {"ticket": "A-0001"}}, 409)
        return self._once(self.checkins, key, await request.json(), "checkin") or {"state": "recorded"}

    async def _release(self, key: str, request: Request) -> Any:
        return self._once(self.releases, key, await request.json(), "release") or {"state": "released"}

    async def _consent(self, key: str, request: Request) -> Any:
        return self._once(self.consents, key, await request.json(), "consent") or {"state": "noted"}

    async def _upload(self, request: Request) -> dict[str, Any]:
        sha256 = (await request.json())["sha256"]
        return {
            "object_key": sha256,
            "url": f"{self.url}/store/{sha256}",
            "expires_at": "",
            "exists": sha256 in self.objects,
        }

    async def _store(self, sha256: str, request: Request) -> dict[str, Any]:
        self.objects[sha256] = await request.body()
        return {}

    async def _capture(self, key: str, request: Request) -> Any:
        body = await request.json()
        content = self.objects.get(body["sha256"])
        if content is None or hashlib.sha256(content).hexdigest() != body["sha256"]:
            return JSONResponse({"code": "original-missing", "params": {}}, 409)
        self.capture_puts[key] = self.capture_puts.get(key, 0) + 1
        return self._once(self.captures, key, body, "capture") or {
            "state": "received",
            "capture_id": key,
            "sha256": body["sha256"],
            "signature": self._signed(documents.RECEIPT, documents.receipt(_asker(request), UUID(key), body["sha256"])),
        }

    async def _drift(self, key: str, request: Request) -> dict[str, Any]:
        self.drifts[key] = await request.json()
        return {"state": "suspected"}

    async def _session(self, key: str, request: Request) -> dict[str, Any]:
        body = await request.json()
        self.seals[key] = body
        missing = [row["capture_id"] for row in body["journalled"] if row["capture_id"] not in self.captures]
        stored = len(body["journalled"]) - len(missing)
        balanced = not missing and body["camera_frames"] == stored
        counters = {row["capture_id"]: row["frame_counter"] for row in body["journalled"]}
        differences = [{"kind": "frame_missing", "capture_id": one, "frame_counter": counters[one]} for one in missing]
        countersigned = {
            "session_id": key,
            "station_id": str(_asker(request)),
            "state": "sealed",
            "stored_frames": stored,
            "differences": 0,
        }
        signature = self._signed(documents.COUNTERSIGN, documents.canonical(countersigned))
        return {
            "countersigned": countersigned if balanced else None,
            "countersignature": signature if balanced else None,
            "state": "sealed" if balanced else "refused",
            "stored_frames": stored,
            "missing": missing,
            "balanced": balanced,
            "differences": differences,
            "difference_count": len(differences),
        }

    async def _heartbeat(self, request: Request) -> dict[str, Any]:
        self.heartbeats.append(await request.json())
        return {"server_time": self.now().isoformat()}

    def _signed(self, kind: str, content: bytes) -> str:
        return auth.Stamp(self.pack_keys[0], kind).sign(content)

    def _once(self, known: dict[str, dict[str, Any]], key: str, body: dict[str, Any], kind: str) -> Response | None:
        if key in known and known[key] != body:
            self.conflicts.append(f"{kind} {key}")
            return JSONResponse({"code": f"{kind}-differs", "params": {}}, 409)
        if key not in known:
            self.order.append(f"{kind} {key}")
        known[key] = body
        return None


def _asker(request: Request) -> UUID:
    return auth.station_id(auth.station_token(request.headers.get("authorization")))


class Running:
    """A fake on a port of its own, which can be pulled down and put up again with its memory kept."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        capture.url = f"http://127.0.0.1:{self.port}"
        self._server: uvicorn.Server
        self._thread: threading.Thread

    def up(self) -> None:
        """Listen; returns once it does."""
        config = uvicorn.Config(
            self.capture.app(), port=self.port, log_config=None, access_log=False, timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=asyncio.run, args=(self._server.serve(),), daemon=True)
        self._thread.start()
        while not self._server.started:
            threading.Event().wait(0.01)

    def down(self) -> None:
        """Refuse connections."""
        self._server.should_exit = True
        self._thread.join()


@contextmanager
def running(capture: Capture) -> Iterator[Running]:
    """A fake that listens for as long as the block runs."""
    server = Running(capture)
    server.up()
    try:
        yield server
    finally:
        server.down()
