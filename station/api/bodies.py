"""What is asked at the operator's door, and what it answers."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from station.domain import facts
from station.hall import joined as hall_views
from station.ports import hardware


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Scan(_Body):
    """What the scanner, the card reader or the keyboard gave."""

    scan: Annotated[str, Field(min_length=1, max_length=4096)]


class SlipAsked(_Body):
    """Whose slip is printed once more; without a ticket, that of whoever was checked in last."""

    ticket: Annotated[str, Field(min_length=1, max_length=24)] | None = None


class SlipAnswer(_Body):
    """Whose slip the printer has taken, and how many wait with it."""

    ticket: str
    waiting: int


class ByHand(_Body):
    """A student whom the registrar has identified."""

    student_id: UUID
    reason: Annotated[str, Field(min_length=1, max_length=200)]


class Reason(_Body):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class Seating(_Body):
    """Who sits down: a number that was shown, or what the seat's own scanner read; without either, whoever is next."""

    ticket: str | None = None
    scan: Annotated[str, Field(min_length=1, max_length=4096)] | None = None


class Decision(_Body):
    """What becomes of a frame."""

    capture_id: UUID
    decision: facts.Decision
    reason: Annotated[str, Field(max_length=200)] | None = None
    role: facts.Role | None = None


class Resolved(_Body):
    """How a suspected drift ends: the one that was looked at, whatever is suspected since."""

    drift_id: UUID
    resolution: facts.Resolution
    note: Annotated[str, Field(max_length=200)] | None = None


class Reference(_Body):
    """A picture of the holder of a ticket, as the card or the admission has it: JPEG in base64. Never written down."""

    ticket: Annotated[str, Field(min_length=1, max_length=24)]
    picture: Annotated[Base64Bytes, Field(max_length=400_000, repr=False)]


class Held(_Body):
    """Whether there is a face in the picture, which is now remembered until the ticket is done."""

    face: bool


class Cable(_Body):
    """Whether the network cable is in; `lan`: whether the other desks of the hall are reached."""

    online: bool
    lan: bool | None = None


class CheckInAnswer(_Body):
    """How a check-in ended, with what to say."""

    outcome: str
    ticket: str | None
    student_id: UUID | None
    class_label: str | None
    code: str
    zh: str
    en: str


class ReasonAnswer(_Body):
    """A rule that the frame breaks, and what to tell the student."""

    rule: str
    severity: str
    zh: str
    en: str
    advice_zh: str
    advice_en: str


class ShotAnswer(_Body):
    """A frame that awaits its decision."""

    capture_id: UUID
    sha256: str
    ticket: str | None
    verdict: facts.Verdict
    reasons: list[ReasonAnswer]
    stages_ms: dict[str, float]


class DriftAnswer(_Body):
    """A suspected drift, with what to do."""

    drift_id: UUID
    sign: facts.Sign
    expected: str
    seen: str
    capture_id: UUID | None
    zh: str
    en: str


class UndecidedAnswer(_Body):
    """A frame that awaits its decision, as the desk's state shows it."""

    capture_id: UUID
    ticket: str | None
    verdict: facts.Verdict | None


class DeviceAnswer(_Body):
    """How one device is; `code` is its trouble."""

    device: hardware.DeviceKind
    ready: bool
    code: str | None


class StateAnswer(_Body):
    """The desk at a glance."""

    mode: str
    desk_code: str
    queue: list[str]
    seated: str | None
    undecided: list[UndecidedAnswer]
    last_verdict: facts.Verdict | None
    drift: DriftAnswer | None
    backlog: int
    refused: dict[str, int]
    damaged: int
    online: bool
    pack_entries: int
    pack_codes: int
    pack_age_s: float | None
    pack_expires_at: str | None
    pack_expired: bool
    pack_version: int | None
    pack_old: bool
    pack_refused: str | None
    skew_s: float
    devices: list[DeviceAnswer]
    hall: hall_views.HallState | None


class JournalItem(_Body):
    """One journalled frame."""

    capture_id: UUID
    sha256: str
    size_bytes: int
    ticket: str | None
    state: Literal["journalled", "judged", "decided", "received"]
    decision: facts.Decision | None
    #: Whether its RAW lies beside it, on the card or in the folder.
    raw: bool


class JournalAnswer(_Body):
    """All journalled frames, in order."""

    items: list[JournalItem]
