"""libgphoto2, through the `gphoto2` wheel, which also carries a virtual USB camera.

With VCAMERADIR in the environment the wheel loads that camera instead of USB; it serves the JPEGs of that folder.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import gphoto2 as gp

from station.cameras.tethered import bodies

T = TypeVar("T")
_PTP_ANSWER = re.compile(r"failed: .*\(0x([0-9a-fA-F]{4})[):]")
_EVENT_CODE = re.compile(r"PTP Event ([0-9a-fA-F]{4})")
#: What the camera's choice of where to write is called when it means the card; the makers differ.
_CARD = ("card+sdram", "card", "Memory card")
#: A camera that tells of every turn of a dial must not keep us from those who ask something.
_EVENTS_AT_ONCE = 50
#: A body tells of a file when it has written it: RAW + JPEG to a slow card takes a second.
_LAG_MS = 1500
#: An unanswered trigger is tried again so often: a camera that still writes says "busy".
_TRIGGER_TRIES, _TRIGGER_PAUSE_S = 5, 0.2


class GphotoBody:
    """The first camera found, or the one on `port` (as `gphoto2 --auto-detect` names it)."""

    def __init__(self, port: str | None = None) -> None:
        self._port = port
        self._camera: Any = None
        self._answer: int | None = None
        self._ran_full = self._virtual = False
        self._log = gp.gp_log_add_func(gp.GP_LOG_ERROR, self._overhear)

    def open(self) -> bodies.Identity:
        """Claim the camera and have it write to its card: the desk takes a copy, the crew keeps theirs."""
        self._camera = gp.Camera()
        if self._port:
            self._call(self._choose_port)
        try:
            self._call(self._camera.init)
        except bodies.LibraryError as error:
            raise bodies.LibraryError(error.code, error.ptp, _holder()) from error
        self._write_to_card()
        maker, model = self._text("manufacturer"), self._text("cameramodel")
        self._virtual = (maker, model) == ("GP", "VC")
        # The virtual camera's file numbers go up by twos and begin anew with each process: they count nothing.
        return bodies.Identity(
            self._text("serialnumber") or "unknown",
            model,
            numbered=not self._virtual,
            lag_ms=0 if self._virtual else _LAG_MS,
            live_view=self._can_preview(),
        )

    def close(self) -> None:
        """Let go of the camera."""
        with suppress(bodies.LibraryError):
            self._call(self._camera.exit)

    def status(self) -> bodies.Status:
        """Battery, clock, free space and shutter count, each as far as the camera tells it."""
        free = [store.freeimages for store in self._stores() if store.fields & gp.GP_STORAGEINFO_FREESPACEIMAGES]
        clock = self._value("datetime")
        return bodies.Status(
            battery_percent=_number(self._text("batterylevel")),
            clock_offset_s=int(clock) - round(time.time()) if isinstance(clock, int) else None,
            free_images=sum(free) if free else None,
            shutter_count=_number(self._text("shuttercounter")),
        )

    def card(self) -> list[bodies.Entry]:
        """Every picture below the card's root."""
        return list(self._below("/"))

    def trigger(self) -> None:
        """Release the shutter without waiting for the picture."""
        for tried in range(1, _TRIGGER_TRIES + 1):
            try:
                self._call(self._camera.trigger_capture)
            except bodies.LibraryError as error:
                if error.fault == "io" and self._is_full():
                    raise bodies.LibraryError(bodies.NO_SPACE) from error
                if error.fault != "busy" or tried == _TRIGGER_TRIES:
                    raise
                time.sleep(_TRIGGER_PAUSE_S)
            else:
                self._ran_full = False
                return

    def events(self, wait_s: float) -> list[bodies.Event]:
        """Files that came, and a card that ran full."""
        happened: list[bodies.Event] = []
        wait_ms = int(wait_s * 1000)
        if self._virtual:  # it waits by asking again and again, with all that the processor has
            time.sleep(wait_s)
            wait_ms = 1
        for _ in range(_EVENTS_AT_ONCE):
            kind, data = self._call(partial(self._camera.wait_for_event, wait_ms))
            if kind == gp.GP_EVENT_TIMEOUT:
                return happened
            if kind == gp.GP_EVENT_FILE_ADDED:
                happened.append(bodies.Added(self._entry(data.folder, data.name)))
            elif kind == gp.GP_EVENT_UNKNOWN and _event_code(data) == bodies.EVENT_STORE_FULL:
                self._ran_full = True
                happened.append(bodies.StoreFull())
            elif not happened:
                return happened
            wait_ms = 1
        return happened

    def fetch(self, entry: bodies.Entry) -> bytes:
        """The file's bytes."""

        def get() -> bytes:
            file = self._camera.file_get(entry.folder, entry.name, gp.GP_FILE_TYPE_NORMAL)
            return bytes(file.get_data_and_size())

        return self._call(get)

    def look(self, entry: bodies.Entry) -> bodies.Entry:
        """As the library knows it, which may be what it knew before."""
        return self._entry(entry.folder, entry.name)

    def photographer(self) -> None:
        """PTP operation 0x9999 of the virtual camera: a new picture is announced. Any other camera refuses."""

        def press() -> None:
            operation = self._camera.get_single_config("opcode")
            operation.set_value("0x9999,0x0,0x1")
            self._camera.set_single_config("opcode", operation)

        self._call(press)

    def preview(self) -> bytes:
        """One picture of the live view."""
        return self._call(lambda: bytes(self._camera.capture_preview().get_data_and_size()))

    def _below(self, folder: str) -> Iterator[bodies.Entry]:
        for name, _ in self._call(lambda: list(self._camera.folder_list_files(folder).items())):
            entry = self._entry(folder, name)
            if entry.jpeg or entry.raw:
                yield entry
        for name, _ in self._call(lambda: list(self._camera.folder_list_folders(folder).items())):
            yield from self._below(f"{folder.rstrip('/')}/{name}")

    def _entry(self, folder: str, name: str) -> bodies.Entry:
        info = self._call(lambda: self._camera.file_get_info(folder, name)).file
        return bodies.Entry(folder, name, int(info.size), int(info.mtime))

    def _write_to_card(self) -> None:
        with suppress(bodies.LibraryError):
            target = self._call(lambda: self._camera.get_single_config("capturetarget"))
            for choice in [choice for choice in _CARD if choice in list(target.get_choices())][:1]:
                target.set_value(choice)
                self._call(lambda: self._camera.set_single_config("capturetarget", target))

    def _stores(self) -> list[Any]:
        try:
            return list(self._call(self._camera.get_storageinfo))
        except bodies.LibraryError as error:
            if error.fault != "unsupported":
                raise
            return []  # this body does not tell of its cards

    def _is_full(self) -> bool:
        # Some bodies refuse a full card with a bare "error": what they said before, or their count, tells why.
        return self._ran_full or self.status().free_images == 0

    def _can_preview(self) -> bool:
        abilities = self._call(self._camera.get_abilities)
        return bool(abilities.operations & gp.GP_OPERATION_CAPTURE_PREVIEW)

    def _choose_port(self) -> None:
        ports = gp.PortInfoList()
        ports.load()
        self._camera.set_port_info(ports[ports.lookup_path(self._port)])

    def _value(self, name: str) -> Any:
        try:
            return self._call(lambda: self._camera.get_single_config(name).get_value())
        except bodies.LibraryError as error:
            if error.fault in ("unplugged", "busy", "frozen"):
                raise
            return None  # this camera has no such setting

    def _text(self, name: str) -> str:
        value = self._value(name)
        return value.strip() if isinstance(value, str) else ""

    def _call(self, act: Callable[[], T]) -> T:
        self._answer = None
        try:
            return act()
        except gp.GPhoto2Error as error:
            raise bodies.LibraryError(error.code, self._answer) from error

    def _overhear(self, _level: int, _domain: str, text: str) -> None:
        # "Store full" and "out of focus" reach us as error -1: only the log has PTP's own answer.
        if answer := _PTP_ANSWER.search(text):
            self._answer = int(answer[1], 16)


def _event_code(data: object) -> int | None:
    found = _EVENT_CODE.match(data) if isinstance(data, str) else None
    return int(found[1], 16) if found else None


def _number(text: str) -> int | None:
    found = re.match(r"\d+", text)
    return int(found[0]) if found else None


def _holder() -> str:
    """The program that most often holds a camera on a desktop, if it runs; empty when it does not."""
    with suppress(OSError):
        for command in Path("/proc").glob("[0-9]*/comm"):
            with suppress(OSError):
                if (name := command.read_text().strip()).startswith(("gvfsd-gphoto2", "gvfs-gphoto2", "PTPCamera")):
                    return name
    return ""
