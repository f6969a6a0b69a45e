"""Audits of rows against objects."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from services.capture.api.bodies import shape
from services.capture.domain import audits


class AuditAsked(shape.Body):
    """Which campaign is audited (none: all of them), whether pictures are decoded, how old an orphan is at least."""

    campaign_id: UUID | None = None
    decode: bool = True
    grace_s: Annotated[int, Field(ge=0, le=86_400)] = 3600


class Audit(shape.Body):
    """An audit as it stands. `found` counts what is wrong by kind; `sound` once it has ended and nothing is."""

    audit_id: UUID
    campaign_id: UUID
    state: Literal["running", "finished"]
    decode: bool
    grace_s: int
    asked_by: str
    started_at: datetime
    finished_at: datetime | None
    expected: int
    checked: int
    in_flight: int
    known_unreadable: int
    #: How often the store did not answer for what is looked at now.
    tries: int
    found: dict[audits.Kind, int]
    sound: bool


class AuditFinding(shape.Body):
    """An object that is not as the rows say, and whose it is."""

    seq: int
    object_key: str
    kind: audits.Kind
    capture_ids: list[UUID]
