"""Sessions, compared and sealed."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from gradphoto_contracts.capture import Sha256
from services.capture.api.bodies import shape
from services.capture.domain import seals


class JournalledFrame(shape.Body):
    capture_id: UUID
    sha256: Sha256
    camera_serial: shape.Mark = ""
    frame_counter: shape.Whole | None = None


class CountedCamera(shape.Body):
    """A camera's own count: at the session's beginning, and at its end."""

    serial: shape.Mark
    #: One less than the first frame's own count, which may be none.
    before: Annotated[int, Field(ge=-1, le=shape.LARGEST_COUNT)]
    after: Annotated[int, Field(ge=-1, le=shape.LARGEST_COUNT)]


class SealAsked(shape.Body):
    """A session as its desk closed it. `signature` is the station's, over all the rest with session and station."""

    camera_frames: shape.Whole
    cameras: list[CountedCamera] = Field(default_factory=list, max_length=50)
    journalled: Annotated[list[JournalledFrame], Field(max_length=50_000)]
    #: Facts in the journal by then, the head of its hash chain, and whether that chain held when it was read.
    journal_facts: shape.Whole = 0
    journal_head: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    journal_intact: bool = True
    opened_at: shape.WhenText = ""
    closed_at: shape.WhenText = ""
    signature: shape.Signature


class SealDifference(shape.Body):
    """One thing in which camera, journal and server differ; what is known of the frame in question."""

    kind: seals.Kind
    capture_id: UUID | None
    camera_serial: str | None
    frame_counter: int | None


class Sealed(shape.Body):
    """Sealed, refused with what differs, or settled by somebody. What is countersigned is the server's own document."""

    state: seals.State
    stored_frames: int
    missing: list[UUID]
    balanced: bool
    difference_count: int
    differences: list[SealDifference]
    sealed_at: datetime
    countersigned: dict[str, Any] | None
    countersignature: str | None


class SealWhole(Sealed):
    """All that is kept of a session, with the keys that its two signatures can be checked with."""

    session_id: UUID
    station_id: UUID
    desk_id: UUID
    document: dict[str, Any]
    station_signature: str
    station_key: str | None
    server_key: str
    settled_by: str | None
    settled_role: str | None
    settled_reason: str | None
    version: int


class ListedSession(shape.Body):
    session_id: UUID
    desk_id: UUID
    station_id: UUID
    state: seals.State
    camera_frames: int
    journalled_frames: int
    stored_frames: int
    difference_count: int
    sealed_at: datetime
