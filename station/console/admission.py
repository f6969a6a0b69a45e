"""Who may look at the desk console: a browser that came with a one-time code, and holds a cookie since."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from fastapi import Request, Response

from kit import web
from kit.errors import Refused, Unauthenticated

#: A code is for the browser that is opened now.
CODE_LIFE_S = 300
#: A cookie lasts a long day of work.
COOKIE_LIFE_S = 16 * 3600
PATH = "/console"


class Admission:
    """One-time codes in memory, cookies signed with a key of this station: a restart of the agent signs nobody out."""

    def __init__(self, key: bytes, station: Callable[[], str]) -> None:
        self._key, self._station = key, station
        self._codes: dict[bytes, float] = {}
        # Browsers share cookies between the ports of one machine, and a machine may run several stations.
        self.cookie = f"gradphoto_desk_{hashlib.sha256(key).hexdigest()[:12]}"

    def invite(self) -> str:
        """A code that admits one browser, once, within `CODE_LIFE_S`."""
        code = secrets.token_urlsafe(24)
        now = time.monotonic()
        self._codes = {known: until for known, until in self._codes.items() if until > now}
        self._codes[_digest(code)] = now + CODE_LIFE_S
        return code

    def admit(self, code: str, response: Response) -> None:
        """Exchange a code for a cookie that scripts cannot read. Raises Unauthenticated."""
        until = self._codes.pop(_digest(code), 0.0)
        if until < time.monotonic():
            raise Unauthenticated("console-link-used")
        expires = str(int(time.time()) + COOKIE_LIFE_S)
        response.set_cookie(
            self.cookie, f"{expires}.{self._sign(expires)}", max_age=COOKIE_LIFE_S, path=PATH, httponly=True,
            samesite="strict",
        )  # fmt: skip

    async def demand(self, request: Request) -> None:
        """A dependency: the browser was admitted, and what changes something was sent by our own page."""
        web.identify(request, self._station(), "unknown")
        expires, _, signature = request.cookies.get(self.cookie, "").partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(expires).encode()) or int(expires) < time.time():
            raise Unauthenticated("console-not-admitted")
        web.identify(request, self._station(), "console")
        # SameSite does not tell the ports of one machine apart; the origin does.
        if request.method != "GET" and request.headers.get("origin") != str(request.base_url).rstrip("/"):
            raise Refused("console-foreign-page")

    def _sign(self, expires: str) -> str:
        return hmac.new(self._key, f"console {expires}".encode(), hashlib.sha256).hexdigest()


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
