"""Who asks, and what they may do: signed tokens for people, signed requests for stations, roles as one table.

Signatures are Ed25519 (JOSE name of RFC 9864), and no other algorithm is ever accepted.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from kit import clock, crypto, errors

ISSUER = "gradphoto"
ALGORITHM = "Ed25519"
#: How far a token's or a request's time may lie ahead of ours.
TOKEN_LEEWAY = timedelta(seconds=60)
#: A station's clock may differ this much; beyond it the station is told our time and corrects itself.
STATION_LEEWAY_S = 600

PERMISSIONS = frozenset(
    {
        *("roster.read", "roster.write", "roster.reveal", "plan.read", "plan.write"),
        *("capture.read", "capture.write", "capture.rebind", "station.manage"),
        *("billing.read", "billing.write", "verify.read", "verify.write", "ops.read", "self.confirm"),
    }
)
_READ = frozenset({"roster.read", "plan.read", "capture.read", "billing.read", "verify.read"})

#: What each role may do. Where it may do it stands in the token's scope.
ROLES: Mapping[str, frozenset[str]] = {
    "admin": PERMISSIONS,
    # 教务处
    "registrar": _READ
    | {"roster.write", "roster.reveal", "plan.write", "capture.rebind", "station.manage", "billing.write"}
    | {"verify.write", "ops.read"},
    # 学院秘书
    "secretary": _READ | {"roster.write", "verify.write"},
    # 班级联系人
    "class_contact": frozenset({"roster.read", "plan.read", "capture.read", "billing.read", "verify.read"}),
    "student": frozenset({"self.confirm"}),
    # 采集负责人
    "crew_lead": frozenset({"roster.read", "plan.read", "plan.write", "capture.read", "capture.write", "ops.read"})
    | {"capture.rebind", "station.manage"},
    "operator": frozenset({"plan.read", "capture.read", "capture.write"}),
    "cashier": frozenset({"billing.read", "billing.write", "plan.read"}),
    "ops": frozenset({"ops.read", "station.manage"}),
    "auditor": _READ | {"ops.read"},
}

#: The dimensions that a scope can narrow. `college` holds names, the others ids as text.
DIMENSIONS = ("campaign", "campus", "college", "class", "student")
Scope = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Principal:
    """Who asks. A dimension that is absent from `scope` is not narrowed."""

    sub: str
    role: str
    scope: Scope

    def require(self, permission: str) -> None:
        """Raises Refused("not-permitted") unless the role has `permission`."""
        if permission not in ROLES[self.role]:
            raise errors.Refused("not-permitted", role=self.role, permission=permission)

    def require_scope(
        self,
        *,
        campaign_id: UUID | None = None,
        campus_id: UUID | None = None,
        college: str | None = None,
        class_id: UUID | None = None,
        student_id: UUID | None = None,
    ) -> None:
        """Raises Refused("out-of-scope") unless each dimension that is given lies inside the scope.

        A dimension that is not given is not looked at: whoever gives the campaign alone must then either filter
        what is answered by `scope_filter`, or call `require_whole`.
        """
        ids = {"campaign": campaign_id, "campus": campus_id, "class": class_id, "student": student_id}
        asked = {name: str(value) for name, value in ids.items() if value is not None}
        for dimension, value in (asked | ({"college": college} if college is not None else {})).items():
            if value not in self.scope.get(dimension, (value,)):
                raise errors.Refused("out-of-scope", dimension=dimension)

    def require_whole(self, campaign_id: UUID) -> None:
        """Raises Refused("out-of-scope") unless the whole campaign lies inside the scope, with nothing narrower."""
        self.require_scope(campaign_id=campaign_id)
        for dimension in self.scope:
            if dimension != "campaign":
                raise errors.Refused("out-of-scope", dimension=dimension)

    @property
    def scope_filter(self) -> dict[str, tuple[str, ...]]:
        """The narrowed dimensions with their values, for the `where` of a list."""
        return dict(self.scope)


def mint(
    private_pem: str,
    sub: str,
    role: str,
    scope: Mapping[str, Iterable[object]],
    now: datetime,
    lifetime: timedelta = timedelta(hours=12),
) -> str:
    """A signed token. `scope` maps a dimension to ids or college names; {} is everything the role may touch."""
    if role not in ROLES:
        raise ValueError(f"no such role: {role}; there are {', '.join(ROLES)}")
    if unknown := set(scope) - set(DIMENSIONS):
        raise ValueError(f"no such scope: {', '.join(sorted(unknown))}; there are {', '.join(DIMENSIONS)}")
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "sub": sub,
        "role": role,
        "scope": {dimension: [str(value) for value in values] for dimension, values in scope.items()},
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    return _sign(private_pem, {"alg": ALGORITHM}, claims)


class TokenVerifier:
    """Turns a token into a principal, or refuses it."""

    def __init__(self, public_pem: str, clock: clock.Clock) -> None:
        self._key = OKPKey.import_key(public_pem)
        self._clock = clock

    def verify(self, token: str) -> Principal:
        """The principal that `token` speaks for.

        Raises:
            Unauthenticated: `token-invalid` (not ours, altered, other algorithm, unknown role) or `token-expired`.
        """
        claims = _opened(token, self._key, "token-invalid")
        principal = _principal(claims)
        now = self._clock.now().timestamp()
        issued, expires = claims.get("iat"), claims.get("exp")
        if claims.get("iss") != ISSUER or not isinstance(issued, int) or not isinstance(expires, int):
            raise errors.Unauthenticated("token-invalid")
        if issued > now + TOKEN_LEEWAY.total_seconds():
            raise errors.Unauthenticated("token-invalid")
        if expires <= now:
            raise errors.Unauthenticated("token-expired")
        return principal


def _principal(claims: Mapping[str, Any]) -> Principal:
    match claims:
        case {"sub": str(sub), "role": str(role), "scope": dict(scope)} if role in ROLES and set(scope) <= set(
            DIMENSIONS
        ):
            if all(isinstance(values, list) for values in scope.values()):
                return Principal(sub, role, {dimension: tuple(map(str, values)) for dimension, values in scope.items()})
    raise errors.Unauthenticated("token-invalid")


@dataclass(frozen=True)
class StationRequest:
    """A station's request whose signature fits. `nonce` is new for each request."""

    station_id: UUID
    nonce: str
    signed_at: datetime


