"""New identifiers: UUID version 7, so that they sort by the time they were made. The only source of them."""

from uuid import UUID

import uuid_utils


def new() -> UUID:
    """A new UUIDv7."""
    return UUID(int=uuid_utils.uuid7().int)
