"""Tokens of people and signatures of stations: what passes, and all that must not."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from kit import auth, crypto, errors

NOW = datetime(2024, 3, 1, 8, tzinfo=UTC)
CAMPAIGN = UUID("0193c010-7a00-7000-8000-000000000001")
OTHER = UUID("0193c010-7a00-7000-8000-000000000002")
STATION = UUID("019357a0-7a00-7000-8000-000000000001")
PRIVATE, PUBLIC = crypto.new_key()


@dataclass
class Stopped:
    """A clock that stands."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")


VERIFIER = auth.TokenVerifier(PUBLIC, Stopped())


def b64(data: bytes) -> str:
    """Base64url without padding, as JOSE has it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], claims: Any, sign: Callable[[bytes], bytes]) -> str:
    """A compact JWS as an attacker would put it together."""
    signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{signed}.{b64(sign(signed.encode()))}"


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims with changes; None leaves a claim out."""
    good = {
        "iss": "gradphoto",
        "sub": "u1",
        "role": "registrar",
        "scope": {},
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def refused(token: str, verifier: auth.TokenVerifier = VERIFIER) -> str:
    """The code with which a token is refused."""
    with pytest.raises(errors.Unauthenticated) as error:
        verifier.verify(token)
    return error.value.code


def test_a_minted_token_gives_its_principal() -> None:
    """Subject, role and scope come through, ids as text."""
    token = auth.mint(PRIVATE, "u1", "secretary", {"campaign": [CAMPAIGN], "college": ["数学学院"]}, NOW)
    who = VERIFIER.verify(token)
    assert (who.sub, who.role) == ("u1", "secretary")
    assert who.scope_filter == {"campaign": (str(CAMPAIGN),), "college": ("数学学院",)}


@pytest.mark.parametrize(("role", "scope"), [("dean", {}), ("registrar", {"room": ["1"]})])
def test_only_known_roles_and_scopes_are_minted(role: str, scope: dict[str, list[str]]) -> None:
    """A misspelt role or dimension is noticed at once."""
    with pytest.raises(ValueError, match="no such"):
        auth.mint(PRIVATE, "u1", role, scope, NOW)


def test_a_token_expires() -> None:
    """It is good until its last second, and not in it."""
    token = auth.mint(PRIVATE, "u1", "admin", {}, NOW, timedelta(minutes=1))
    assert auth.TokenVerifier(PUBLIC, Stopped(NOW + timedelta(seconds=59))).verify(token).sub == "u1"
    assert refused(token, auth.TokenVerifier(PUBLIC, Stopped(NOW + timedelta(seconds=60)))) == "token-expired"


def test_a_token_from_the_future_is_refused() -> None:
    """A clock that runs ahead a little is forgiven, an hour is not."""
    assert VERIFIER.verify(auth.mint(PRIVATE, "u1", "admin", {}, NOW + timedelta(seconds=30))).sub == "u1"
    assert refused(auth.mint(PRIVATE, "u1", "admin", {}, NOW + timedelta(hours=1))) == "token-invalid"


def test_another_key_is_refused() -> None:
    """A token that somebody else signed is nothing."""
    stranger, _ = crypto.new_key()
    assert refused(auth.mint(stranger, "u1", "admin", {}, NOW)) == "token-invalid"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, "EdDSA", "ES256", "RS256"])
def test_unsigned_and_misnamed_tokens_are_refused(alg: str | None) -> None:
    """No algorithm but ours, and never none."""
    header = {"alg": alg} if alg is not None else {}
    assert refused(by_hand(header, claims(role="admin"), lambda _: b"")) == "token-invalid"


@pytest.mark.parametrize("secret", [PUBLIC.encode(), PUBLIC.strip().encode(), b""])
def test_the_public_key_is_no_hmac_secret(secret: bytes) -> None:
    """The old confusion: HS256 under the public key, which everybody knows."""
    token = by_hand({"alg": "HS256"}, claims(role="admin"), lambda d: hmac.new(secret, d, hashlib.sha256).digest())
    assert refused(token) == "token-invalid"


