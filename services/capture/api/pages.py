"""The staff's pages, as they lie in `web/staff`: no build, nothing from elsewhere. They hold no data.

Whoever opens one hands in the token with which it asks the doors; it is kept in the page's memory alone.
"""

from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, Response

from kit.errors import NotFound
from services.capture import ports

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
#: In a wheel the files lie beside this module.
_PLACES = (Path(__file__).with_name("web"), Path(__file__).parents[3] / "web")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


def router(objects: ports.Objects) -> APIRouter:
    """The pages under /staff/, their libraries under /web/vendor/."""
    doors = APIRouter(include_in_schema=False)
    files = _files()

    async def answer(path: str) -> Response:
        if path not in files:
            raise NotFound("page-not-known")
        # A picture's address leads to the object store, which may be another origin.
        store = urlsplit(await objects.presign_get("photos/none", 1))
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            f"img-src 'self' {store.scheme}://{store.netloc}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        headers = {**_HEADERS, "content-security-policy": policy, "content-type": _KINDS[files[path].suffix]}
        return Response(files[path].read_bytes(), headers=headers)

    @doors.get("/staff/")
    async def page() -> Response:
        return await answer("staff/index.html")

    @doors.get("/web/{path:path}")
    async def file(path: str) -> Response:
        return await answer(path)

    return doors


def _files() -> dict[str, Path]:
    root = next((place for place in _PLACES if place.is_dir()), None)
    if root is None:
        return {}
    found = [path for part in ("staff", "vendor") for path in (root / part).rglob("*") if path.suffix in _KINDS]
    return {path.relative_to(root).as_posix(): path for path in found}
