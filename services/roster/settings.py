"""What roster is told at its start."""

from kit import settings


class Settings(settings.WordsSettings):
    """Besides what every service is told: the keys of the vault.

    `vault_key` seals; `vault_key_id` names it in what it sealed, and `vault_retired_keys` (`{"id": "hex"}`) still open
    what they sealed before. `index_key` makes the keyed hashes by which documents are compared; `code_key` is
    the master of code digests.
    """

    vault_key: settings.MasterKey
    vault_key_id: str = "v1"
    vault_retired_keys: dict[str, settings.MasterKey] = {}  # noqa: RUF012 - pydantic copies it
    index_key: settings.MasterKey
    code_key: settings.MasterKey
