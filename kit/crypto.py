"""Keys and seals: derivation, encryption at rest with a key id, blind indexes, code digests, Ed25519.

Every purpose has a key of its own, derived from a master by its name; a leaked index key opens no sealed data.
"""

import hmac
import os
import unicodedata
from collections.abc import Mapping
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kit import errors

KEY_BYTES = 32
_NONCE_BYTES = 12


class Tampered(errors.Problem):
    """Sealed data do not open: altered, another record's, or sealed under a key that we do not hold."""

    def __init__(self) -> None:
        super().__init__("sealed-data-unreadable")


def derive(master: bytes, *context: str) -> bytes:
    """The 32-byte key for `context` (HKDF-SHA256): another context, another key, and no way back to `master`."""
    info = b"".join(len(part.encode()).to_bytes(2, "big") + part.encode() for part in ("gradphoto", *context))
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)


class Sealer:
    """AES-256-GCM under named keys: seals with the current one, opens with any, so keys can be rotated."""

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        if current not in keys:
            raise ValueError(f"the current key {current!r} is not among the keys")
        if any(len(key) != KEY_BYTES for key in keys.values()):
            raise ValueError(f"a sealing key has {KEY_BYTES} bytes")
        if any(not 1 <= len(key_id.encode()) <= 255 for key_id in keys):
            raise ValueError("a key id has 1 to 255 bytes")
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = current

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        """Encrypt; `aad` says what the data belong to (table, row, column), and only with it do they open again."""
        key_id = self._current.encode()
        head = bytes([len(key_id)]) + key_id
        nonce = os.urandom(_NONCE_BYTES)
        return head + nonce + self._keys[self._current].encrypt(nonce, plain, head + aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Decrypt what `seal` made.

        Raises:
            Tampered: key id, content or `aad` are not those it was sealed with.
        """
        head = sealed[: 1 + sealed[0]] if sealed else b""
        key = self._keys.get(head[1:].decode(errors="replace"))
        if key is None:
            raise Tampered
        nonce, content = sealed[len(head) : len(head) + _NONCE_BYTES], sealed[len(head) + _NONCE_BYTES :]
        try:
            return key.decrypt(nonce, content, head + aad)
        except (InvalidTag, ValueError):
            raise Tampered from None

    def key_id(self, sealed: bytes) -> str:
        """The id of the key that `sealed` needs: what a rotation looks for."""
        return sealed[1 : 1 + sealed[0]].decode()


def blind_index(key: bytes, value: str) -> bytes:
    """A keyed fingerprint (32 bytes) by which an encrypted value can be found and be unique. Normalise before."""
    return hmac.digest(key, value.encode(), "sha256")


def campaign_code_key(master: bytes, campaign_id: UUID) -> bytes:
    """The key of a campaign's code digests; a desk pack carries it, so it is good for this campaign alone."""
    return derive(master, "code", str(campaign_id))


def code_digest(master: bytes, campaign_id: UUID, mode: str, payload: str) -> str:
    """The digest (64 hex digits) by which a scanned payload is known in a campaign."""
    return digest_with(campaign_code_key(master, campaign_id), mode, payload)


def digest_with(campaign_key: bytes, mode: str, payload: str) -> str:
    """As `code_digest`, for one who holds the campaign's key alone: a station."""
    return hmac.digest(campaign_key, f"{mode}\0{normalise(mode, payload)}".encode(), "sha256").hex()


def normalise(mode: str, payload: str) -> str:
    """One spelling for what a scanner, a keyboard and a spreadsheet write differently.

    A 采集码 is opaque and keeps its case; numbers of documents and cards lose spaces, full width and lower case.
    """
    if mode == "capture_code":
        return payload.strip()
    return "".join(unicodedata.normalize("NFKC", payload).split()).upper()


def new_key() -> tuple[str, str]:
    """A new Ed25519 pair as PEM texts: (private, public)."""
    return _pems(Ed25519PrivateKey.generate())


def _pems(key: Ed25519PrivateKey) -> tuple[str, str]:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def signing_pair(master: bytes, *context: str) -> tuple[str, str]:
    """The Ed25519 pair for `context`, derived like `derive`: the same in every process that holds `master`."""
    key = Ed25519PrivateKey.from_private_bytes(derive(master, "ed25519", *context))
    return _pems(key)


def sign(private_pem: str, data: bytes) -> bytes:
    """The Ed25519 signature (64 bytes) of `data`."""
    key = serialization.load_pem_private_key(private_pem.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("not an Ed25519 private key")
    return key.sign(data)


def verify(public_pem: str, data: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `data` under the key."""
    key = serialization.load_pem_public_key(public_pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError("not an Ed25519 public key")
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True
