"""Desk packs, whole and by changes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.capture.api.bodies import shape


class PackPhoto(shape.Body):
    profile: str
    retake_limit: int
    face_consent: str = ""
    seat_proof: Literal["shown", "called"] = "called"
    change_over_s: float | None = None
    lingering_s: float | None = None


class PackDesk(shape.Body):
    """`next_ticket` is the first number that this desk has not told us of: a replaced laptop goes on from it."""

    desk_id: UUID
    code: str
    group_code: str
    campus_code: str
    next_ticket: int


class PackClass(shape.Body):
    class_id: UUID
    label: str
    order_code: str | None
    #: When the class's slots at this desk's group begin; none where any day will do.
    starts_at: list[datetime] = Field(default_factory=list)


class PackEntry(shape.Body):
    student_id: UUID
    class_id: UUID
    digest: str | None
    ordinal: int
    eligible: bool
    photographed: bool


class PackHead(shape.Body):
    """What a whole pack and its changes have in common. `etag` is said again in If-None-Match."""

    etag: str
    version: int
    issued_at: datetime
    expires_at: datetime
    #: Minutes without a word from the server after which the desk says that its pack is old.
    fresh_minutes: int
    #: How fast originals may go up; None: without limit.
    upload_kbit_s: int | None = None
    campaign_id: UUID
    identity_mode: str
    campaign_code_key: str
    photo: PackPhoto
    desk: PackDesk


class DeskPack(PackHead):
    """All that a desk may know. In capture-code mode no name and no ID number is anywhere in it."""

    kind: Literal["whole"] = "whole"
    classes: list[PackClass]
    entries: list[PackEntry]


class DeskPackChanges(PackHead):
    """What makes the pack `base` the pack `etag`. `classes` is null when they are the same."""

    kind: Literal["changes"] = "changes"
    base: str
    classes: list[PackClass] | None
    entries: list[PackEntry]
    gone: list[UUID]
