"""The web door: problems, authorisation, audit, tracing, limits, metrics."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, UploadFile
from pydantic import BaseModel, ConfigDict

from kit import auth, crypto, errors, logs, web

PRIVATE, PUBLIC = crypto.new_key()
NOW = datetime(2024, 3, 1, 8, tzinfo=UTC)
LIMIT = 1000


@dataclass
class Stopped:
    """A clock that stands, and the settings of a test."""

    deployment: str = "embedded"

    def now(self) -> datetime:
        return NOW

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")


class Row(BaseModel):
    """A body with something personal in it."""

    model_config = ConfigDict(extra="forbid")
    id_number: int


def rooms() -> APIRouter:
    """Doors of a service that is not ours."""
    inner = APIRouter(prefix="/rooms")

    @inner.get("/{room_id}")
    async def show(
        room_id: UUID, who: Annotated[auth.Principal, Depends(web.principal("plan.read"))]
    ) -> dict[str, str]:
        return {"room": str(room_id), "sub": who.sub, "correlation": web.correlation_id()}

    @inner.put("/{room_id}")
    async def change(room_id: UUID, row: Row) -> None:
        raise errors.Invalid("malformed-request", rows=[{"row": 3, "code": "x"}], count=1)

    @inner.post("/{room_id}/scoped")
    async def scoped(room_id: UUID, who: Annotated[auth.Principal, Depends(web.principal(None))]) -> None:
        who.require_scope(campus_id=room_id)

    @inner.delete("/{room_id}")
    async def remove(room_id: UUID) -> None:
        raise RuntimeError("the wall holds 13800000000")

    @inner.post("/{room_id}/away")
    async def away(room_id: UUID, request: Request) -> None:
        web.identify(request, "station-1", "station")
        raise errors.Unavailable("object-store-unavailable")

    @inner.post("/{room_id}/file")
    async def take(room_id: UUID, file: UploadFile) -> int:
        return len(await file.read())

    outer = APIRouter(prefix="/v1")
    outer.include_router(inner)
    return outer


def files() -> APIRouter:
    """A door that takes any path, as those of pages do."""
    doors = APIRouter()

    @doors.get("/web/{path:path}")
    async def file(path: str) -> None:
        raise errors.NotFound("page-not-known")

    return doors


PARTS = {"database": True, "broker": True}


@pytest.fixture
def app() -> FastAPI:
    """A service's web application."""

    async def readiness() -> dict[str, bool]:
        return dict(PARTS)

    clock = Stopped()
    return web.application(
        clock,
        title="gradphoto rooms",
        clock=clock,
        verifier=auth.TokenVerifier(PUBLIC, clock),
        routers=[rooms(), files()],
        readiness=readiness,
        body_limit_bytes=LIMIT,
    )


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rooms") as client:
        yield client


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """What was logged, as a function."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("rooms")
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


ROOM = UUID("0193c010-7a00-7000-8000-000000000001")
URL = f"/v1/rooms/{ROOM}"


def token(role: str = "registrar", lifetime: timedelta = timedelta(hours=1), **scope: list[object]) -> dict[str, str]:
    """The header of one who signed in."""
    return {"authorization": "Bearer " + auth.mint(PRIVATE, "u-7", role, scope, NOW, lifetime)}


async def test_a_good_token_opens_the_door(client: httpx.AsyncClient) -> None:
    """Principal and correlation id reach the door; the id comes back."""
    answer = await client.get(URL, headers={**token(), "x-correlation-id": "call-1"})
    assert answer.json() == {"room": str(ROOM), "sub": "u-7", "correlation": "call-1"}
    assert answer.headers["x-correlation-id"] == "call-1"


@pytest.mark.parametrize("given", [None, "", "x" * 65, "a b", "13800000000", "<script>"])
async def test_an_unusable_correlation_id_is_replaced(client: httpx.AsyncClient, given: str | None) -> None:
    """What is no id, or may be a person's number, is not carried into logs and events."""
    headers = {} if given is None else {"x-correlation-id": given}
    answer = await client.get("/healthz", headers=headers)
    assert UUID(answer.headers["x-correlation-id"]).version == 7


async def test_requests_have_ids_of_their_own(client: httpx.AsyncClient) -> None:
    """Nothing of one request is left for the next."""
    first, second = [(await client.get("/healthz")).headers["x-correlation-id"] for _ in range(2)]
    assert first != second
    assert logs.correlation_id.get() == ""


async def test_a_problem_has_one_shape(client: httpx.AsyncClient) -> None:
    """Status, code, both languages, parameters, rows and the number to tell operations."""
    answer = await client.put(URL, json={"id_number": 1}, headers={"x-correlation-id": "call-2"})
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert problem["type"] == "urn:gradphoto:problem:malformed-request"
    assert (problem["status"], problem["code"], problem["params"]) == (422, "malformed-request", {"count": 1})
    assert problem["rows"] == [{"row": 3, "code": "x"}]
    assert "1 处" in problem["zh"]
    assert "1 places" in problem["en"]
    assert problem["correlation_id"] == "call-2"


