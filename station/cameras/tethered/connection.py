"""One connection while it lasts: what the camera says is taken in, and what the desk wants is asked of it."""

import time
from typing import Any

from kit import logs
from kit.errors import Unavailable
from station.cameras.tethered import bodies, troubles, wire
from station.cameras.tethered.intake import Intake
from station.cameras.tethered.limits import Limits
from station.cameras.tethered.link import Link, Lost
from station.cameras.tethered.memory import Memory
from station.cameras.tethered.tray import Tray
from station.ports import hardware

#: So many pictures lie in memory while nobody takes them in; the others wait on the card.
_AT_HAND = 6


class Connection:
    """Serves until it is lost."""

    def __init__(self, link: Link, memory: Memory, tray: Tray, told: troubles.Troubles, limits: Limits) -> None:
        self._link, self._memory, self._tray, self._troubles, self._limits = link, memory, tray, told, limits
        self._identity: bodies.Identity | None = None
        self._intake: Intake | None = None
        self._blind = False
        #: What was wrong before and is not over by opening, and when it is if the camera goes on answering.
        self._former_trouble: hardware.Trouble | None = None
        self._believed_at = 0.0
        #: How many pictures it has given.
        self.frames = 0

    @property
    def identity(self) -> bodies.Identity | None:
        """Which camera is connected; None while it is being opened, and afterwards."""
        return self._identity

    @property
    def live_view(self) -> bool:
        """Whether the body has it, as far as it says and has not refused it."""
        return self._identity is not None and self._identity.live_view and not self._blind

    async def serve(self) -> None:
        """Hear the camera out. Raises Lost."""
        while True:
            patience_s = self._limits.silence_s if self._identity else self._limits.opening_s
            message = await self._link.receive(patience_s)
            await self._hear(message)
            self._keep_time()
            await self.fetch_next()
            await self.pursue()

    async def end(self) -> None:
        """Let the camera go."""
        self._identity = self._intake = None
        self._tray.show_none()
        await self._link.end()

    # -- what we ask of it

    async def pursue(self) -> None:
        """Send a press that was not sent, if there is somebody to send it to and nothing older is under way."""
        press = self._tray.press
        if press is None or press.sent_at is not None or press.answer.done():
            return
        if self._intake is None or self.behind():
            return
        if len(self._tray):  # they came while the press waited: who they are of is looked at first
            press.give_back(Unavailable("camera-frames-waiting", count=len(self._tray)))
            return
        press.sent_at = time.monotonic()
        await self.ask("trigger")

    async def fetch_next(self) -> None:
        """Ask for the next picture, unless enough of them wait for the desk."""
        if self._intake is None or len(self._tray) >= _AT_HAND:
            return
        entry = self._intake.fetch_next()
        if entry is not None:
            fields = {"folder": entry.folder, "name": entry.name, "size": entry.size, "modified": entry.modified}
            await self.ask("fetch", fields)

    async def ask(self, what: str, fields: dict[str, Any] | None = None) -> None:
        """Ask for something, if anybody listens."""
        try:
            await self._link.send(wire.Message(what, fields or {}))
        except Lost:
            return  # whoever reads from it finds out, and looks after it

    def behind(self) -> int:
        """Pictures that are on the card and not here, other than the one that a press waits for."""
        return self._intake.behind() if self._intake else 0

    # -- what it says

    async def _hear(self, message: wire.Message) -> None:
        match message.says:
            case "open":
                await self._opened(message)
            case "status":
                self._status(bodies.Status(**message.fields))
            case "added" if self._intake is not None:
                await self._added(self._intake, message)
            case "file" if self._intake is not None:
                await self._file(self._intake, message)
            case "alive" if self._identity is not None:
                self._tray.sightings.listened(self._identity.serial, message.fields["looked_ns"])
                self._believe()
            case "preview":
                self._tray.show(message.payload)
            case "fault":
                self._fault(message.fields)

    async def _opened(self, message: wire.Message) -> None:
        identity = bodies.Identity(**message.fields)
        pause_s = self._limits.first_pause_s
        intake = Intake(self._memory, self._tray, identity, pause_s=pause_s)
        wanted = await intake.open(wire.entries(message.payload))
        self._identity, self._intake = identity, intake
        self._troubles.watch.knows(serial=identity.serial, model=identity.model)
        self._believed_at = time.monotonic() + self._limits.believed_s
        self._former_trouble = self._troubles.still_after_opening()
        if self._tray.press:
            intake.claim(self._tray.press)
        logs.get().info("camera.open", model=identity.model, new_on_card=wanted)

    def _status(self, status: bodies.Status) -> None:
        known = {
            "battery_percent": status.battery_percent,
            "clock_offset_s": status.clock_offset_s,
            "free_images": status.free_images,
            "shutter_count": status.shutter_count,
        }
        self._troubles.watch.knows(**{name: value for name, value in known.items() if value is not None})
        if status.free_images == 0:
            self._troubles.tell("full")
        elif status.free_images:
            self._troubles.over("full")

    async def _added(self, intake: Intake, message: wire.Message) -> None:
        entry = wire.entry(message.fields)
        await intake.added(entry, message.fields["told_ns"], message.fields["looked_ns"], self._limits.raw_alone_s)
        if entry.raw and intake.with_raw(entry):
            self._troubles.watch.knows(files="RAW+JPEG")

    async def _file(self, intake: Intake, message: wire.Message) -> None:
        asked = wire.entry(message.fields)
        match await intake.came(asked, wire.entry(message.fields["now"]), message.payload):
            case "whole":
                self.frames += 1
                files = "RAW+JPEG" if intake.with_raw(asked) else "JPEG"
                self._troubles.watch.knows(frames=self._memory.total, files=files)
                self._troubles.watch.well()
            case "given_up":
                self._troubles.tell("empty", file=asked.name)
                self._give_back(asked)

    def _fault(self, fields: dict[str, str]) -> None:
        error: bodies.Fault = fields["fault"]  # type: ignore[assignment]
        step = fields["step"]
        if not step or error not in bodies.PASSING:  # nothing was asked for: the driver has ended by it
            raise Lost(error, fields["holder"])
        if step == "preview":
            self._blind = True
            self._tray.show_none(troubles.PREVIEW_CODES.get(error, troubles.CODES[error]))
            return
        if step == "fetch" and self._intake is not None:
            self._refused(self._intake, error)
            return
        self._troubles.tell(error)
        press = self._tray.press
        if error == "focus" and press and not press.focus_tried:
            press.focus_tried, press.sent_at = True, None  # once more: it often hunts once
        elif press:
            press.give_back(self._troubles.problem())

    def _refused(self, intake: Intake, error: bodies.Fault) -> None:
        asked, came = intake.refused()
        if error == "full":  # the card is out of reach, perhaps for a moment: its door was opened
            self._troubles.tell(error)
        elif came == "given_up":
            self._troubles.tell("empty", file=asked.name)
        if came == "given_up":
            self._give_back(asked)
            if error == "full":
                raise Lost(error)  # the next connection finds what lies on the card by then

    def _believe(self) -> None:
        """A camera that hangs at each shutter answers until the next one: it is well by a picture, or in a while."""
        if self._former_trouble is not None and time.monotonic() >= self._believed_at:
            if self._troubles.watch.trouble is self._former_trouble:
                self._troubles.watch.well()
            self._former_trouble = None

    def _give_back(self, asked: bodies.Entry) -> None:
        press = self._tray.press
        if press and press.claimed and press.claimed.place == asked.place:
            press.give_back(self._troubles.problem())

    def _keep_time(self) -> None:
        now, press = time.monotonic(), self._tray.press
        if press and press.sent_at and not press.claimed and now - press.sent_at > self._limits.no_frame_s:
            raise Lost("frozen")
        for name in self._intake.raws_left_alone() if self._intake else ():
            self._troubles.tell("raw_only", file=name)
            if press:
                press.give_back(self._troubles.problem())
