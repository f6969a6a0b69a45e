"""What people typed in their own words, sealed at rest: why they overrode, moved or withdrew. It may name somebody."""

from collections.abc import Mapping
from uuid import UUID

from kit import crypto, settings

#: Tables keep such words in columns of this ending, and in no other kind.
ENDING = "_sealed"
#: AES-GCM's nonce and tag with the shortest key id before them: nothing sealed is shorter (`looks_sealed`).
SHORTEST = 1 + 1 + 12 + 16


class Words:
    """Seals and opens under keys of one service. What was sealed for one row and column opens for no other."""

    def __init__(self, keys: Mapping[str, bytes], current: str, service: str) -> None:
        """`keys` are masters by id; `current` seals, all open."""
        derived = {key_id: crypto.derive(key, service, "words") for key_id, key in keys.items()}
        self._sealer = crypto.Sealer(derived, current)

    def seal(self, said: str, subject: str, key: UUID) -> bytes:
        """Encrypt. `subject` names table and column (`history.reason`), `key` the row."""
        return self._sealer.seal(said.encode(), _belongs_to(subject, key))

    def open(self, sealed: bytes, subject: str, key: UUID) -> str:
        """Decrypt, for a door that records who asked. Raises Tampered."""
        return self._sealer.open(sealed, _belongs_to(subject, key)).decode()


def of(told: settings.WordsSettings, service: str) -> Words:
    """The words of a service under the keys of its settings."""
    keys = {**told.words_retired_keys, told.words_key_id: told.words_key}
    raw = {key_id: bytes.fromhex(key.get_secret_value()) for key_id, key in keys.items()}
    return Words(raw, told.words_key_id, service)


def looks_sealed(column: str) -> str:
    """The condition by which the database itself refuses a plain text: the head names a key, and a tag follows.

    A text's first byte is a letter, 32 or more; no key of ours has a name that long.
    """
    return f"{column} is null or (length({column}) >= {SHORTEST} and get_byte({column}, 0) between 1 and 31)"


def _belongs_to(subject: str, key: UUID) -> bytes:
    return f"{subject} {key}".encode()