def test_a_key_in_the_header_is_not_believed() -> None:
    """A token that brings its own key is refused."""
    private, _ = crypto.new_key()
    header = {"alg": "Ed25519", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": b64(bytes(32))}}
    assert refused(by_hand(header, claims(), lambda data: crypto.sign(private, data))) == "token-invalid"


def test_altered_claims_are_refused() -> None:
    """A secretary cannot write admin over the role."""
    head, body, signature = auth.mint(PRIVATE, "u1", "secretary", {}, NOW).split(".")
    altered = json.loads(base64.urlsafe_b64decode(body + "=="))
    altered["role"] = "admin"
    assert refused(".".join([head, b64(json.dumps(altered).encode()), signature])) == "token-invalid"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "elsewhere"},
        {"sub": None},
        {"sub": 7},
        {"role": "dean"},
        {"role": None},
        {"role": ["admin"]},
        {"scope": None},
        {"scope": []},
        {"scope": {"room": []}},
        {"scope": {"campaign": "all"}},
        {"exp": None},
        {"exp": "never"},
        {"iat": None},
    ],
)
def test_claims_that_are_not_ours_are_refused(changes: dict[str, Any]) -> None:
    """A claim that is missing, or of another kind, refuses the token even under the right signature."""
    token = by_hand({"alg": "Ed25519"}, claims(**changes), lambda data: crypto.sign(PRIVATE, data))
    assert refused(token) == "token-invalid"


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "x" * 9000, '{"payload":1}'])
def test_what_is_no_token_is_refused(token: str) -> None:
    """Garbage is refused, never an error of another kind."""
    assert refused(token) == "token-invalid"


def test_claims_that_are_no_object_are_refused() -> None:
    """A signed list is no token."""
    assert refused(by_hand({"alg": "Ed25519"}, ["admin"], lambda d: crypto.sign(PRIVATE, d))) == "token-invalid"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic abc", "Station abc", "abc"])
def test_a_request_without_token_is_told_so(header: str | None) -> None:
    """No token, an empty one, or another scheme: token-missing."""
    with pytest.raises(errors.Unauthenticated) as error:
        auth.bearer(header)
    assert error.value.code == "token-missing"


def test_roles_hold_known_permissions_only() -> None:
    """The table of roles has no misspelt permission, and no permission is nobody's."""
    granted = frozenset[str]().union(*(held for role, held in auth.ROLES.items() if role != "admin"))
    assert granted == auth.PERMISSIONS


@pytest.mark.parametrize(
    ("role", "permission"),
    [
        ("student", "roster.read"),
        ("secretary", "roster.reveal"),
        ("operator", "capture.rebind"),
        ("class_contact", "roster.write"),
        ("cashier", "capture.write"),
        ("auditor", "billing.write"),
        ("ops", "roster.read"),
    ],
)
def test_a_role_lacks_what_is_not_its_work(role: str, permission: str) -> None:
    """Who may not is refused, with the permission named."""
    with pytest.raises(errors.Refused) as error:
        auth.Principal("u1", role, {}).require(permission)
    assert (error.value.code, error.value.params["permission"]) == ("not-permitted", permission)


def test_scope_narrows_each_dimension() -> None:
    """Inside passes, outside is refused, and what is not narrowed is free."""
    who = auth.Principal("u1", "secretary", {"campaign": (str(CAMPAIGN),), "college": ("数学学院",)})
    who.require_scope(campaign_id=CAMPAIGN, college="数学学院", class_id=OTHER)
    for outside in ({"campaign_id": OTHER}, {"campaign_id": CAMPAIGN, "college": "艺术学院"}):
        with pytest.raises(errors.Refused) as error:
            who.require_scope(**outside)
        assert error.value.code == "out-of-scope"


def test_an_empty_list_is_nothing_not_everything() -> None:
    """A scope narrowed to no campaign at all lets nothing through."""
    with pytest.raises(errors.Refused):
        auth.Principal("u1", "secretary", {"campaign": ()}).require_scope(campaign_id=CAMPAIGN)


@pytest.mark.parametrize("dimension", ["campus", "college", "class", "student"])
def test_the_whole_campaign_is_not_for_a_part_of_it(dimension: str) -> None:
    """Who is narrowed within a campaign may not act on all of it."""
    auth.Principal("u1", "registrar", {"campaign": (str(CAMPAIGN),)}).require_whole(CAMPAIGN)
    with pytest.raises(errors.Refused):
        auth.Principal("u1", "secretary", {dimension: ("x",)}).require_whole(CAMPAIGN)


PATH = "/v1/captures/1"
BODY = b'{"decision":"keep"}'


