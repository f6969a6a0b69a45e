"""One desk asks another: the request is signed by the asker's key, the answer by the answerer's, for this exchange.

Plain HTTP: what is said is no secret on a LAN, and who says it is proved by the stations' own keys.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from gradphoto_contracts import ids
from kit import auth, errors
from station.hall import roster, wire

T = TypeVar("T", bound=BaseModel)
#: A LAN answers at once or not at all; an answer waits for one fsync of the hub.
_ANSWER_S, _CONNECT_S = 3.0, 1.0
#: Longer for each cable more than connecting over it can take: who hands on gives up, and says so, before the asker.
_HAND_ON_S = 1.5
#: Clocks of desks without network may differ by anything; a repeated request changes nothing (`station.hall.moments`).
LEEWAY_S = 400 * 86400.0
HEADER = "x-gradphoto-answer"
RELAYS = "/v1/hall/relays"
#: What a desk says for the hub that it does not reach: no status that a hub answers with.
NO_WAY = 504


class PeerUnreachable(errors.Unavailable):
    """No desk of ours answered there. `gone`: for certain, not merely slow."""

    def __init__(self, *, gone: bool) -> None:
        super().__init__("hall-peer-unreachable")
        self.gone = gone


class NotHub(errors.Conflict):
    """The desk that was asked is not hub (any more)."""

    def __init__(self) -> None:
        super().__init__("hall-not-hub")


class NoWay(errors.Unavailable):
    """The desk that should hand a request on does not reach the hub."""

    def __init__(self) -> None:
        super().__init__("hall-no-way")


def answer_to(authorization: str, path: str) -> str:
    """What an answer is signed for: the one request that carried this signature."""
    return f"{path}#{hashlib.sha256(authorization.encode()).hexdigest()}"


class Peers:
    """One client for all desks of the hall. `plugged` False is the cable pulled out, for drills."""

    def __init__(
        self, me: ids.StationId, private_pem: str, listed: roster.Roster, now: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:  # fmt: skip
        self._me, self._key, self._listed, self._now = me, private_pem, listed, now
        self._client = httpx.AsyncClient(trust_env=False, transport=transport)
        self.plugged = True

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def ask(
        self, address: str, path: str, body: BaseModel, answer: type[T], cables: int = 1
    ) -> tuple[ids.StationId, T]:
        """Who answered there, and what; over so many `cables` at most. Raises PeerUnreachable, or NotHub."""
        content, signature = self._signed(path, body)
        response = await self.post(address, path, content, signature, cables)
        return self._read(answer, path, signature, response.status_code, response.content, response.headers.get(HEADER))

    async def ask_through(
        self, address: str, hops: int, path: str, body: BaseModel, answer: type[T]
    ) -> tuple[ids.StationId, T]:
        """As `ask`, of the hub, through the desk at `address`. Raises NoWay when that desk did not reach it.

        The hub's answer is signed for this request: whoever hands it on can withhold it, and change nothing.
        """
        content, signature = self._signed(path, body)
        relayed = wire.Relayed(path=path, authorization=signature, content=content.decode(), hops=hops)
        _, answered = await self.ask(address, RELAYS, relayed, wire.RelayAnswered, hops + 1)
        if answered.status == NO_WAY:
            raise NoWay
        try:
            return self._read(answer, path, signature, answered.status, answered.content.encode(), answered.signature)
        except PeerUnreachable:  # the desk between us is there; what it brought is no answer of the hub's
            raise NoWay from None

    async def post(
        self, address: str, path: str, content: bytes, authorization: str, cables: int = 1
    ) -> httpx.Response:
        """Send what somebody signed. Raises PeerUnreachable."""
        if not self.plugged:
            raise PeerUnreachable(gone=True)
        headers = {"authorization": authorization, "content-type": "application/json"}
        waits = httpx.Timeout(_ANSWER_S + _HAND_ON_S * (cables - 1), connect=_CONNECT_S)
        try:
            return await self._client.post(f"http://{address}{path}", content=content, headers=headers, timeout=waits)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise PeerUnreachable(gone=isinstance(error, httpx.ConnectError)) from error

    def _signed(self, path: str, body: BaseModel) -> tuple[bytes, str]:
        content = body.model_dump_json().encode()
        return content, auth.sign_station_request(self._key, self._me, "POST", path, content, self._now())

    def _read(
        self, answer: type[T], path: str, signed: str, status: int, content: bytes, signature: str | None
    ) -> tuple[ids.StationId, T]:
        if status == 409:
            raise NotHub
        if not 200 <= status < 300:
            raise PeerUnreachable(gone=status == 401)
        try:
            return self._answerer(content, signature, answer_to(signed, path)), answer.model_validate_json(content)
        except (errors.Unauthenticated, ValidationError) as error:
            raise PeerUnreachable(gone=False) from error

    def _answerer(self, content: bytes, signature: str | None, signed: str) -> ids.StationId:
        token = auth.station_token(signature)
        who = ids.StationId(auth.station_id(token))
        peer = self._listed.peers.get(who)
        if peer is None or who == self._me:
            raise errors.Unauthenticated("station-signature-invalid")
        auth.verify_station(token, "ANSWER", signed, content, peer.public_key_pem, self._now(), LEEWAY_S)
        return who
