"""The desk's tethered camera: asks the driving process for pictures, and starts another one whenever it is lost.

A press of the shutter is kept through any loss: on the next connection the card tells whether the picture was taken.
If it was, that is the answer; if not, the shutter is released again. Only after `patience_s` is the press given back,
with what is wrong; it then stands in the journal, and a picture that still comes is its own.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit import logs
from kit.errors import Unavailable
from station import devices
from station.cameras.tethered import bodies, wire
from station.cameras.tethered.link import Driver, Link, Lost
from station.cameras.tethered.memory import Memory, in_order
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
    "unsupported": "camera-no-live-view",
}
#: So many pictures lie in memory while nobody takes them in; the others wait on the card.
_AT_HAND = 6
_FETCH_TRIES = 4
_END = b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take, in seconds. The library's own limit for one answer is 20 s."""

    #: Opening lists the card: thousands of pictures take a while.
    opening_s: float = 60.0
    #: A camera that is driven says something five times a second, except while it focuses or sends a file.
    silence_s: float = 12.0
    #: From the shutter until its file is on the card.
    no_frame_s: float = 8.0
    #: How long a press is kept before it is given back.
    patience_s: float = 25.0
    raw_alone_s: float = 6.0
    first_pause_s: float = 0.25
    longest_pause_s: float = 5.0


@dataclass(slots=True)
class _Request:
    """A press of the shutter. `sent` while the camera may have obeyed; `claimed` is the file that answers it."""

    answer: asyncio.Future[hardware.Exposure]
    sent_at: float | None = None
    claimed: bodies.Entry | None = None
    focus_tried: bool = False


@dataclass(slots=True)
class _Connection:
    """What is only true while one connection lasts."""

    link: Link
    #: When the camera was heard of last, before this connection: it may have taken pictures since. 0: never.
    away_since_ns: int = 0
    identity: bodies.Identity | None = None
    seen: set[bodies.Entry] = field(default_factory=set)
    taken_ns: dict[bodies.Entry, int] = field(default_factory=dict)
    #: What answers a press of ours: taken after it, however late it comes.
    ours: set[bodies.Entry] = field(default_factory=set)
    wanted: deque[bodies.Entry] = field(default_factory=deque)
    fetching: bodies.Entry | None = None
    tries: dict[bodies.Entry, int] = field(default_factory=dict)
    fetch_again_at: float = 0.0
    raw_alone: dict[str, float] = field(default_factory=dict)
    frames: int = 0


