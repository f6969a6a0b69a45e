"""The web door of a service: one way to authorise, to answer with a problem, to count and to trace requests."""

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit import auth, errors, ids, logs, messages, metrics
from kit import clock as clocks

PROBLEM_TYPE = "application/problem+json"
CORRELATION_HEADER = "x-correlation-id"
#: A roster of 20,000 rows is about 2 MB; photos do not come through a service but go to the store.
BODY_LIMIT_BYTES = 32 * 1024 * 1024
#: What a client may wait before it asks an unavailable service again.
_RETRY_AFTER_S = "2"
#: What our routers are included under.
_PREFIXES = ("", "/v1")
#: The methods that are named in figures, logs and answers. HTTP lets a caller invent others: they are `other`.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

HTTP_SECONDS = metrics.histogram(
    "gradphoto_http_seconds", "Time to answer a request", ["service", "route", "method", "status"]
)

Readiness = Callable[[], Awaitable[dict[str, bool]]]


class WebSettings(Protocol):
    """The part of the settings that the web door reads."""

    @property
    def deployment(self) -> str: ...


def application(
    settings: WebSettings,
    *,
    title: str,
    clock: clocks.Clock,
    verifier: auth.TokenVerifier | None,
    routers: Sequence[APIRouter],
    readiness: Readiness,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
    body_limit_bytes: int = BODY_LIMIT_BYTES,
    docs: bool = True,
    operations: bool = True,
) -> FastAPI:
    """The service's web application. The last word of `title` is its name in metrics.

    `docs`: pages about the API, which fetch a script from elsewhere; `operations`: health and figures, without a key.
    """
    shown = "/docs" if docs else None
    openapi = "/openapi.json" if docs else None
    app = FastAPI(title=title, lifespan=lifespan, docs_url=shown, openapi_url=openapi, redoc_url=None)
    app.state.verifier = verifier
    app.state.clock = clock
    app.state.deployment = settings.deployment
    _answer_problems(app)
    if operations:
        app.include_router(_operations(readiness))
    for router in routers:
        app.include_router(router)
    app.add_middleware(_BodyLimit, limit_bytes=body_limit_bytes)
    app.add_middleware(_Trace, service=title.rsplit(maxsplit=1)[-1])
    return app


def principal(permission: str | None) -> Callable[[Request], Awaitable[auth.Principal]]:
    """A dependency: who asks, if the token is good and its role has `permission` (None: any role)."""
    if permission is not None and permission not in auth.PERMISSIONS:
        raise ValueError(f"no such permission: {permission}")

    async def who_asks(request: Request) -> auth.Principal:
        verifier: auth.TokenVerifier = request.app.state.verifier
        who = verifier.verify(auth.bearer(request.headers.get("authorization")))
        identify(request, who.sub, who.role)
        if permission is not None:
            who.require(permission)
        return who

    return who_asks


def identify(request: Request, sub: str, role: str) -> None:
    """Say who asks, for the audit line: a door with its own signatures (stations) calls it once it knows."""
    request.state.actor = (sub, role)


def correlation_id() -> str:
    """The id that this request and all events it causes carry."""
    return logs.correlation_id.get()


def problem(status: int, code: str, params: dict[str, Any], rows: Sequence[dict[str, Any]] = ()) -> JSONResponse:
    """A problem as RFC 9457 has it, with its words in both languages."""
    zh, en = messages.render(code, params)
    content: dict[str, Any] = {
        "type": f"urn:gradphoto:problem:{code}",
        "title": en,
        "status": status,
        "code": code,
        "zh": zh,
        "en": en,
        "params": params,
        "correlation_id": correlation_id(),
    }
    headers = {401: {"www-authenticate": "Bearer"}, 503: {"retry-after": _RETRY_AFTER_S}}.get(status)
    return JSONResponse(
        content | ({"rows": list(rows)} if rows else {}), status, headers=headers, media_type=PROBLEM_TYPE
    )


def _operations(readiness: Readiness) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def ready() -> JSONResponse:
        parts = await readiness()
        return JSONResponse(parts, 200 if all(parts.values()) else 503)

    @router.get("/metrics")
    async def measured() -> Response:
        return Response(metrics.exposition(), headers={"content-type": metrics.CONTENT_TYPE})

    return router


