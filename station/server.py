"""Capture's doors as a station sees them: every request signed, every answer sorted into done, later, or refused."""

import ssl
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx

from gradphoto_contracts import ids
from kit import auth
from kit.errors import Problem, Unavailable
from station import bandwidth
from station.domain.pack import Signed
from station.timekeeping import StationClock

#: An original of a 24 MP camera over a bad hall network.
_TIMEOUT = httpx.Timeout(60, connect=5)
#: How changes to a desk pack are asked for (RFC 3229), and where its signature stands.
_PACK_CHANGES, _PACK_SIGNATURE = "gradphoto-pack-changes", "gradphoto-signature"
#: Answers that ask us to come again, whatever their body says.
_LATER = frozenset({408, 425, 429})


class Unreachable(Unavailable):
    """No network, or nobody at the other end: every other request would fare the same."""

    def __init__(self) -> None:
        super().__init__("server-unreachable")


class RefusedByServer(Problem):
    """The server has read the request and says no; `code` and `params` are its own."""


class Server:
    """One signed HTTP client. `plugged` False is the cable pulled out, for drills."""

    def __init__(
        self,
        url: str,
        station_id: UUID,
        private_pem: str,
        clock: StationClock,
        bucket: bandwidth.Bucket | None = None,
    ) -> None:
        self._station_id, self._key, self._clock = station_id, private_pem, clock
        self._bucket = bucket or bandwidth.Bucket(lambda: None)
        # The system's trust store, where a university's own authority is known; httpx by itself brings another list.
        trusted = ssl.create_default_context()
        self._client = httpx.AsyncClient(base_url=url, timeout=_TIMEOUT, trust_env=False, verify=trusted)
        self.plugged = True

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def enrol(self, code: str, public_pem: str) -> dict[str, Any]:
        """Give this station's public key for its one-time code."""
        return await self._json("POST", "/v1/enrolments", {"code": code, "public_key_pem": public_pem})

    async def desk_pack(self, etag: str | None) -> Signed | None:
        """The desk pack, or what has changed since `etag`; None when that is nothing."""
        held = {"if-none-match": etag, "a-im": _PACK_CHANGES} if etag else {}
        response = await self._signed("GET", "/v1/desk-pack", b"", held)
        if response.status_code == 304:
            return None
        return Signed(response.content, response.headers.get(_PACK_SIGNATURE, ""))

    async def hall(self) -> tuple[bytes, str]:
        """The list of the hall's stations, and the server's signature over it."""
        response = await self._signed("GET", "/v1/hall", b"", {})
        return response.content, response.headers.get(_PACK_SIGNATURE, "")

    async def heartbeat(self, body: dict[str, Any]) -> None:
        """Say that this station is alive; learn the server's time."""
        before = self._clock.now()
        answer = await self._json("POST", "/v1/heartbeats", body)
        self._clock.learn(datetime.fromisoformat(answer["server_time"]), before, self._clock.now())

    async def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """An idempotent PUT."""
        return await self._json("PUT", path, body)

    async def ask_upload(self, capture_id: ids.CaptureId, sha256: str, size_bytes: int) -> dict[str, Any]:
        """Where to put an original, and whether it is there already."""
        body = {"capture_id": str(capture_id), "sha256": sha256, "size_bytes": size_bytes}
        return await self._json("POST", "/v1/uploads", body)

    async def upload(self, url: str, jpeg: bytes) -> None:
        """PUT an original to the address that `ask_upload` gave, no faster than allowed.

        A PUT that is cut leaves nothing in the store and is sent again whole (docs/decisions/0017).
        """
        # With its length, or it would go in chunks, which S3 does not take.
        headers = {"content-length": str(len(jpeg))}
        response = await self._send(
            self._client.build_request("PUT", url, content=self._bucket.poured(jpeg), headers=headers)
        )
        if not response.is_success:
            raise Unavailable("object-store-unavailable")

    async def _json(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = self._client.build_request(method, path, json=body)
        response = await self._signed(method, path, request.content, {"content-type": "application/json"})
        answer: dict[str, Any] = response.json()
        return answer

    async def _signed(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        before = self._clock.now()
        response = await self._once(method, path, body, headers)
        if response.status_code == 401 and self._was_skew(response, before):
            response = await self._once(method, path, body, headers)
        if response.is_success or response.status_code == 304:
            return response
        if response.status_code >= 500 or response.status_code in _LATER:
            raise Unavailable("server-busy", http_status=response.status_code)
        raise _refusal(response)

    async def _once(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        signature = auth.sign_station_request(self._key, self._station_id, method, path, body, self._clock.now())
        signed = {**headers, "authorization": signature}
        return await self._send(self._client.build_request(method, path, content=body, headers=signed))

    async def _send(self, request: httpx.Request) -> httpx.Response:
        if not self.plugged:
            raise Unreachable
        try:
            return await self._client.send(request)
        except httpx.TransportError as error:
            raise Unreachable from error

    def _was_skew(self, response: httpx.Response, before: datetime) -> bool:
        problem = _problem(response)
        if problem.get("code") != "station-clock-skew":
            return False
        self._clock.learn(datetime.fromisoformat(problem["params"]["server_time"]), before, self._clock.now())
        return True


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        problem = response.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _refusal(response: httpx.Response) -> RefusedByServer:
    problem = _problem(response)
    return RefusedByServer(str(problem.get("code", f"http-{response.status_code}")), **problem.get("params", {}))
