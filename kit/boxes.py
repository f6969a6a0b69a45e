"""A box that only the holder of one key can open: X25519, HKDF-SHA256, AES-256-GCM; whoever closes it needs no secret.

For what must be readable when its owner is dead: a desk's key, closed for the server, on a stick.
"""

import base64

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kit import crypto


class Opener:
    """The private half. Made from 32 secret bytes it is the same in every process; without them it is new."""

    def __init__(self, secret: bytes | None = None) -> None:
        self._key = X25519PrivateKey.from_private_bytes(secret) if secret else X25519PrivateKey.generate()

    @property
    def public(self) -> str:
        """What boxes are closed for, in hex (64 digits)."""
        return self._key.public_key().public_bytes_raw().hex()

    def open(self, box: str, purpose: str) -> bytes:
        """What was put in. Raises Tampered when it was not closed for us, for another purpose, or was altered."""
        try:
            raw = base64.b64decode(box, validate=True)
            ephemeral = X25519PublicKey.from_public_bytes(raw[:32])
            shared = self._key.exchange(ephemeral)
        except ValueError:
            raise crypto.Tampered from None
        return _sealer(shared, raw[:32], self.public).open(raw[32:], purpose.encode())


def close(public: str, content: bytes, purpose: str) -> str:
    """A box (base64) that the holder of `public` opens for this purpose. ValueError when that is no key."""
    ephemeral = X25519PrivateKey.generate()
    head = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(public)))
    return base64.b64encode(head + _sealer(shared, head, public).seal(content, purpose.encode())).decode()


def _sealer(shared: bytes, head: bytes, public: str) -> crypto.Sealer:
    info = b"gradphoto box" + head + bytes.fromhex(public)
    key = HKDF(algorithm=hashes.SHA256(), length=crypto.KEY_BYTES, salt=None, info=info).derive(shared)
    return crypto.Sealer({"box-1": key}, "box-1")
