"""The two kinds of callers that capture has: stations that sign, and people with tokens."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx

from gradphoto_contracts.ids import StationId
from kit import auth, crypto, documents, errors, web
from kit import ids as kit_ids
from services.capture import api
from services.capture.domain import photos
from services.capture.handlers import inspection
from services.capture.store import images
from station import receipts
from station.domain.outgoing import Kind, Message
from tests.integration.capture.conftest import Capture


@dataclass(frozen=True)
class Settings:
    """The part of the settings that the web door reads."""

    deployment: str = "embedded"


@dataclass
class Doors:
    """Capture's web door, and the two kinds of callers it has."""

    capture: Capture
    client: httpx.AsyncClient
    token_key: str

    async def staff(self, method: str, path: str, body: Any = None, *, role: str = "admin", **scope: Any) -> Any:
        """Ask as a person; `scope` narrows the token."""
        narrowed = {name.rstrip("_"): [str(value)] for name, value in scope.items()}
        token = auth.mint(self.token_key, "somebody", role, narrowed, self.capture.clock.now())
        return await self.client.request(method, path, json=body, headers={"authorization": f"Bearer {token}"})


@dataclass
class Station:
    """A station with its own key."""

    doors: Doors
    station_id: UUID
    private_pem: str
    #: Under which it takes what the server signs.
    server_key: str = ""

    def believes(self, kind: Kind, key: UUID, body: dict[str, Any], answer: dict[str, Any]) -> bool:
        """Whether a desk takes this answer for the server's own."""
        try:
            receipts.Receipts(self.server_key, StationId(self.station_id)).demand(Message(kind, key, body, ""), answer)
        except errors.Refused:
            return False
        return True

    async def ask(
        self, method: str, path: str, body: Any = None, *, skew: timedelta = timedelta(), sent: bytes | None = None
    ) -> httpx.Response:
        """Sign and send; `sent` replaces the body after it was signed, `skew` is how wrong the clock is."""
        content = b"" if body is None else json.dumps(body).encode()
        now = self.doors.capture.clock.now() + skew
        signature = auth.sign_station_request(self.private_pem, self.station_id, method, path, content, now)
        headers = {"authorization": signature, "content-type": "application/json"}
        return await self.doors.client.request(method, path, content=content if sent is None else sent, headers=headers)

    async def seal(self, session_id: UUID, body: dict[str, Any]) -> httpx.Response:
        """Tell of a session, signed as its document wants it."""
        document = {**body, "session_id": str(session_id), "station_id": str(self.station_id)}
        signature = auth.Stamp(self.private_pem, documents.SEAL).sign(documents.canonical(document))
        return await self.ask("PUT", f"/v1/sessions/{session_id}", {**body, "signature": signature})

    async def upload(self, original: bytes) -> None:
        digest = sha256(original).hexdigest()
        asked = {"capture_id": str(kit_ids.new()), "sha256": digest, "size_bytes": len(original)}
        place = (await self.ask("POST", "/v1/uploads", asked)).json()
        if not place["exists"]:
            async with httpx.AsyncClient(trust_env=False) as plain:
                (await plain.put(place["url"], content=original)).raise_for_status()


@contextlib.asynccontextmanager
async def served(capture: Capture) -> AsyncIterator[Doors]:
    """The web door over the real database and store."""
    private_pem, public_pem = crypto.new_key()

    async def ready() -> dict[str, bool]:
        return {"database": await capture.database.ready(), "objects": await capture.objects.ready()}

    app = web.application(
        Settings(),
        title="gradphoto capture",
        clock=capture.clock,
        verifier=auth.TokenVerifier(public_pem, capture.clock),
        routers=[api.router(capture.unit, capture.objects, capture.clock)],
        readiness=ready,
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://capture") as client:
        yield Doors(capture, client, private_pem)


async def enrolled(doors: Doors) -> Station:
    """A station that was invited by staff and has enrolled itself."""
    capture = doors.capture
    invitation = {"campaign_id": str(capture.campaign_id), "desk_id": str(capture.desk_id), "label": "笔记本 1"}
    invited = (await doors.staff("POST", "/v1/stations", invitation)).json()
    private_pem, public_pem = crypto.new_key()
    # Before it is enrolled a station knows no id of its own.
    new = Station(doors, UUID(int=0), private_pem)
    answer = await new.ask("POST", "/v1/enrolments", {"code": invited["enrolment_code"], "public_key_pem": public_pem})
    assert answer.status_code == 200, answer.text
    assert answer.json()["desk_code"] == "A1"
    new.station_id, new.server_key = UUID(answer.json()["station_id"]), answer.json()["pack_key"]
    return new


def taken(student_id: UUID | None, original: bytes, **other: Any) -> dict[str, Any]:
    """What a desk says about a frame."""
    facts: dict[str, Any] = {
        "student_id": str(student_id) if student_id else None,
        "checkin_id": None,
        "ticket": None,
        "sha256": sha256(original).hexdigest(),
        "size_bytes": len(original),
        "shutter_at": "2024-05-20T09:00:01.123456+08:00",
        "camera_serial": "V1",
        "frame_counter": 1,
        "monotonic_ns": 10**15,
        "decision": "keep" if student_id else "unbound",
        "desk_verdict": "accept",
        "desk_rules": [],
    }
    return facts | other


def journalled(capture_id: UUID, frame: dict[str, Any]) -> dict[str, Any]:
    """A frame as the journal has it."""
    counted = {name: frame[name] for name in ("sha256", "camera_serial", "frame_counter")}
    return {"capture_id": str(capture_id), **counted}


async def inspect_all(capture: Capture) -> None:
    inspector = images.Inspector(2)
    while await inspection.inspect_next(capture.unit, capture.objects, inspector):
        pass


class Approving:
    """Finds every image good."""

    async def inspect(self, original: bytes, profile: str, *, compose_refused: bool) -> photos.Inspection:
        return photos.Inspection("accept", (), profile, b"composed " + original)


async def accept_all(capture: Capture) -> None:
    """Let the authority accept whatever waits."""
    while await inspection.inspect_next(capture.unit, capture.objects, Approving()):
        pass