class TetheredCamera(devices.Supervised):
    """Looked after from `start` to `close`; whatever happens to the camera, it is tried again for ever."""

    def __init__(
        self,
        driver: Driver,
        memory: Path,
        limits: Limits | None = None,
        noticed: devices.Noticed = devices.unnoticed,
    ) -> None:
        self._driver, self._limits = driver, limits or Limits()
        self._memory = Memory(memory)
        self._watch = devices.Watch("camera", noticed)
        self._connection: _Connection | None = None
        self._request: _Request | None = None
        self._preview: asyncio.Future[bytes] | None = None
        self._waiting: dict[int, tuple[hardware.Exposure, bodies.Entry]] = {}
        self._arrival = asyncio.Event()
        self._heard_ns = 0
        self._blind = False

    @property
    def photographer_fires(self) -> bool:
        """Pictures come when the photographer takes them."""
        return True

    @property
    def serial(self) -> str:
        """Of the body that is connected, or was last."""
        identity = self._connection.identity if self._connection else None
        return identity.serial if identity else self._memory.last_serial or "unknown"

    def health(self) -> hardware.Health:
        """With serial, model, battery, clock, free space and count as far as the camera tells them."""
        return self._watch.health()

    async def shutter(self) -> hardware.Exposure:
        """Release the shutter. Raises Unavailable with what is wrong when no picture came: the press stands."""
        if behind := len(self._waiting) + self._behind():
            raise Unavailable("camera-frames-waiting", count=behind)
        request = self._request = _Request(asyncio.get_running_loop().create_future())
        try:
            await self._pursue()
            async with asyncio.timeout(self._limits.patience_s):
                return await request.answer
        except TimeoutError:
            raise self._no_frame() from None
        finally:
            self._request = None

    async def waiting(self) -> list[hardware.Exposure]:
        """Pictures that nobody asked for, or whose asker died, in their order."""
        return [self._waiting[counter][0] for counter in sorted(self._waiting)]

    async def acknowledge(self, exposure: hardware.Exposure) -> None:
        """Remember that the picture is safe; on the card it stays, as the crew's own copy."""
        kept = self._waiting.pop(exposure.frame_counter, None)
        if kept is not None:
            await asyncio.to_thread(self._memory.safe, exposure.camera_serial, kept[1])
            await self._fetch_next()

    async def frames_taken(self) -> int:
        """By the camera's count, so that pictures which never came are in it."""
        return self._memory.total

    async def arrived(self, timeout_s: float) -> None:
        """Wait until a picture has come that nobody asked for, at most `timeout_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._arrival.wait()
            self._arrival.clear()

    @property
    def live_view(self) -> bool:
        """Whether the body that is connected has it, as far as it says and has not refused it."""
        identity = self._connection.identity if self._connection else None
        return identity is not None and identity.live_view and not self._blind

    async def preview(self) -> bytes:
        """One picture of the live view. Raises Unavailable when this camera has none, or is in trouble."""
        if self._connection is None or self._connection.identity is None:
            raise self._watch.problem("camera-opening")
        if self._preview is None:
            self._preview = asyncio.get_running_loop().create_future()
            await self._ask("preview")
        try:
            async with asyncio.timeout(self._limits.silence_s):
                return await asyncio.shield(self._preview)
        except TimeoutError:
            raise self._watch.problem("camera-opening") from None

    # -- one connection after another

    async def _supervise(self) -> None:
        pauses = devices.pauses(self._limits.first_pause_s, self._limits.longest_pause_s)
        while True:
            self._watch.opening()
            connection = self._connection = _Connection(await Link.start(self._driver), self._heard_ns)
            try:
                await self._serve(connection)
            except Lost as lost:
                self._lost(connection, lost)
            finally:
                self._connection = None
                self._fail_preview()
                await connection.link.end()
            if connection.frames:
                pauses = devices.pauses(self._limits.first_pause_s, self._limits.longest_pause_s)
            await asyncio.sleep(next(pauses))

    async def _serve(self, connection: _Connection) -> None:
        while True:
            patience_s = self._limits.silence_s if connection.identity else self._limits.opening_s
            message = await connection.link.receive(patience_s)
            self._heard_ns = time.monotonic_ns()
            await self._hear(connection, message)

    async def _hear(self, connection: _Connection, message: wire.Message) -> None:
        match message.says:
            case "open":
                await self._opened(connection, message)
            case "status":
                self._status(bodies.Status(**message.fields))
            case "added":
                self._added(connection, wire.entry(message.fields), message.fields["monotonic_ns"])
            case "file":
                await self._file(connection, wire.entry(message.fields), message.payload)
            case "preview" if self._preview is not None:
                self._preview.set_result(message.payload)
                self._preview = None
            case "fault":
                self._fault(message.fields)
        self._keep_time(connection)
        await self._fetch_next()
        await self._pursue()

    async def _opened(self, connection: _Connection, message: wire.Message) -> None:
        identity = connection.identity = bodies.Identity(**message.fields)
        self._blind = False
        card = wire.entries(message.payload)
        connection.seen = set(card)
        if not self._memory.has_met(identity.serial):
            await asyncio.to_thread(self._memory.meet, identity.serial, card)
        new = [entry for entry in in_order(card) if entry.jpeg and not self._memory.knows(identity.serial, entry)]
        at_hand = {entry for _, entry in self._waiting.values()}
        connection.wanted.extend(entry for entry in new if entry not in at_hand)
        self._watch.knows(serial=identity.serial, model=identity.model)
        self._watch.well()
        self._claim_from_card(connection)
        logs.get().info("camera.open", model=identity.model, new_on_card=len(connection.wanted))

    def _claim_from_card(self, connection: _Connection) -> None:
        """What lies on the card since an unanswered press was sent is its picture; else it must be sent again."""
        request = self._request
        if request is None or request.sent_at is None:
            return
        if request.claimed not in connection.wanted:
            request.claimed = connection.wanted[0] if connection.wanted else None
        if request.claimed is None:
            request.sent_at = None
            return
        connection.ours.add(request.claimed)
        connection.taken_ns[request.claimed] = int(request.sent_at * 1e9)
        request.sent_at = time.monotonic()

    # -- what the camera says

    def _status(self, status: bodies.Status) -> None:
        known = {
            "battery_percent": status.battery_percent,
            "clock_offset_s": status.clock_offset_s,
            "free_images": status.free_images,
            "shutter_count": status.shutter_count,
        }
        self._watch.knows(**{name: value for name, value in known.items() if value is not None})
        if status.free_images == 0:
            self._trouble("full")
        elif status.free_images and self._has_trouble("full"):
            self._watch.well()

    def _added(self, connection: _Connection, entry: bodies.Entry, monotonic_ns: int) -> None:
        if entry in connection.seen:
            return
        connection.seen.add(entry)
        if entry.raw and entry.stem not in {seen.stem for seen in connection.seen if seen.jpeg}:
            connection.raw_alone[entry.stem] = time.monotonic() + self._limits.raw_alone_s
        if not entry.jpeg:
            return
        connection.raw_alone.pop(entry.stem, None)
        connection.taken_ns[entry] = monotonic_ns
        request = self._request
        if request and request.sent_at is not None and request.claimed is None:
            request.claimed = entry
            connection.ours.add(entry)
            connection.wanted.appendleft(entry)
        else:
            connection.wanted.append(entry)

    async def _file(self, connection: _Connection, entry: bodies.Entry, content: bytes) -> None:
        connection.fetching = None
        if not _whole(entry, content):
            self._not_whole(connection, entry)
            return
        assert connection.identity is not None  # noqa: S101 -- files come after the greeting
        serial, numbered = connection.identity.serial, connection.identity.numbered
        count = await asyncio.to_thread(self._memory.number, serial, entry, numbered=numbered)
        taken_ns, lag_ns = self._taken(connection, entry)
        connection.frames += 1
        raw = any(other.raw and other.stem == entry.stem for other in connection.seen)
        self._watch.knows(frames=self._memory.total, files="RAW+JPEG" if raw else "JPEG")
        self._arrive(hardware.Exposure(content, serial, count, taken_ns, lag_ns, raw), entry)

    def _taken(self, connection: _Connection, entry: bodies.Entry) -> tuple[int, int]:
        """When the file was told of, and how long before that it may have been taken: at most since we heard last."""
        assert connection.identity is not None  # noqa: S101 -- files come after the greeting
        lag_ns = connection.identity.lag_ms * 1_000_000
        told_ns = connection.taken_ns.pop(entry, None)
        if told_ns is not None:
            return told_ns, 0 if entry in connection.ours else lag_ns
        now_ns = time.monotonic_ns()
        return now_ns, now_ns - connection.away_since_ns + lag_ns

    def _arrive(self, exposure: hardware.Exposure, entry: bodies.Entry) -> None:
        self._waiting[exposure.frame_counter] = (exposure, entry)
        request = self._request
        if request and request.claimed == entry and not request.answer.done():
            request.answer.set_result(exposure)
        else:
            self._arrival.set()
        if self._has_trouble("empty", "raw_only", "focus", "full", "frozen"):
            self._watch.well()

    def _not_whole(self, connection: _Connection, entry: bodies.Entry) -> None:
        """Perhaps the camera still writes: ask again, a few times; then the operator must."""
        tries = connection.tries[entry] = connection.tries.get(entry, 0) + 1
        if tries < _FETCH_TRIES:
            connection.wanted.appendleft(entry)
            connection.fetch_again_at = time.monotonic() + self._limits.first_pause_s * 2 ** (tries - 1)
            return
        self._trouble("empty", file=entry.name)
        if self._request and self._request.claimed == entry:
            self._give_back()

    def _fault(self, fields: dict[str, str]) -> None:
        error: bodies.Fault = fields["fault"]  # type: ignore[assignment]
        if error not in bodies.PASSING:
            raise Lost(error, fields["holder"])
        if fields.get("step") == "preview":
            self._blind = True
            self._fail_preview(CODES[error])
            return
        self._trouble(error)
        request = self._request
        if error == "focus" and request and not request.focus_tried:
            request.focus_tried, request.sent_at = True, None  # once more: it often hunts once
        elif request:
            self._give_back()

    # -- what we ask of it

    async def _pursue(self) -> None:
        """Send a press that was not sent, if there is somebody to send it to and nothing older is under way."""
        request, connection = self._request, self._connection
        if request is None or request.sent_at is not None or request.answer.done():
            return
        if connection is None or connection.identity is None or self._behind():
            return
        request.sent_at = time.monotonic()
        await self._ask("trigger")

    async def _fetch_next(self) -> None:
        connection = self._connection
        if connection is None or connection.fetching or not connection.wanted:
            return
        if len(self._waiting) >= _AT_HAND or time.monotonic() < connection.fetch_again_at:
            return
        entry = connection.fetching = connection.wanted.popleft()
        fields = {"folder": entry.folder, "name": entry.name, "size": entry.size, "modified": entry.modified}
        await self._ask("fetch", fields)

    async def _ask(self, what: str, fields: dict[str, Any] | None = None) -> None:
        if self._connection is None:
            return
        try:
            await self._connection.link.send(wire.Message(what, fields or {}))
        except Lost:
            return  # whoever reads from it finds out, and looks after it

    def _behind(self) -> int:
        """Pictures that are on the card and not here, other than the one that a press waits for."""
        connection = self._connection
        if connection is None:
            return 0
        older = [*connection.wanted, *([connection.fetching] if connection.fetching else [])]
        return len([entry for entry in older if not (self._request and self._request.claimed == entry)])

    # -- when it does not

    def _keep_time(self, connection: _Connection) -> None:
        now, request = time.monotonic(), self._request
        if request and request.sent_at and not request.claimed and now - request.sent_at > self._limits.no_frame_s:
            raise Lost("frozen")
        for stem in [stem for stem, until in connection.raw_alone.items() if now > until]:
            del connection.raw_alone[stem]
            self._trouble("raw_only", file=stem.rpartition("/")[2])
            self._give_back()

    def _lost(self, connection: _Connection, lost: Lost) -> None:
        match lost.fault:
            case "frozen":
                self._trouble("frozen", frames=connection.frames)
            case "busy":
                self._trouble("busy", holder=lost.holder or "?")
            case _:
                self._trouble(lost.fault)

    def _trouble(self, fault: bodies.Fault, **params: str | int) -> None:
        self._watch.troubled(fault, CODES[fault], **params)

    def _has_trouble(self, *faults: bodies.Fault) -> bool:
        trouble = self._watch.trouble
        return trouble is not None and trouble.fault in faults

    def _give_back(self) -> None:
        """Only a person can help: tell at once, instead of when the patience ends."""
        if self._request and not self._request.answer.done():
            self._request.answer.set_exception(self._watch.problem("camera-opening"))

    def _no_frame(self) -> Unavailable:
        if self._watch.trouble:
            return self._watch.problem("camera-opening")
        return Unavailable("camera-no-frame", seconds=int(self._limits.patience_s))

    def _fail_preview(self, code: str = "camera-opening") -> None:
        if self._preview is not None:
            self._preview.set_exception(Unavailable(code))
            self._preview.exception()  # nobody may be waiting any more
            self._preview = None


def _whole(entry: bodies.Entry, content: bytes) -> bool:
    return len(content) == entry.size and content.startswith(b"\xff\xd8") and _END in content
