"""The doors that a user has: the services' HTTP APIs and a desk's own. A call outlives a restart of what it calls."""

import asyncio
import functools
import json
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx

#: On a busy machine a broker or service that was killed takes minutes to be back.
_PATIENCE_S = 300.0
_PAUSE_S = 0.25
#: A roster of thousands is thousands of events before the plan's.
_PATIENCE_FOR_EVENTS_S = 900.0


class Refused(Exception):
    """A door said no: the status, the code and both texts of its answer."""

    def __init__(self, status: int, answer: Any, what: str) -> None:
        self.status = status
        self.answer = answer if isinstance(answer, dict) else {}
        self.code = str(self.answer.get("code", ""))
        super().__init__(f"{what}: {status} {self.code} {self.answer.get('zh', '')} {self.answer.get('en', answer)}")


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Read once: every student has a door, and reading the machine's certificates takes longer than an answer."""
    return ssl.create_default_context()


class Unreachable(Exception):
    """A door did not open again in time."""


async def tries(heal: Callable[[], Any] | None) -> AsyncIterator[None]:
    """One turn a try, with a pause between two, for as long as patience lasts; the time of healing does not count."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE_S
    while loop.time() < deadline:
        yield
        began = loop.time()
        if heal is not None:
            await asyncio.to_thread(heal)
        deadline += loop.time() - began
        await asyncio.sleep(_PAUSE_S)


class Door:
    """One base address. `authorise` gives the Authorization header, `address` the base, both anew for each try."""

    def __init__(
        self, address: Callable[[], str], authorise: Callable[[], str], heal: Callable[[], Any] | None = None
    ) -> None:
        self._address = address
        self._authorise = authorise
        self._heal = heal
        self._client = httpx.AsyncClient(timeout=60, trust_env=False, verify=_trusted())
        self.retries = 0

    async def close(self) -> None:
        await self._client.aclose()

    async def call(self, method: str, path: str, **arguments: Any) -> Any:
        """The decoded answer. All our requests are idempotent, so one that got no answer is sent again.

        Raises:
            Refused: an answer other than 2xx, 5xx aside.
            Unreachable: no answer within five minutes.
        """
        stale = False
        async for _ in tries(self._heal):
            response = await self._try(method, path, arguments)
            if response is not None and not stale and self._is_of_another_life(response):
                stale = True  # once: whom the door refuses with the newest token, it refuses
            elif response is not None and response.status_code < 500:
                return _decoded(response, f"{method} {path}")
            self.retries += 1
        raise Unreachable(f"{method} {path}")

    def _is_of_another_life(self, response: httpx.Response) -> bool:
        """Refused for a token that has been replaced since: the process behind the door began anew meanwhile."""
        try:
            return response.status_code == 401 and response.request.headers["authorization"] != self._authorise()
        except (OSError, KeyError, ValueError):
            return True

    async def _try(self, method: str, path: str, arguments: dict[str, Any]) -> httpx.Response | None:
        try:
            headers = {"Authorization": self._authorise()}
            return await self._client.request(method, self._address() + path, headers=headers, **arguments)
        except (httpx.TransportError, OSError, KeyError, ValueError):
            return None

    async def get(self, path: str, **params: Any) -> Any:
        return await self.call("GET", path, params=params)

    async def post(self, path: str, body: Any = None) -> Any:
        return await self.call("POST", path, json=body if body is not None else {})

    async def put(self, path: str, body: Any = None) -> Any:
        return await self.call("PUT", path, json=body if body is not None else {})

    async def post_once_known(self, path: str, body: Any, *also: str) -> Any:
        """POST what depends on an event that may still be on its way: a 404, or a code in `also`, is asked again."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE_FOR_EVENTS_S
        while True:
            try:
                return await self.post(path, body)
            except Refused as refused:
                known = refused.status != 404 and refused.code not in also
                if known or asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(_PAUSE_S)

    async def upload(self, path: str, file: Path) -> Any:
        content = await asyncio.to_thread(file.read_bytes)
        return await self.call("POST", path, files={"file": (file.name, content)})

    async def pages(self, path: str, limit: int = 500, **params: Any) -> AsyncIterator[dict[str, Any]]:
        """Every row of a listed resource, page by page."""
        after: Any = None
        while True:
            page = await self.get(path, limit=limit, **({"after": after} if after else {}), **params)
            for row in page["items"]:
                yield row
            after = page.get("next")
            if not after:
                return


def _decoded(response: httpx.Response, what: str) -> Any:
    try:
        answer = response.json() if response.content else None
    except json.JSONDecodeError:
        answer = {"en": response.text[:200]}
    if response.is_success:
        return answer
    raise Refused(response.status_code, answer, what)


def desk(folder: Path, heal: Callable[[], Any] | None = None) -> Door:
    """The operator's door of the station that lives in `folder`; its port changes with each start."""

    def read() -> dict[str, Any]:
        door: dict[str, Any] = json.loads((folder / "door.json").read_text("utf-8"))
        return door

    return Door(lambda: str(read()["url"]), lambda: f"Bearer {read()['token']}", heal)