def _answer_problems(app: FastAPI) -> None:
    @app.exception_handler(errors.Problem)
    async def on_problem(request: Request, error: errors.Problem) -> JSONResponse:
        if error.status in {401, 403}:
            _audit(request, error.code)
        elif error.status >= 500:
            logs.get().warning("request.problem", code=error.code, params=dict(error.params), exc_info=error)
        rows = error.rows if isinstance(error, errors.Invalid) else ()
        return problem(error.status, error.code, dict(error.params), rows)

    @app.exception_handler(RequestValidationError)
    async def on_malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        # Where and what kind, never the value: it may be a person's.
        rows = [{"where": list(map(str, fault["loc"])), "kind": fault["type"]} for fault in error.errors()]
        return problem(422, "malformed-request", {"count": len(rows)}, rows)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> JSONResponse:
        return _of_http(request, error)


def _of_http(request: Request, error: HTTPException) -> JSONResponse:
    if error.status_code == 404:
        # The address is not said again: whoever mistyped it may have typed a name.
        return problem(404, "no-such-route", {})
    if error.status_code == 405:
        return problem(405, "method-not-allowed", {"method": _method(request.scope)})
    if error.status_code == 413:
        return problem(413, "body-too-large", {"limit_bytes": str(error.detail)})
    return problem(error.status_code, "http-error", {"http_status": error.status_code})


def _audit(request: Request, code: str) -> None:
    sub, role = getattr(request.state, "actor", ("", ""))
    logs.get("audit").warning(
        "access.denied", sub=sub, role=role, method=_method(request.scope), route=_route(request.scope), code=code
    )


def _route(scope: Scope) -> str:
    """The route's template, so that nothing a caller wrote comes into metrics and logs."""
    route = scope.get("route")
    template: str | None = getattr(route, "path", None)
    if route is None or template is None:
        return "unmatched"
    # A route does not know the prefix that its router was included under: it is the one behind which the route fits.
    path: str = scope["path"]
    fitting = (one for one in _PREFIXES if path.startswith(one) and route.path_regex.match(path[len(one) :]))
    return next(fitting, "") + template


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"


class _Trace:
    """Outermost: binds the correlation id, times the request, and turns what nobody expected into a problem."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        correlation = _correlation(scope)
        answered: list[int] = []

        async def send_traced(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])
                message["headers"] = [*message["headers"], (CORRELATION_HEADER.encode(), correlation.encode())]
            await send(message)

        began = time.perf_counter()
        with logs.bound(correlation=correlation):
            try:
                await self._app(scope, receive, send_traced)
            except Exception as error:  # noqa: BLE001 - the last resort: logged whole, answered as a problem
                await self._fail(error, scope, receive, send_traced, bool(answered))
        status = str(answered[0]) if answered else "none"
        HTTP_SECONDS.labels(self._service, _route(scope), _method(scope), status).observe(time.perf_counter() - began)

    async def _fail(self, error: Exception, scope: Scope, receive: Receive, send: Send, answered: bool) -> None:
        logs.get().error("request.failed", route=_route(scope), method=_method(scope), exc_info=error)
        if not answered:
            await problem(500, "internal-error", {"correlation_id": correlation_id()})(scope, receive, send)


class _BodyLimit:
    """Refuses a body that is announced, or turns out, to be larger than the limit."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app = app
        self._limit = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._limit:
            await problem(413, "body-too-large", {"limit_bytes": self._limit})(scope, receive, send)
            return
        taken = 0

        async def receive_counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._limit:
                raise HTTPException(413, detail=str(self._limit))
            return message

        await self._app(scope, receive_counted, send)


_CORRELATION = re.compile(r"[0-9A-Za-z._:-]{1,64}")


def _correlation(scope: Scope) -> str:
    """The caller's id, where it is one and holds nothing personal; else a new one."""
    given = dict(scope["headers"]).get(CORRELATION_HEADER.encode(), b"").decode("latin-1")
    usable = _CORRELATION.fullmatch(given) and logs.mask(given) == given
    return given if usable else str(ids.new())
