"""What the console's page shows: one document, whole, sent again whenever something in it changes."""

import time
from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gradphoto_contracts import ids
from kit import messages
from station import settings
from station.domain import facts
from station.hall.joined import HallState
from station.ports import verdicts

Severity = Literal["stop", "warn", "info"]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class Document(_View):
    """What a page shows. Of two, the one with the greater `stamp` is the newer, whichever way it came."""

    stamp: int = Field(default_factory=time.monotonic_ns)


class Message(_View):
    """Something that is wrong, in words. `stop`: the desk cannot go on; `warn`: it can; `info`: to be known."""

    code: str
    severity: Severity
    zh: str
    en: str


class Person(_View):
    """Who holds a ticket, as far as the campaign's identity mode lets a desk know."""

    ticket: str
    class_label: str | None
    order_code: str | None
    ordinal: int | None
    name_masked: str | None
    retakes: int
    #: Whether faces may be compared, as far as this person is concerned.
    face_consent: bool


class Reason(_View):
    """A rule that the frame breaks, and what to say to the student."""

    rule: str
    severity: str
    zh: str
    en: str
    advice_zh: str
    advice_en: str
    measured: float | None
    unit: str
    limit: str


class Frame(_View):
    """A frame, with everything that is drawn over it."""

    capture_id: ids.CaptureId
    ticket: str | None
    state: str
    verdict: facts.Verdict | None
    decision: facts.Decision | None
    test_shot: bool
    damaged: bool
    shown: bool
    reasons: tuple[Reason, ...]
    for_a_person: tuple[Reason, ...]
    rules: tuple[str, ...]
    marks: verdicts.Marks | None
    #: What the comparison of faces says, where somebody should look.
    faces: tuple[Message, ...]


class Way(_View):
    """One answer to a suspected drift, and what it does."""

    resolution: facts.Resolution
    zh: str
    en: str


class Drift(_View):
    """A suspected drift, the first of `open` ones."""

    drift_id: ids.DriftId
    sign: facts.Sign
    expected: str
    seen: str
    capture_id: ids.CaptureId | None
    zh: str
    en: str
    ways: tuple[Way, ...]
    open: int


class Camera(_View):
    """The camera: well, or what is wrong with it."""

    serial: str
    ready: bool
    photographer_fires: bool
    live_view: bool
    trouble: Message | None
    details: dict[str, str | int]


class Gear(_View):
    """The card reader or the printer: well, being opened, or what is wrong with it."""

    ready: bool
    trouble: Message | None
    details: dict[str, str | int]


class Arrival(_View):
    """How the last swipe ended; a newer `stamp` is another swipe."""

    stamp: int
    outcome: str
    code: str
    zh: str
    en: str


class Health(_View):
    """What the operator should know beside the student: network, disk, clock, pack, camera, reader, printer."""

    online: bool
    backlog: int
    disk_free_bytes: int
    disk_low: bool
    skew_s: int
    pack_entries: int
    pack_age_s: int | None
    pack_expired: bool
    pack_old: bool
    camera: Camera
    reader: Gear | None
    printer: Gear | None
    hall: HallState | None


class Desk(Document):
    """The desk at work."""

    phase: Literal["work"] = "work"
    desk_code: str
    campus_code: str
    identity_mode: str | None
    embedded: bool
    mode: str
    seated: Person | None
    #: The campaign wants the number shown at the seat, and who sits has not shown it.
    unshown: bool
    retake_limit: int | None
    queue: tuple[Person, ...]
    queue_length: int
    frame: Frame | None
    undecided: int
    recent: tuple[Frame, ...]
    drift: Drift | None
    done: int
    session_frames: int
    session_checkins: int
    health: Health
    messages: tuple[Message, ...]
    studio: dict[str, Any] | None
    devices: settings.Devices
    #: What a student consents to before faces are compared; None where none are.
    face_consent: Message | None
    arrival: Arrival | None
    #: Stands for whoever was turned away last, if somebody in charge may let them in.
    turned_away: UUID | None
    last_ticket: str | None


def message(code: str, severity: Severity, params: Mapping[str, Any] | None = None) -> Message:
    """A code in words; one that we have no words for is shown as it is."""
    try:
        zh, en = messages.render(code, params or {})
    except (messages.UnknownCode, KeyError):
        zh = en = code
    return Message(code=code, severity=severity, zh=zh, en=en)
