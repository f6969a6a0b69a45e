"""A camera body as the driving process sees it: calls that block, and one error with the library's number.

`gphoto` is the real one, `drawn` a simulated one, `faulty` puts faults before either.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

#: What can be wrong with a camera, and where each is told to the operator: `station.cameras.tethered.troubles.CODES`.
Fault = Literal["unplugged", "busy", "frozen", "empty", "full", "focus", "raw_only", "io", "unsupported"]

# Numbers of libgphoto2 (gphoto2-port-result.h, gphoto2-result.h) and of PTP (ISO 15740), named here so that the
# simulated body can answer with them where the library is not installed.
IO_ERROR, TIMEOUT, USB_FIND, USB_CLAIM, IO_LOCK = -7, -10, -52, -53, -60
MODEL_NOT_FOUND, CAMERA_BUSY, NO_SPACE, NOT_SUPPORTED = -105, -110, -115, -6
PTP_STORE_FULL, PTP_STORE_NOT_AVAILABLE, PTP_DEVICE_BUSY, NIKON_OUT_OF_FOCUS = 0x200C, 0x2013, 0x2019, 0xA002
#: The event by which a camera says that its card ran full while it wrote.
EVENT_STORE_FULL = 0x400A


class LibraryError(Exception):
    """A call failed: libgphoto2's number, and PTP's answer behind it where the library logged one."""

    def __init__(self, code: int, ptp: int | None = None, holder: str = "") -> None:
        super().__init__(f"{code} {ptp:#06x}" if ptp else str(code))
        self.code, self.ptp, self.holder = code, ptp, holder

    @property
    def fault(self) -> Fault:
        """What the numbers mean."""
        if self.ptp in _BY_PTP:
            return _BY_PTP[self.ptp]
        return _BY_CODE.get(self.code, "io")


_BY_PTP: dict[int | None, Fault] = {
    PTP_STORE_FULL: "full",
    PTP_STORE_NOT_AVAILABLE: "full",
    PTP_DEVICE_BUSY: "busy",
    NIKON_OUT_OF_FOCUS: "focus",
}
_BY_CODE: dict[int, Fault] = {
    USB_FIND: "unplugged",
    MODEL_NOT_FOUND: "unplugged",
    USB_CLAIM: "busy",
    IO_LOCK: "busy",
    CAMERA_BUSY: "busy",
    TIMEOUT: "frozen",
    NO_SPACE: "full",
    NOT_SUPPORTED: "unsupported",
}
#: After these, as an answer to what was asked, the same connection goes on; after any other it is made anew.
PASSING: frozenset[Fault] = frozenset({"empty", "full", "focus", "unsupported"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A file on the card. Two files are the same one when all of it is equal: a formatted card uses names again."""

    folder: str
    name: str
    size: int
    modified: int

    @property
    def raw(self) -> bool:
        """Whether this is the sensor's own picture, beside which a JPEG is expected."""
        return self._suffix in RAW_SUFFIXES

    @property
    def jpeg(self) -> bool:
        """Whether this is a picture that the desk takes in."""
        return self._suffix in (".jpg", ".jpeg")

    @property
    def place(self) -> tuple[str, str]:
        """Folder and name."""
        return self.folder, self.name

    def finishes(self, earlier: "Entry") -> bool:
        """Whether this is the same picture, of which the earlier had no bytes, or not all of them yet.

        One with bytes and another time may be another picture under the same name: some cameras give the name of a
        deleted one again.
        """
        if self.place != earlier.place or self.size <= earlier.size:
            return False
        return earlier.size == 0 or self.modified == earlier.modified

    @property
    def stem(self) -> str:
        """What a JPEG and the RAW beside it have in common."""
        return f"{self.folder}/{self.name.rpartition('.')[0]}"

    @property
    def _suffix(self) -> str:
        return "." + self.name.rpartition(".")[2].lower()


#: HEIF stands where a body writes no JPEG, and is no picture of ours either.
RAW_SUFFIXES = {".heic", ".heif", ".hif"} | {
    ".nef",
    ".nrw",
    ".cr2",
    ".cr3",
    ".crw",
    ".arw",
    ".srf",
    ".sr2",
    ".raf",
    ".rw2",
    ".orf",
    ".pef",
    ".dng",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Which camera this is.

    `numbered`: its file names carry its own count of frames (DCF, 0001 to 9999). `lag_ms`: its file is told of at most
    so long after the shutter. `live_view`: whether it can be asked for previews.
    """

    serial: str
    model: str
    numbered: bool
    lag_ms: int = 0
    live_view: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """How the camera is. None where it does not say.

    `clock_offset_s` is its clock less ours: its pictures' dates are off by that much, and nobody need set it.
    `shutter_count` is the count of its shutter's life.
    """

    battery_percent: int | None = None
    clock_offset_s: int | None = None
    free_images: int | None = None
    shutter_count: int | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """A file came onto the card."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class StoreFull:
    """The card ran full while the camera wrote."""


Event = Added | StoreFull


class Body(Protocol):
    """One connection. Every call blocks and raises LibraryError."""

    def open(self) -> Identity: ...

    def close(self) -> None: ...

    def status(self) -> Status: ...

    def card(self) -> list[Entry]:
        """All pictures on the card."""
        ...

    def trigger(self) -> None:
        """Release the shutter; the file comes as an event."""
        ...

    def events(self, wait_s: float) -> list[Event]:
        """What has happened; waits for `wait_s` at most when nothing has."""
        ...

    def fetch(self, entry: Entry) -> bytes: ...

    def look(self, entry: Entry) -> Entry:
        """The file of this name as it is now: it may have grown."""
        ...

    def photographer(self) -> None:
        """Take a picture that nobody asked for. Simulated bodies alone can."""
        ...

    def preview(self) -> bytes:
        """One picture of the live view, a JPEG."""
        ...
