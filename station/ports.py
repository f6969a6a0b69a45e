"""What the desk needs from outside of itself, and what one handler may touch."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from gradphoto_contracts import ids
from kit.errors import Problem
from station.domain import facts, hub, signals
from station.domain import hall as halls
from station.domain.desk import Desk
from station.domain.outgoing import Kind, Message
from station.domain.pack import Entry, Pack
from station.domain.seating import Chair


class Clock(Protocol):
    """The station's time: its machine's clock, corrected by what the server's clock says."""

    def now(self) -> datetime: ...

    @property
    def offset_s(self) -> float:
        """How far the machine's clock was ahead of the server's when last measured; `now` has it taken out."""
        ...


DeviceKind = Literal["camera", "card_reader", "printer"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps a device from working: `code` with `params` has words, `fault` is the metric's label."""

    fault: str
    code: str
    params: Mapping[str, str | int]
    #: The machine's monotonic clock when it began, and how often it was tried again since.
    since_ns: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Health:
    """How a device is. Not ready and without trouble: it is being opened. `details`: battery, serial, free space."""

    device: DeviceKind
    ready: bool
    trouble: Trouble | None
    details: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Notice:
    """A device fell into a trouble, or is out of it again (`recovered`). For metrics."""

    device: DeviceKind
    fault: str
    recovered: bool


class Device(Protocol):
    """Something on a cable. It may be missing, stuck or slow at any time; the desk goes on and says so."""

    def health(self) -> Health: ...

    async def start(self) -> None:
        """Begin to look after the device; does not wait for it."""
        ...

    async def run(self) -> None:
        """Wait as long as the device is looked after; raises what ended that."""
        ...

    async def close(self) -> None:
        """Let go of the device. Again changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Exposure:
    """One picture as the camera gives it.

    `monotonic_ns` is the machine's monotonic clock when the picture was first heard of; the shutter was released at
    most `lag_ns` before. A camera that was out of reach meanwhile may have taken it at any time since.
    """

    jpeg: bytes
    camera_serial: str
    frame_counter: int
    monotonic_ns: int
    lag_ns: int = 0
    #: The sensor's own picture lies beside it, on the card or in the folder, and stays there: the crew's copy.
    raw: bool = False


class Camera(Device, Protocol):
    """A camera that remembers what it took until told that the picture is safe."""

    @property
    def serial(self) -> str: ...

    @property
    def photographer_fires(self) -> bool:
        """Whether pictures come without our asking: whoever sits is then meant."""
        ...

    async def shutter(self) -> Exposure:
        """Take a picture, or get the one that the photographer takes now. Raises Unavailable when none comes."""
        ...

    async def waiting(self) -> list[Exposure]:
        """Pictures that were never acknowledged: nobody asked for them, or we died before they were safe."""
        ...

    async def acknowledge(self, exposure: Exposure) -> None:
        """The picture is journalled: the camera may forget it. Again changes nothing."""
        ...

    async def frames_taken(self) -> int:
        """The camera's own count of pictures."""
        ...

    async def arrived(self, timeout_s: float) -> None:
        """Wait until a picture has come that nobody asked for, at most `timeout_s`."""
        ...

    @property
    def live_view(self) -> bool:
        """Whether it can be asked for previews now."""
        ...

    async def preview(self) -> bytes:
        """One small JPEG of what it sees; none of it is kept. Raises Unavailable."""
        ...


Source = Literal["id_card", "code"]


@dataclass(frozen=True, slots=True)
class Scan:
    """What was swiped or scanned: `payload` is what the desk pack is asked for. Never written anywhere."""

    source: Source
    payload: str = field(repr=False)
    name: str = field(repr=False, default="")
    expires: date | None = field(repr=False, default=None)


class Reader(Device, Protocol):
    """Gives what is laid on it."""

    async def next(self) -> Scan:
        """Wait for the next one."""
        ...


@dataclass(frozen=True, slots=True)
class Slip:
    """The paper that a student carries from check-in to the camera. No name: it may be dropped."""

    ticket: str
    class_label: str
    desk_code: str
    issued_at: datetime
    #: Another paper than a student's, line by line: a session's seal. It has no ticket.
    lines: tuple[str, ...] = ()


class Printer(Device, Protocol):
    """Prints slips. One that was taken is printed, however long the paper is out."""

    async def print(self, slip: Slip) -> None:
        """Take a slip for printing; does not wait for the paper. The same ticket again is printed again."""
        ...

    @property
    def waiting(self) -> int:
        """Slips taken and not yet printed."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a picture breaks, with what to tell the student."""

    rule: str
    severity: str
    zh: str
    en: str
    advice_zh: str
    advice_en: str
    measured: float | None = None
    unit: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the head is, for an overlay: shares of the upright picture's width and height, 0 to 1. No template.

    `crop` is what the photo would be cut from: left, top, width, height. `left_eye` is the one at the picture's left.
    """

    crown_y: float
    eyes_y: float
    chin_y: float
    left_x: float
    right_x: float
    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    crop: tuple[float, float, float, float] | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the photo standard says of a picture."""

    verdict: facts.Verdict
    profile: str
    findings: tuple[Finding, ...]
    marks: Marks | None = None
    #: What no machine judges: the operator looks.
    for_a_person: tuple[Finding, ...] = ()


class Inspector(Protocol):
    """Holds the photo standard against a picture, without network."""

    async def inspect(self, jpeg: bytes, profile: str) -> Judgement: ...


class Faces(Protocol):
    """Says how alike two faces are (cosine, -1 to 1). Remembers the last two seats, in memory alone."""

    async def compare(self, ticket: str, jpeg: bytes) -> dict[facts.Against, float]:
        """With what the frame's face can be compared, and how alike they are. May be empty."""
        ...

    async def expect(self, ticket: str, picture: bytes) -> bool:
        """Remember the face on a reference picture for this ticket. False: there is none in it."""
        ...

    def drop(self, ticket: str) -> None:
        """Forget the ticket's reference."""
        ...

    def forget(self) -> None:
        """Forget the seats."""
        ...

    def close(self) -> None:
        """Forget everybody."""
        ...


@dataclass(frozen=True, slots=True)
class Pending:
    """A message not yet received by the server. `blocked` while another one must go first."""

    seq: int
    revision: int
    message: Message
    blocked: bool


class Journal(Protocol):
    """What happened at the desk and what the server must still be told: durable when `append` returns."""

    async def history(self) -> list[facts.Fact]: ...

    async def append(self, happened: Sequence[facts.Fact], messages: Sequence[Message]) -> None:
        """All of it or nothing, on the disk when this returns."""
        ...

    async def pending(self, limit: int) -> list[Pending]: ...

    async def received(
        self, pending: Pending, answer: dict[str, Any], at: datetime, happened: Sequence[facts.Fact]
    ) -> bool:
        """The server has the message. False when a newer revision waits to be sent."""
        ...

    async def answer(self, kind: Kind, key: UUID) -> dict[str, Any] | None:
        """What the server answered, or None while it has not."""
        ...

    async def backlog(self) -> int: ...

    async def head(self) -> tuple[int, str, bool]:
        """How many facts there are, the head of their hash chain, and whether the chain held when it was read."""
        ...


class Spool(Protocol):
    """Frames on the station's disk, encrypted, until the server has them."""

    def demand_room(self) -> None:
        """Raise Unavailable when the disk is too full for another frame."""
        ...

    async def put(self, frame: facts.FrameJournalled, jpeg: bytes) -> None:
        """Fsynced when this returns; nothing is left when it fails."""
        ...

    async def get(self, capture_id: ids.CaptureId) -> bytes:
        """The frame's bytes. Raises Tampered when they are not what was put."""
        ...

    async def held(self) -> list[ids.CaptureId]: ...

    async def label(self, capture_id: ids.CaptureId) -> facts.FrameJournalled:
        """What was put beside the bytes: enough to journal a frame whose writer died before it could."""
        ...

    async def wipe(self, capture_id: ids.CaptureId) -> None: ...


class Packs(Protocol):
    """The desk pack in force."""

    def current(self) -> Pack:
        """Raises Unavailable while none has come."""
        ...

    def find(self, scan: str) -> Entry | None: ...

    def entry(self, student_id: ids.StudentId) -> Entry | None: ...

    @property
    def as_of(self) -> datetime | None:
        """When the server last said that this pack is the newest."""
        ...

    @property
    def trouble(self) -> Problem | None:
        """Why the pack that came last was refused; None when it was taken."""
        ...

    def hurry(self) -> None:
        """Ask for a newer pack soon: somebody came whom this one does not know."""
        ...


def unsigned(_key: UUID, _document: Mapping[str, Any]) -> str:
    """A desk without a key, as in tests; the server refuses what it says."""
    return ""


class Hall(Protocol):
    """The desks of one hall, which share a queue. With nobody to be heard, this desk grants to itself, apart."""

    @property
    def me(self) -> ids.StationId: ...

    @property
    def known(self) -> halls.Hall:
        """What this desk knows of the hall."""
        ...

    @property
    def codes(self) -> Mapping[ids.StationId, str]:
        """The desks' codes by their stations."""
        ...

    async def claim(self, wish: hub.Wish) -> halls.Claimed | hub.Taken:
        """Have a student checked in at this desk. On return it is on the disk. May take as long as a takeover."""
        ...

    async def call(self, checkin_id: ids.CheckinId) -> hub.Taken | None:
        """Call a ticket's holder to this desk; None when they may sit here."""
        ...

    async def catch_up(self) -> Sequence[ids.CheckinId]:
        """Ask the hub what is new; the check-ins of which something may still come."""
        ...

    async def note(self, told: Sequence[halls.Fact]) -> None:
        """Write facts of this desk into its log."""
        ...

    async def reserve(self, ordinal: int) -> None:
        """This number may be asked for: on the disk on return, so that it is never asked for another student."""
        ...

    @property
    def next_ordinal(self) -> int:
        """The first number that was never asked for."""
        ...


@dataclass
class Work:
    """One desk at work. `lock` is held while the desk changes, never while camera, network or inspection is awaited."""

    desk: Desk
    journal: Journal
    spool: Spool
    camera: Camera
    inspector: Inspector
    packs: Packs
    clock: Clock
    new_id: Callable[[], UUID]
    happened: Callable[[facts.Fact], None]
    wake_uplink: Callable[[], None]
    #: The station's signature over what it says of a session.
    sign_seal: Callable[[UUID, Mapping[str, Any]], str] = field(default=unsigned)
    #: The station's signature over what a student said to face comparison.
    sign_consent: Callable[[UUID, Mapping[str, Any]], str] = field(default=unsigned)
    #: None: this desk stands by itself.
    hall: Hall | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: Held from asking the camera until the frame is safe. Taken before `lock`, never inside it.
    camera_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    exposing: bool = False
    #: None: this desk compares no faces, whatever the policy.
    faces: Faces | None = None
    compared_in: Callable[[float], None] = lambda _seconds: None
    #: Nobody really sits here: the students are drawn, and no time passes between them.
    drill: bool = False
    damaged: set[ids.CaptureId] = field(default_factory=set)
    judging: set[ids.CaptureId] = field(default_factory=set)
    judgements: dict[ids.CaptureId, Judgement] = field(default_factory=dict)
    #: Whom check-in turned away last, if somebody in charge may let them in all the same.
    turned_away: ids.StudentId | None = None
    #: Where this desk's slips come out, if it has a printer.
    printer: Printer | None = None
    monotonic_ns: Callable[[], int] = time.monotonic_ns
    chair: Chair = field(init=False)
    #: The press that a former life of the agent left without its frame.
    left_pressed: facts.ShutterPressed | None = field(init=False)

    def __post_init__(self) -> None:
        """Whoever sat before the start sits there still."""
        now_ns = self.monotonic_ns()
        self.chair = Chair(self.desk.seated, now_ns, now_ns)
        self.left_pressed = self.desk.pressed

    @property
    def terms(self) -> signals.Terms:
        """What the campaign demands of a binding. Raises Unavailable without a pack."""
        terms = self.packs.current().photo.terms
        return replace(terms, change_over_s=None, lingering_s=None) if self.drill else terms
