"""The console's files, as they lie in `web/`: no build, nothing from elsewhere, nothing that a cache would keep."""

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from kit.errors import NotFound

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
#: In a wheel the files lie beside this module.
_PLACES = (Path(__file__).with_name("web"), Path(__file__).parents[2] / "web")

#: What a page of ours may load: its own files and nothing else, no inline script, in no frame.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


def router() -> APIRouter:
    """The page itself. It holds no data, so whoever can reach the port may load it."""
    doors = APIRouter(include_in_schema=False)
    files = _files()

    @doors.get("/")
    async def start() -> Response:
        return RedirectResponse("/console/", 307, headers=HEADERS)

    @doors.get("/console/")
    async def page() -> Response:
        return _answer(files["console/index.html"])

    @doors.get("/console/helper")
    async def helper() -> Response:
        return _answer(files["console/helper.html"])

    @doors.get("/web/{path:path}")
    async def file(path: str) -> Response:
        if path not in files:
            raise NotFound("console-no-such-file")
        return _answer(files[path])

    return doors


def _files() -> dict[str, Path]:
    root = next(place for place in _PLACES if place.is_dir())
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.suffix in _KINDS}


def _answer(path: Path) -> Response:
    return Response(path.read_bytes(), headers={**HEADERS, "content-type": _KINDS[path.suffix]})