def bearer(authorization: str | None) -> str:
    """The token in an `Authorization` header; raises Unauthenticated("token-missing")."""
    return _credentials(authorization, "bearer", "token-missing")


def station_token(authorization: str | None) -> str:
    """The signature in an `Authorization: Station …` header; raises Unauthenticated("station-signature-missing")."""
    return _credentials(authorization, "station", "station-signature-missing")


def station_id(token: str) -> UUID:
    """Who a station's signature claims to be: only good for finding the key to verify it with."""
    try:
        return UUID(str(jws.extract_compact(token.encode()).headers()["kid"]))
    except (JoseError, ValueError, KeyError):
        raise errors.Unauthenticated("station-signature-invalid") from None


def sign_station_request(private_pem: str, station_id: UUID, method: str, path: str, body: bytes, now: datetime) -> str:
    """The `Authorization` header by which a station answers for this one request. `path` is without query."""
    claims = {
        "sub": str(station_id),
        "htm": method.upper(),
        "htu": path,
        "bd": hashlib.sha256(body).hexdigest(),
        "iat": int(now.timestamp()),
        "jti": secrets.token_urlsafe(12),
    }
    return "Station " + _sign(private_pem, {"alg": ALGORITHM, "kid": str(station_id)}, claims)


def verify_station(
    token: str,
    method: str,
    path: str,
    body: bytes,
    public_pem: str,
    now: datetime,
    leeway: float = STATION_LEEWAY_S,
) -> StationRequest:
    """Check that the holder of the key signed exactly this request, lately.

    A repeat of the very same request passes within `leeway`: station doors are idempotent.

    Raises:
        Unauthenticated: `station-signature-invalid`, or `station-clock-skew` with our time in `server_time`.
    """
    claims = _opened(token, OKPKey.import_key(public_pem), "station-signature-invalid")
    issued = claims.get("iat")
    expected = {"sub": str(station_id(token)), "htm": method.upper(), "htu": path}
    fits = all(claims.get(name) == value for name, value in expected.items())
    digest = hashlib.sha256(body).hexdigest()
    if not fits or not hmac.compare_digest(str(claims.get("bd")).encode(), digest.encode()):
        raise errors.Unauthenticated("station-signature-invalid")
    if not isinstance(issued, int) or not isinstance(claims.get("jti"), str):
        raise errors.Unauthenticated("station-signature-invalid")
    if abs(issued - now.timestamp()) > leeway:
        raise errors.Unauthenticated("station-clock-skew", server_time=now.astimezone(UTC).isoformat())
    return StationRequest(UUID(expected["sub"]), claims["jti"], datetime.fromtimestamp(issued, UTC))


class Stamp:
    """Signs documents of one kind: a JWS with detached content (RFC 7515, appendix F), in a header of the answer.

    The kind stands in the signed part: a signature over one kind of document is none over another.
    """

    def __init__(self, private_pem: str, kind: str) -> None:
        self._private_pem, self._kind = private_pem, kind

    def sign(self, content: bytes) -> str:
        """The signature of `content`, for a header."""
        protected = _protected(self._kind)
        return f"{protected}..{_base64url(crypto.sign(self._private_pem, _to_sign(protected, content)))}"


def stamped(public_pem: str, kind: str, content: bytes, signature: str) -> bool:
    """Whether `signature` is that of the key's holder over exactly this document of this kind."""
    protected, dots, signed = signature.partition("..")
    if not dots or protected != _protected(kind):
        return False
    try:
        raw = base64.b64decode(signed + "=" * (-len(signed) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return False
    return crypto.verify(public_pem, _to_sign(protected, content), raw)


def _protected(kind: str) -> str:
    return _base64url(json.dumps({"alg": ALGORITHM, "typ": kind}, separators=(",", ":")).encode())


def _to_sign(protected: str, content: bytes) -> bytes:
    return f"{protected}.".encode() + base64.urlsafe_b64encode(content).rstrip(b"=")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _credentials(authorization: str | None, scheme: str, missing: str) -> str:
    given, _, credentials = (authorization or "").partition(" ")
    if given.lower() != scheme or not credentials.strip():
        raise errors.Unauthenticated(missing)
    return credentials.strip()


def _sign(private_pem: str, header: dict[str, Any], claims: dict[str, Any]) -> str:
    return jwt.encode(header, claims, OKPKey.import_key(private_pem), algorithms=[ALGORITHM])


def _opened(token: str, key: OKPKey, code: str) -> dict[str, Any]:
    try:
        claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError):
        raise errors.Unauthenticated(code) from None
    return dict(claims)
