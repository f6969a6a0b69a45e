"""Faults on order, before a real or a simulated camera: what drills and tests pull the cable with.

The script is `faults.json` in the camera's folder, read anew at each step:
[{"fault": "unplugged", "step": "fetch", "at_frame": 3, "times": 2}, …]. `step` is open, status, events, trigger
or fetch; `at_frame` waits for so many pictures of this script's life; each time the fault happens, `times` goes down,
and at nothing the row is gone. Whatever the body: a file `press` in the folder is the photographer's finger.
"""

import json
import time
from pathlib import Path
from typing import Any

from station.cameras.tethered import bodies

_FOREVER_S = 10**6
SCRIPT, FRAMES, PRESS = "faults.json", "frames-seen", "press"


def scripted(body: bodies.Body, folder: Path) -> bodies.Body:
    """The body, behind the folder's script if it has one. Without one a real camera stays alone."""
    return FaultyBody(body, folder) if (folder / SCRIPT).exists() else body


def write_script(folder: Path, *rows: dict[str, Any]) -> None:
    """Order faults; none at all makes the camera well."""
    part = folder / f"{SCRIPT}.part"
    part.write_text(json.dumps(rows))
    part.replace(folder / SCRIPT)


class FaultyBody:
    """Does what the body behind it does, unless the script has something else for this step."""

    def __init__(self, body: bodies.Body, folder: Path) -> None:
        self._body, self._folder = body, folder

    def open(self) -> bodies.Identity:
        """May be unplugged or busy."""
        self._perhaps("open")
        return self._body.open()

    def close(self) -> None:
        """Never fails."""
        self._body.close()

    def status(self) -> bodies.Status:
        """As the body says, which may not know."""
        self._perhaps("status")
        return self._body.status()

    def card(self) -> list[bodies.Entry]:
        """As the body says."""
        return self._body.card()

    def trigger(self) -> None:
        """`lost` as a step: the shutter is released and then the call fails."""
        self._perhaps("trigger")
        self._body.trigger()
        self._perhaps("lost")

    def events(self, wait_s: float) -> list[bodies.Event]:
        """Counts the pictures that come."""
        self._perhaps("events")
        finger = self._folder / PRESS
        if finger.exists():
            finger.unlink()
            self._body.photographer()
        happened = self._body.events(wait_s)
        if seen := sum(isinstance(event, bodies.Added) and event.entry.jpeg for event in happened):
            (self._folder / FRAMES).write_text(str(self._frames() + seen))
        return happened

    def fetch(self, entry: bodies.Entry) -> bytes:
        """`empty` gives no bytes, `cut` the first half."""
        match self._perhaps("fetch"):
            case "empty":
                return b""
            case "cut":
                return self._body.fetch(entry)[: entry.size // 2]
        return self._body.fetch(entry)

    def look(self, entry: bodies.Entry) -> bodies.Entry:
        """As the body says."""
        return self._body.look(entry)

    def photographer(self) -> None:
        """As the body does."""
        self._body.photographer()

    def preview(self) -> bytes:
        """As the body says."""
        return self._body.preview()

    def _perhaps(self, step: str) -> str | None:
        if not (self._folder / SCRIPT).exists():
            return None
        rows: list[dict[str, Any]] = json.loads((self._folder / SCRIPT).read_text())
        for row in rows:
            if row["step"] == step and row.get("at_frame", 0) <= self._frames():
                self._used(rows, row)
                return _happen(row["fault"])
        return None

    def _used(self, rows: list[dict[str, Any]], row: dict[str, Any]) -> None:
        row["times"] = row.get("times", 1) - 1
        write_script(self._folder, *(one for one in rows if one.get("times", 1) > 0))

    def _frames(self) -> int:
        try:
            return int((self._folder / FRAMES).read_text())
        except FileNotFoundError:
            return 0


def _happen(fault: str) -> str:
    match fault:
        case "unplugged":
            raise bodies.LibraryError(bodies.MODEL_NOT_FOUND)
        case "cable":
            raise bodies.LibraryError(bodies.IO_ERROR)
        case "busy":
            raise bodies.LibraryError(bodies.USB_CLAIM, holder="gvfsd-gphoto2")
        case "full":
            raise bodies.LibraryError(-1, bodies.PTP_STORE_FULL)
        case "focus":
            raise bodies.LibraryError(-1, bodies.NIKON_OUT_OF_FOCUS)
        case "unsupported":
            raise bodies.LibraryError(bodies.NOT_SUPPORTED)
        case "frozen":
            time.sleep(_FOREVER_S)
    return fault
