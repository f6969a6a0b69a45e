"""What hangs on a desk's cables: camera, card reader, printer, and how each says that it is in trouble."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

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


#: A camera's serial number and its count: no two frames of a desk have the same.
FrameKey = tuple[str, int]


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

    @property
    def key(self) -> FrameKey:
        """By what the frame is known again."""
        return self.camera_serial, self.frame_counter


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

    async def raw_pairs(self) -> list[FrameKey]:
        """Frames beside which a RAW has come, perhaps after they were taken in. Told again until that is noted."""
        ...

    async def raw_noted(self, key: FrameKey) -> None:
        """It is journalled that this frame has a RAW. Again changes nothing."""
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
