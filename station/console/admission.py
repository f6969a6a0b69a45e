"""Who may look at the desk console: a browser that came with a one-time code, and holds a cookie since."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Literal

from fastapi import Request, Response

from kit import web
from kit.errors import Refused, Unauthenticated

#: A code is for the browser that is opened now.
CODE_LIFE_S = 300
#: A cookie lasts a long day of work.
COOKIE_LIFE_S = 16 * 3600
PATH = "/console"

#: An operator does all that the console can; a helper checks in, and nothing else.
Role = Literal["operator", "helper"]


class Admission:
    """One-time codes in memory, cookies signed with a key of this station: a restart of the agent signs nobody out."""

    def __init__(self, key: bytes, station: Callable[[], str]) -> None:
        self._key, self._station = key, station
        self._codes: dict[bytes, tuple[float, Role]] = {}
        # Browsers share cookies between the ports of one machine, and a machine may run several stations.
        self.cookie = f"gradphoto_desk_{hashlib.sha256(key).hexdigest()[:12]}"

    def invite(self, role: Role = "operator") -> str:
        """A code that admits one browser in this role, once, within `CODE_LIFE_S`."""
        code = secrets.token_urlsafe(24)
        now = time.monotonic()
        self._codes = {known: (until, to) for known, (until, to) in self._codes.items() if until > now}
        self._codes[_digest(code)] = (now + CODE_LIFE_S, role)
        return code

    def admit(self, code: str, response: Response) -> Role:
        """Exchange a code for a cookie that scripts cannot read; the role that it was for. Raises Unauthenticated."""
        until, role = self._codes.pop(_digest(code), (0.0, "helper"))
        if until < time.monotonic():
            raise Unauthenticated("console-link-used")
        expires = str(int(time.time()) + COOKIE_LIFE_S)
        value = f"{expires}.{role}.{self._sign(expires, role)}"
        response.set_cookie(
            self.cookie, value, max_age=COOKIE_LIFE_S, path=PATH, httponly=True,
            samesite="strict",
        )  # fmt: skip
        return role

    async def demand(self, request: Request) -> None:
        """A dependency: an operator's browser was admitted, and what changes something was sent by our own page."""
        if self._admitted(request) != "operator":
            raise Refused("console-helper-only")

    async def demand_helper(self, request: Request) -> None:
        """A dependency: as `demand`, for what a helper may do as well."""
        self._admitted(request)

    def _admitted(self, request: Request) -> str:
        web.identify(request, self._station(), "unknown")
        expires, _, rest = request.cookies.get(self.cookie, "").partition(".")
        role, _, signature = rest.partition(".")
        signed = hmac.compare_digest(signature.encode(), self._sign(expires, role).encode())
        if not signed or int(expires) < time.time():
            raise Unauthenticated("console-not-admitted")
        web.identify(request, self._station(), "helper" if role == "helper" else "console")
        # SameSite does not tell the ports of one machine apart; the origin does.
        if request.method != "GET" and request.headers.get("origin") != str(request.base_url).rstrip("/"):
            raise Refused("console-foreign-page")
        return role

    def _sign(self, expires: str, role: str) -> str:
        return hmac.new(self._key, f"console {role} {expires}".encode(), hashlib.sha256).hexdigest()


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
