"""What is wrong with a tethered camera, in the words that its operator reads."""

from kit.errors import Unavailable
from station import devices
from station.cameras.tethered import bodies
from station.cameras.tethered.link import Lost
from station.ports import hardware

#: What each fault is called to the operator.
CODES: dict[bodies.Fault, str] = {
    "unplugged": "camera-unplugged",
    "busy": "camera-busy",
    "frozen": "camera-frozen",
    "empty": "camera-file-empty",
    "full": "camera-card-full",
    "focus": "camera-out-of-focus",
    "raw_only": "camera-raw-only",
    "io": "camera-connection-lost",
    "unsupported": "camera-unsupported",
}
#: What is called otherwise where live view was asked for.
PREVIEW_CODES: dict[bodies.Fault, str] = {"unsupported": "camera-no-live-view"}
_OVER_BY_OPENING = ("unplugged", "busy")
#: While there is neither camera nor trouble.
OPENING = "camera-opening"


class Troubles:
    """Tells of each, and knows the present one."""

    def __init__(self, watch: devices.Watch) -> None:
        self.watch = watch

    def tell(self, fault: bodies.Fault, **params: str | int) -> None:
        """The camera has this trouble."""
        self.watch.troubled(fault, CODES[fault], **params)

    def lost(self, lost: Lost, frames: int) -> None:
        """A connection ended that had given so many frames."""
        match lost.fault:
            case "frozen":
                self.tell("frozen", frames=frames)
            case "busy":
                self.tell("busy", holder=lost.holder or "?")
            case fault:
                self.tell(fault)

    def still_after_opening(self) -> hardware.Trouble | None:
        """The present trouble, if that a camera could be opened does not end it; else it is over."""
        trouble = self.watch.trouble
        if trouble is not None and trouble.fault not in _OVER_BY_OPENING:
            return trouble
        self.watch.well()
        return None

    def over(self, *faults: bodies.Fault) -> None:
        """If one of these is the present trouble, it is over."""
        if self.watch.trouble is not None and self.watch.trouble.fault in faults:
            self.watch.well()

    def problem(self) -> Unavailable:
        """The present trouble as an error."""
        return self.watch.problem(OPENING)