def signed(now: datetime = NOW, body: bytes = BODY) -> str:
    """A station's signature over one request."""
    return auth.station_token(auth.sign_station_request(PRIVATE, STATION, "put", PATH, body, now))


def station_refused(token: str, method: str = "PUT", path: str = PATH, body: bytes = BODY, public: str = PUBLIC) -> str:
    """The code with which a station's request is refused."""
    with pytest.raises(errors.Unauthenticated) as error:
        auth.verify_station(token, method, path, body, public, NOW)
    return error.value.code


def test_a_signed_request_names_its_station() -> None:
    """The signature tells who asks, and fits exactly this request; each has its own nonce."""
    token = signed()
    assert auth.station_id(token) == STATION
    asked = auth.verify_station(token, "PUT", PATH, BODY, PUBLIC, NOW)
    assert (asked.station_id, asked.signed_at) == (STATION, NOW)
    assert asked.nonce != auth.verify_station(signed(), "PUT", PATH, BODY, PUBLIC, NOW).nonce


def test_a_signature_is_good_for_its_own_request_alone() -> None:
    """Replayed with another body, path or method, or under another key, it is refused."""
    _, stranger = crypto.new_key()
    assert station_refused(signed(), body=b'{"decision":"retake"}') == "station-signature-invalid"
    assert station_refused(signed(), body=b"") == "station-signature-invalid"
    assert station_refused(signed(), path="/v1/captures/2") == "station-signature-invalid"
    assert station_refused(signed(), method="POST") == "station-signature-invalid"
    assert station_refused(signed(), public=stranger) == "station-signature-invalid"


def test_a_station_cannot_speak_for_another() -> None:
    """The header's kid must be the signed subject."""
    private, public = crypto.new_key()
    good = {"sub": str(STATION), "htm": "PUT", "htu": PATH, "bd": hashlib.sha256(BODY).hexdigest(), "jti": "1"}
    token = by_hand(
        {"alg": "Ed25519", "kid": str(OTHER)},
        good | {"iat": int(NOW.timestamp())},
        lambda data: crypto.sign(private, data),
    )
    assert station_refused(token, public=public) == "station-signature-invalid"


@pytest.mark.parametrize("skew_s", [-3600, -601, 601, 86400])
def test_a_clock_too_far_off_is_told_the_time(skew_s: int) -> None:
    """The station learns our time, so that it can correct its own."""
    with pytest.raises(errors.Unauthenticated) as error:
        auth.verify_station(signed(NOW + timedelta(seconds=skew_s)), "PUT", PATH, BODY, PUBLIC, NOW)
    assert error.value.code == "station-clock-skew"
    assert datetime.fromisoformat(str(error.value.params["server_time"])) == NOW


@pytest.mark.parametrize("skew_s", [-600, 0, 600])
def test_a_clock_a_little_off_is_forgiven(skew_s: int) -> None:
    """Within ten minutes either way the request passes."""
    auth.verify_station(signed(NOW + timedelta(seconds=skew_s)), "PUT", PATH, BODY, PUBLIC, NOW)


def test_an_old_signature_with_a_wrong_body_is_not_told_the_time() -> None:
    """Only who holds the key and signed this request learns about skew: forgery is named first."""
    assert station_refused(signed(NOW - timedelta(days=1)), body=b"x") == "station-signature-invalid"


@pytest.mark.parametrize("token", ["", "a.b.c", "é.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_station_signature_is_refused(token: str) -> None:
    """Garbage and unsigned requests are refused, at either step."""
    assert station_refused(token) == "station-signature-invalid"
    with pytest.raises(errors.Unauthenticated):
        auth.station_id(token)


@pytest.mark.parametrize("kid", ["not-a-uuid", "", None, 7])
def test_a_signature_of_nobody_is_refused(kid: object) -> None:
    """A key id that is no station's is refused before any look-up."""
    header = {"alg": "Ed25519"} | ({} if kid is None else {"kid": kid})
    with pytest.raises(errors.Unauthenticated):
        auth.station_id(by_hand(header, {}, lambda data: crypto.sign(PRIVATE, data)))


def test_a_persons_token_is_no_stations_signature() -> None:
    """The two schemes do not open each other's doors."""
    person = auth.mint(PRIVATE, str(STATION), "admin", {}, NOW)
    assert station_refused(person) == "station-signature-invalid"
    assert refused(signed()) == "token-invalid"
