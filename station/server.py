"""Capture's doors as a station sees them: every request signed, every answer sorted into done, later, or refused.

Whatever else comes over the network (a captive portal's page, another program's JSON, bytes that do not unpack) is an
answer of somebody who is not our server, and is told apart from no answer.
"""

import ipaddress
import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import httpx
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

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
#: The network wants somebody to sign in first (RFC 6585): no word of our server's.
_SIGN_IN = 511

T = TypeVar("T")


class Unreachable(Unavailable):
    """No network, or nobody at the other end: every other request would fare the same."""

    def __init__(self, code: str = "server-unreachable") -> None:
        super().__init__(code)


class NotOurServer(Unreachable):
    """Somebody answers, and it is not our server: the sign-in page of a network, for one."""

    def __init__(self) -> None:
        super().__init__("server-not-ours")


class NotPrivate(Unreachable):
    """The server's address is plain HTTP over a network: everybody on it could listen, and answer."""

    def __init__(self) -> None:
        super().__init__("server-not-https")


class Place(BaseModel):
    """Where an original goes; `exists` when it lies there whole already."""

    url: str
    exists: bool


#: No clock of ours stands outside of these years.
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class _Time(BaseModel):
    server_time: Annotated[AwareDatetime, Field(ge=_FIRST, lt=_LAST)]


class _Problem(BaseModel):
    code: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,80}$")]
    params: dict[str, Any] = Field(default_factory=dict)


_TOLD: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_PLACE, _TIME, _PROBLEM = TypeAdapter(Place), TypeAdapter(_Time), TypeAdapter(_Problem)


class RefusedByServer(Problem):
    """The server has read the request and says no; `code` and `params` are its own."""


class Server:
    """One signed HTTP client. `plugged` False is the cable pulled out, for drills.

    It speaks HTTPS, and plain HTTP to this very machine alone, unless `plain_http` says that this is a rehearsal.
    """

    def __init__(
        self,
        url: str,
        station_id: UUID,
        private_pem: str,
        clock: StationClock,
        bucket: bandwidth.Bucket | None = None,
        *,
        plain_http: bool = False,
    ) -> None:
        self._url, self._plain_http = url, plain_http
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
        return await self._json(_TOLD, "POST", "/v1/enrolments", {"code": code, "public_key_pem": public_pem})

    async def desk_pack(self, etag: str | None) -> Signed | None:
        """The desk pack, or what has changed since `etag`; None when that is nothing."""
        held = {"if-none-match": etag, "a-im": _PACK_CHANGES} if etag else {}
        response = await self._signed("GET", "/v1/desk-pack", b"", held)
        if response.status_code == 304:
            return None
        return Signed(response.content, _signature(response))

    async def hall(self) -> tuple[bytes, str]:
        """The list of the hall's stations, and the server's signature over it."""
        response = await self._signed("GET", "/v1/hall", b"", {})
        return response.content, _signature(response)

    async def heartbeat(self, body: dict[str, Any]) -> None:
        """Say that this station is alive; learn the server's time."""
        before = self._clock.now()
        answer = await self._json(_TIME, "POST", "/v1/heartbeats", body)
        self._clock.learn(answer.server_time, before, self._clock.now())

    async def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """An idempotent PUT. Each of our server's answers says what state it led to."""
        answer = await self._json(_TOLD, "PUT", path, body)
        if not isinstance(answer.get("state"), str):
            raise NotOurServer
        return answer

    async def ask_upload(self, capture_id: ids.CaptureId, sha256: str, size_bytes: int) -> Place:
        """Where to put an original, and whether it is there already."""
        body = {"capture_id": str(capture_id), "sha256": sha256, "size_bytes": size_bytes}
        return await self._json(_PLACE, "POST", "/v1/uploads", body)

    async def upload(self, url: str, jpeg: bytes) -> None:
        """PUT an original to the address that `ask_upload` gave, no faster than allowed.

        A PUT that is cut leaves nothing in the store and is sent again whole (docs/decisions/0017).
        """
        # With its length, or it would go in chunks, which S3 does not take.
        headers = {"content-length": str(len(jpeg))}
        if not self._private(url):
            raise Unavailable("object-store-not-https")
        response = await self._exchange("PUT", url, headers, self._bucket.poured(jpeg))
        if not response.is_success:
            raise Unavailable("object-store-unavailable")

    async def _json(self, shape: TypeAdapter[T], method: str, path: str, body: dict[str, Any]) -> T:
        content = json.dumps(body).encode()
        response = await self._signed(method, path, content, {"content-type": "application/json"})
        return _read(shape, response.content)

    async def _signed(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        before = self._clock.now()
        response = await self._once(method, path, body, headers)
        if response.status_code == 401 and self._was_skew(response, before):
            response = await self._once(method, path, body, headers)
        status = response.status_code
        if response.is_success or status == 304:
            return response
        if response.is_redirect or status == _SIGN_IN:
            raise NotOurServer
        if status >= 500 or status in _LATER:
            raise Unavailable("server-busy", http_status=status)
        raise _refusal(response)

    async def _once(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        if not self._private(self._url):
            raise NotPrivate
        signature = auth.sign_station_request(self._key, self._station_id, method, path, body, self._clock.now())
        return await self._exchange(method, path, {**headers, "authorization": signature}, body)

    def _private(self, address: str) -> bool:
        """Whether nobody on the way can listen, or answer in the other's place."""
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL:
            raise NotOurServer from None
        return url.scheme == "https" or self._plain_http or _is_loopback(url.host)

    async def _exchange(
        self, method: str, url: str, headers: dict[str, str], content: bytes | AsyncIterator[bytes]
    ) -> httpx.Response:
        """Send, and hear an answer: every way in which that can fail ends here."""
        if not self.plugged:
            raise Unreachable
        try:
            return await self._client.request(method, url, headers=headers, content=content)
        except httpx.TransportError as error:
            raise Unreachable from error
        except (httpx.RequestError, httpx.InvalidURL, ValueError) as error:
            raise NotOurServer from error

    def _was_skew(self, response: httpx.Response, before: datetime) -> bool:
        try:
            problem = _read(_PROBLEM, response.content)
        except NotOurServer:
            return False
        if problem.code != "station-clock-skew":
            return False
        told = _read(_TIME, json.dumps(problem.params).encode())
        self._clock.learn(told.server_time, before, self._clock.now())
        return True


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(shape: TypeAdapter[T], content: bytes) -> T:
    try:
        return shape.validate_json(content)
    except ValidationError:
        raise NotOurServer from None


def _signature(response: httpx.Response) -> str:
    try:
        signature: str = response.headers[_PACK_SIGNATURE]
    except KeyError:
        raise NotOurServer from None
    return signature


def _refusal(response: httpx.Response) -> RefusedByServer:
    try:
        problem = _read(_PROBLEM, response.content)
    except NotOurServer:  # a gateway before our server says no in its own words
        return RefusedByServer(f"http-{response.status_code}")
    params = {name: value for name, value in problem.params.items() if name != "code" and isinstance(value, str | int)}
    return RefusedByServer(problem.code, **params)
