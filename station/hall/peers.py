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
from station.hall import roster

T = TypeVar("T", bound=BaseModel)
#: A LAN answers at once or not at all; an answer waits for one fsync of the hub.
_TIMEOUT = httpx.Timeout(3, connect=1)
#: Clocks of desks without network may differ by anything; a repeated request changes nothing.
LEEWAY_S = 400 * 86400.0
HEADER = "x-gradphoto-answer"


class PeerUnreachable(errors.Unavailable):
    """No desk of ours answered there. `gone`: for certain, not merely slow."""

    def __init__(self, *, gone: bool) -> None:
        super().__init__("hall-peer-unreachable")
        self.gone = gone


class NotHub(errors.Conflict):
    """The desk that was asked is not hub (any more)."""

    def __init__(self) -> None:
        super().__init__("hall-not-hub")


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
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False, transport=transport)
        self.plugged = True

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def ask(self, address: str, path: str, body: BaseModel, answer: type[T]) -> tuple[ids.StationId, T]:
        """Who answered there, and what. Raises PeerUnreachable, or NotHub."""
        content = body.model_dump_json().encode()
        signature = auth.sign_station_request(self._key, self._me, "POST", path, content, self._now())
        headers = {"authorization": signature, "content-type": "application/json"}
        if not self.plugged:
            raise PeerUnreachable(gone=True)
        try:
            response = await self._client.post(f"http://{address}{path}", content=content, headers=headers)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise PeerUnreachable(gone=isinstance(error, httpx.ConnectError)) from error
        if response.status_code == 409:
            raise NotHub
        if not response.is_success:
            raise PeerUnreachable(gone=response.status_code == 401)
        try:
            who = self._answerer(response, answer_to(signature, path))
            return who, answer.model_validate_json(response.content)
        except (errors.Unauthenticated, ValidationError) as error:
            raise PeerUnreachable(gone=False) from error

    def _answerer(self, response: httpx.Response, signed: str) -> ids.StationId:
        token = auth.station_token(response.headers.get(HEADER))
        who = ids.StationId(auth.station_id(token))
        peer = self._listed.peers.get(who)
        if peer is None or who == self._me:
            raise errors.Unauthenticated("station-signature-invalid")
        auth.verify_station(token, "ANSWER", signed, response.content, peer.public_key_pem, self._now(), LEEWAY_S)
        return who
