"""A tethered camera without hardware: draws portraits, writes RAW + JPEG pairs to a card that outlives it, and counts.

Its folder: `subject.json` (who sits there, as for the virtual camera), `picture.jpg` (taken instead of a drawing, if
there), `card/`, and `body.json` {"raw": bool, "battery_percent": int, "clock_offset_s": int, "capacity": int,
"serial": str}, of which each may be left out.
"""

import json
import time
from pathlib import Path
from typing import Any

from station.cameras.tethered import bodies

_FOLDER = "/store_00010001/DCIM/100GRADP"
_SIZE_PX = (1200, 1800)
_USUAL: dict[str, Any] = {
    "raw": True, "battery_percent": 83, "clock_offset_s": 0, "capacity": 2000, "serial": "drawn-1",
}  # fmt: skip


class DrawnBody:
    """Remembers nothing itself: the card is the folder `card`, its files are what it took."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._card = folder, folder / "card"
        self._card.mkdir(parents=True, exist_ok=True)
        self._told: set[bodies.Entry] = set()
        self._glanced = (b"", b"")

    def open(self) -> bodies.Identity:
        """Which camera this is."""
        return bodies.Identity(str(self._setting("serial")), "gradphoto drawn", numbered=True, live_view=True)

    def close(self) -> None:
        """Nothing is held."""

    def status(self) -> bodies.Status:
        """What `body.json` says."""
        return bodies.Status(
            battery_percent=int(self._setting("battery_percent")),
            clock_offset_s=int(self._setting("clock_offset_s")),
            free_images=int(self._setting("capacity")) - self._taken(),
            shutter_count=self._taken(),
        )

    def card(self) -> list[bodies.Entry]:
        """Every picture; none of them comes as an event any more."""
        found = [self._entry(path) for path in self._pictures()]
        self._told = set(found)
        return found

    def trigger(self) -> None:
        """Draw whoever sits there."""
        if self._taken() >= int(self._setting("capacity")):
            raise bodies.LibraryError(-1, bodies.PTP_STORE_FULL)
        self._expose()

    def events(self, wait_s: float) -> list[bodies.Event]:
        """Files that are new on the card."""
        found = [entry for entry in map(self._entry, self._pictures()) if entry not in self._told]
        self._told.update(found)
        if not found:
            time.sleep(wait_s)
        return [bodies.Added(entry) for entry in found]

    def fetch(self, entry: bodies.Entry) -> bytes:
        """The file."""
        return (self._card / entry.name).read_bytes()

    def look(self, entry: bodies.Entry) -> bodies.Entry:
        """As it lies on the card."""
        return self._entry(self._card / entry.name)

    def photographer(self) -> None:
        """Draw whoever sits there, unasked."""
        self._expose()

    def preview(self) -> bytes:
        """A small drawing, made again when somebody else sits there."""
        subject = self._subject()
        if self._glanced[0] != subject:
            self._glanced = subject, self._draw(320, 480)
        return self._glanced[1]

    def _expose(self) -> None:
        number = self._taken() + 1
        drawn = self._draw(*_SIZE_PX)
        if self._setting("raw"):
            # Sixteen bytes of a TIFF's beginning: enough to be a RAW file for whoever does not open it.
            self._put(f"DRA_{number:04d}.NEF", b"MM\x00\x2a\x00\x00\x00\x08" + number.to_bytes(8, "big"))
        self._put(f"DRA_{number:04d}.JPG", _marked(drawn, f"{self._setting('serial')} {number}"))

    def _put(self, name: str, content: bytes) -> None:
        part = self._card / f"{name}.part"
        part.write_bytes(content)
        part.replace(self._card / name)

    def _draw(self, width_px: int, height_px: int) -> bytes:
        own = self._folder / "picture.jpg"
        if own.exists():
            return own.read_bytes()
        from station.cameras import portraits  # loads cv2: only a camera that draws needs it

        subject = json.loads(self._subject())
        flaw = portraits.Flaw(subject["flaw"]) if subject.get("flaw") else None
        return portraits.draw(int(subject["seed"]), width_px=width_px, height_px=height_px, flaw=flaw)

    def _subject(self) -> bytes:
        try:
            return (self._folder / "subject.json").read_bytes()
        except FileNotFoundError:
            return b'{"seed": 0, "flaw": null}'  # an empty stool is photographed as well

    def _pictures(self) -> list[Path]:
        return sorted(path for path in self._card.iterdir() if path.suffix in (".JPG", ".NEF"))

    def _taken(self) -> int:
        return max((int(path.stem[-4:]) for path in self._card.glob("DRA_*.JPG")), default=0)

    def _entry(self, path: Path) -> bodies.Entry:
        stat = path.stat()
        return bodies.Entry(_FOLDER, path.name, stat.st_size, stat.st_mtime_ns)

    def _setting(self, name: str) -> Any:
        try:
            return {**_USUAL, **json.loads((self._folder / "body.json").read_bytes())}[name]
        except FileNotFoundError:
            return _USUAL[name]


def _marked(jpeg: bytes, comment: str) -> bytes:
    text = comment.encode("ascii", "replace")
    return jpeg[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + jpeg[2:]
