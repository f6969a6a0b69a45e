"""What one handler may touch: the desk with all that it needs from outside of itself."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from gradphoto_contracts import ids
from kit.errors import Unavailable
from station.domain import facts, signals
from station.domain.desk import Desk
from station.domain.seating import Chair
from station.ports import around, hardware, keeping, verdicts


def unsigned(_key: UUID, _document: Mapping[str, Any]) -> str:
    """A desk without a key, as in tests; the server refuses what it says."""
    return ""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A student before the operator. `stamp` names them to whoever decides, and tells nothing of them."""

    stamp: UUID
    student_id: ids.StudentId


@dataclass
class Work:
    """One desk at work. `lock` is held while the desk changes, never while camera, network or inspection is awaited."""

    desk: Desk
    journal: keeping.Journal
    spool: keeping.Spool
    camera: hardware.Camera
    inspector: verdicts.Inspector
    packs: keeping.Packs
    clock: around.Clock
    new_id: Callable[[], UUID]
    happened: Callable[[facts.Fact], None]
    wake_uplink: Callable[[], None]
    #: The station's signature over what it says of a session.
    sign_seal: Callable[[UUID, Mapping[str, Any]], str] = field(default=unsigned)
    #: The station's signature over what a student said to face comparison.
    sign_consent: Callable[[UUID, Mapping[str, Any]], str] = field(default=unsigned)
    #: None: this desk stands by itself.
    hall: around.Hall | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: Held from asking the camera until the frame is safe. Taken before `lock`, never inside it.
    camera_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    exposing: bool = False
    #: None: this desk compares no faces, whatever the policy.
    faces: verdicts.Faces | None = None
    compared_in: Callable[[float], None] = lambda _seconds: None
    #: Nobody really sits here: the students are drawn, and no time passes between them.
    drill: bool = False
    damaged: set[ids.CaptureId] = field(default_factory=set)
    judging: set[ids.CaptureId] = field(default_factory=set)
    judgements: dict[ids.CaptureId, verdicts.Judgement] = field(default_factory=dict)
    #: Whom the operator's check-in turned away last, if somebody in charge may let them in all the same.
    turned_away: TurnedAway | None = None
    #: Where this desk's slips come out, if it has a printer.
    printer: hardware.Printer | None = None
    monotonic_ns: Callable[[], int] = time.monotonic_ns
    chair: Chair = field(init=False)
    #: The press that a former life of the agent left without its frame.
    left_pressed: facts.ShutterPressed | None = field(init=False)

    def __post_init__(self) -> None:
        """Whoever sat before the start sits there still, and who was done last may."""
        now_ns = self.monotonic_ns()
        self.chair = Chair(self.sitter, now_ns, now_ns, self.desk.last_done)
        self.left_pressed = self.desk.pressed

    @property
    def terms(self) -> signals.Terms:
        """What the campaign demands of a binding. Raises Unavailable without a pack."""
        terms = self.packs.current().photo.terms
        return replace(terms, change_over_s=None, lingering_s=None) if self.drill else terms

    @property
    def asks_for_proof(self) -> bool:
        """Whether nobody sits there who has not shown the number."""
        try:
            return self.packs.current().photo.terms.proof == "shown"
        except Unavailable:
            return False  # a frame is taken in with or without a pack

    @property
    def sitter(self) -> str | None:
        """Whose a picture may be that is taken now."""
        return self.desk.seated if self.desk.proven or not self.asks_for_proof else None