async def test_a_malformed_body_is_located_and_not_quoted(client: httpx.AsyncClient) -> None:
    """The answer says where and what kind; the value may be a person's."""
    answer = await client.put(URL, json={"id_number": "张三", "x": 1})
    assert answer.status_code == 422
    assert answer.json()["rows"] == [
        {"where": ["body", "id_number"], "kind": "int_parsing"},
        {"where": ["body", "x"], "kind": "extra_forbidden"},
    ]
    assert "张三" not in answer.text


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "token-missing"),
        ({"authorization": "Bearer x.y.z"}, 401, "token-invalid"),
        (token(lifetime=timedelta(0)), 401, "token-expired"),
        (token("student"), 403, "not-permitted"),
    ],
)
async def test_who_may_not_is_refused_and_written_down(
    client: httpx.AsyncClient, logged: Any, headers: dict[str, str], status: int, code: str
) -> None:
    """Unsigned, forged, expired, not permitted: the status, and one audit line with route and no id in it."""
    logs.configure("rooms")
    answer = await client.get(URL, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    (line,) = [line for line in logged() if line["logger"] == "audit"]
    assert (line["event"], line["code"], line["method"]) == ("access.denied", code, "GET")
    assert line["route"] == "/v1/rooms/{room_id}"
    assert (line["sub"], line["role"]) == (("u-7", "student") if status == 403 else ("", ""))
    assert line["correlation_id"] == answer.headers["x-correlation-id"]


async def test_out_of_scope_is_refused_and_written_down(client: httpx.AsyncClient, logged: Any) -> None:
    """The right role in the wrong place: 403 and an audit line that says who."""
    logs.configure("rooms")
    inside = await client.post(f"{URL}/scoped", headers=token(campus=[ROOM]))
    outside = await client.post(f"{URL}/scoped", headers=token(campus=[UUID(int=9)]))
    assert (inside.status_code, outside.status_code) == (200, 403)
    (line,) = [line for line in logged() if line["logger"] == "audit"]
    assert (line["code"], line["sub"], line["role"]) == ("out-of-scope", "u-7", "registrar")


async def test_the_unexpected_is_logged_whole_and_answered_plainly(client: httpx.AsyncClient, logged: Any) -> None:
    """A bug gives 500 with a number; the traceback is in the log alone, and masked."""
    logs.configure("rooms")
    answer = await client.delete(URL)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "wall" not in answer.text
    (line,) = [line for line in logged() if line["event"] == "request.failed"]
    assert "RuntimeError: the wall holds ***" in line["exception"]
    assert line["correlation_id"] in answer.json()["zh"]


async def test_what_is_away_says_when_to_come_again(client: httpx.AsyncClient) -> None:
    """503 has Retry-After."""
    answer = await client.post(f"{URL}/away")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/v1/nowhere", 404, "no-such-route"), ("PATCH", URL, 405, "method-not-allowed")],
)
async def test_the_frameworks_errors_are_problems_too(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    """An unknown address or method is answered in the same shape."""
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_large_body_is_refused_by_its_announcement(client: httpx.AsyncClient) -> None:
    """A body that says it is too large is not read."""
    answer = await client.put(URL, content=b"0" * (LIMIT + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    assert answer.json()["params"] == {"limit_bytes": LIMIT}


async def test_a_large_body_is_refused_while_it_comes(client: httpx.AsyncClient) -> None:
    """A body of unknown length is cut off at the limit, JSON and file alike."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"0" * 500

    answer = await client.put(URL, content=endless(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")

    async def file() -> AsyncIterator[bytes]:
        yield b'--b\r\ncontent-disposition: form-data; name="file"; filename="x"\r\n\r\n'
        async for chunk in endless():
            yield chunk
        yield b"\r\n--b--\r\n"

    answer = await client.post(
        f"{URL}/file", content=file(), headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_a_file_within_the_limit_passes(client: httpx.AsyncClient) -> None:
    """The limit does not touch what is allowed."""
    answer = await client.post(f"{URL}/file", files={"file": b"0" * 300})
    assert answer.json() == 300


async def test_readiness_names_what_is_away(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ready with all parts, 503 with one away; alive either way."""
    assert (await client.get("/readyz")).status_code == 200
    monkeypatch.setitem(PARTS, "broker", False)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": True, "broker": False})
    assert (await client.get("/healthz")).status_code == 200


async def test_requests_are_measured_by_route(client: httpx.AsyncClient) -> None:
    """Service, route's template, method and status; ids make no series of their own."""
    await client.get(URL, headers=token())
    await client.get("/v1/nowhere/" + str(ROOM))
    text = (await client.get("/metrics")).text
    wanted = 'gradphoto_http_seconds_count{method="GET",route="/v1/rooms/{room_id}",service="rooms",status="200"}'
    assert wanted in text
    assert 'route="unmatched"' in text
    assert str(ROOM) not in text


async def test_nothing_that_a_caller_wrote_becomes_a_label(client: httpx.AsyncClient) -> None:
    """A path of any depth is one series, a made-up method is `other`; the answer repeats neither."""
    for path in ("/web/王小明/610430199901011234/x", "/web/a/b/c/d/e", "/web/web/v1/rooms/x"):
        assert (await client.get(path)).status_code == 404
    told = [await client.request(method, path) for method, path in (("ZHANGWEI", URL), ("GET", "/v1/王小明"))]
    assert [answer.status_code for answer in told] == [405, 404]
    assert not any(word in answer.text for answer in told for word in ("ZHANGWEI", "王小明", "%E7"))
    text = (await client.get("/metrics")).text
    counted = [line for line in text.splitlines() if line.startswith("gradphoto_http_seconds_count")]
    assert len([line for line in counted if 'route="/web/{path:path}"' in line]) == 1
    assert any('method="other"' in line and 'route="/v1/rooms/{room_id}"' in line for line in counted)
    assert not any(word in text for word in ("ZHANGWEI", "王小明", "610430199901011234", "/a/b"))


def test_a_misspelt_permission_is_noticed_at_start() -> None:
    """A door that asks for a permission nobody can have fails where it is built."""
    with pytest.raises(ValueError, match=r"roster\.raed"):
        web.principal("roster.raed")
