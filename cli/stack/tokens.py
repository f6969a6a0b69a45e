"""Tokens for people and test programs of the embedded stack: EdDSA JWTs signed with the stack's own key."""

import uuid
import warnings
from collections.abc import Mapping, Sequence

from joserfc import jwk, jwt
from joserfc.errors import SecurityWarning

ISSUER = "gradphoto"
SCOPES = ("campaign", "campus", "college", "class", "student")
_ALGORITHM = "EdDSA"


def mint(
    private_key: str, role: str, subject: str, scope: Mapping[str, Sequence[str]], now: float, hours: float = 8.0
) -> str:
    """Sign a token. `class_` stands for `class`, an unknown scope is a ValueError; what is not named has no bounds."""
    bounds = {name.rstrip("_"): list(values) for name, values in scope.items()}
    if unknown := set(bounds) - set(SCOPES):
        raise ValueError(f"未知范围 · unknown scope: {', '.join(sorted(unknown))}; {', '.join(SCOPES)}")
    issued = int(now)
    claims = {
        "iss": ISSUER,
        "sub": subject,
        "role": role,
        "scope": bounds,
        "iat": issued,
        "exp": issued + int(hours * 3600),
        "jti": uuid.uuid4().hex,
    }
    key = jwk.OKPKey.import_key(private_key)
    with warnings.catch_warnings():
        # RFC 9864 renames EdDSA on Ed25519 keys; verifiers in the field know the old name.
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.encode({"alg": _ALGORITHM}, claims, key, algorithms=[_ALGORITHM])
