"""A desk in memory: a camera that obeys, a spool and a journal that only remember."""

import asyncio
import itertools
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from gradphoto_contracts import ids
from kit import crypto
from kit import ids as new_ids
from kit.errors import NotFound, Problem, Unavailable
from station import devices
from station.domain import facts, outgoing
from station.domain.desk import Desk
from station.domain.pack import Entry, Pack
from station.handlers import frames, queue
from station.ports import hardware, keeping, verdicts, workplace
from tests.unit.station.patience import until

START = datetime(2024, 3, 20, 8, 0, tzinfo=UTC)
CODE_KEY = bytes(32)
CLASS_ID = ids.ClassId(new_ids.new())
OTHER_CLASS_ID = ids.ClassId(new_ids.new())


class Clock:
    """Moves when told to."""

    def __init__(self) -> None:
        self.time = START
        self.offset_s = 0.0

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Journal:
    """Remembers; refuses facts of the kind `full_for`, as a disk that fills up at just that moment."""

    def __init__(self) -> None:
        self.facts: list[facts.Fact] = []
        self.messages: list[outgoing.Message] = []
        self.full_for: str | None = None

    async def history(self) -> list[facts.Fact]:
        return list(self.facts)

    async def append(self, happened: Sequence[facts.Fact], messages: Sequence[outgoing.Message]) -> None:
        if any(fact.kind == self.full_for for fact in happened):
            raise Unavailable("station-disk-full")
        self.facts += happened
        self.messages += messages

    async def ready(
        self, limit: int, refused: Collection[int], resting: Collection[int], held: Collection[str]
    ) -> list[keeping.Pending]:
        return []

    @property
    def unreadable(self) -> int:
        return 0

    async def received(
        self, pending: keeping.Pending, answer: dict[str, Any], at: datetime, happened: Sequence[facts.Fact]
    ) -> bool:
        return True

    async def answer(self, kind: outgoing.Kind, key: UUID) -> dict[str, Any] | None:
        return {"stored_frames": 0, "missing": [], "balanced": True}

    async def backlog(self) -> int:
        return len(self.messages)

    async def head(self) -> tuple[int, str, bool]:
        return len(self.facts), "00" * 32, True


class Spool:
    """Frames in a dict; `full` as a full disk."""

    def __init__(self) -> None:
        self.frames: dict[ids.CaptureId, tuple[facts.FrameJournalled, bytes]] = {}
        self.full = False

    def demand_room(self) -> None:
        if self.full:
            raise Unavailable("station-disk-full")

    async def put(self, frame: facts.FrameJournalled, jpeg: bytes) -> None:
        self.demand_room()
        self.frames[frame.capture_id] = (frame, jpeg)

    async def get(self, capture_id: ids.CaptureId) -> bytes:
        if capture_id not in self.frames:
            raise NotFound("spool-frame-missing", capture_id=str(capture_id))
        return self.frames[capture_id][1]

    async def held(self) -> list[ids.CaptureId]:
        return list(self.frames)

    async def label(self, capture_id: ids.CaptureId) -> facts.FrameJournalled:
        return self.frames[capture_id][0]

    async def wipe(self, capture_id: ids.CaptureId) -> None:
        self.frames.pop(capture_id, None)


class Camera(devices.AlwaysReady):
    """Takes pictures of nothing, keeps them until acknowledged. `skip` frames are taken and never delivered."""

    def __init__(self, *, photographer_fires: bool = False) -> None:
        self.serial = "cam-1"
        self.photographer_fires = photographer_fires
        self.card: dict[int, hardware.Exposure] = {}
        self.count = 0
        self.lag_ns = 0
        self.heard_ns: int | None = None
        self.broken = False
        self.hangs: asyncio.Event | None = None
        self.picture: bytes | None = None
        self.pairs: list[hardware.FrameKey] = []

    def fire(self, heard_ns: int | None = None) -> hardware.Exposure:
        self.count += 1
        heard_ns = heard_ns or self.heard_ns or time.monotonic_ns()
        jpeg = self.picture or f"jpeg {self.count}".encode()
        exposure = hardware.Exposure(jpeg, self.serial, self.count, heard_ns, self.lag_ns)
        self.card[self.count] = exposure
        return exposure

    def skip(self, frames: int) -> None:
        self.count += frames

    async def shutter(self) -> hardware.Exposure:
        if self.hangs:
            await self.hangs.wait()
        if self.broken:
            raise Unavailable("camera-no-frame", seconds=15)
        return self.fire()

    async def waiting(self) -> list[hardware.Exposure]:
        return list(self.card.values())

    async def acknowledge(self, exposure: hardware.Exposure) -> None:
        self.card.pop(exposure.frame_counter, None)

    async def raw_pairs(self) -> list[hardware.FrameKey]:
        return list(self.pairs)

    async def raw_noted(self, key: hardware.FrameKey) -> None:
        self.pairs.remove(key)

    async def frames_taken(self) -> int:
        return self.count


class Inspector:
    """Says what it is told to say."""

    def __init__(self) -> None:
        self.verdict: facts.Verdict = "accept"
        self.inspections = itertools.count()

    async def inspect(self, jpeg: bytes, profile: str) -> verdicts.Judgement:
        next(self.inspections)
        finding = verdicts.Finding("P2", self.verdict, "眼睛位置", "eyes", "抬头", "chin up")
        return verdicts.Judgement(self.verdict, profile, () if self.verdict == "accept" else (finding,))


class Packs:
    """A pack of students whose codes are `scan-<n>`."""

    def __init__(self, students: Sequence[ids.StudentId]) -> None:
        self.entries = {
            student_id: Entry(
                student_id=student_id,
                class_id=CLASS_ID,
                digest=crypto.digest_with(CODE_KEY, "capture_code", f"scan-{place}"),
            )
            for place, student_id in enumerate(students)
        }
        self.as_of: datetime | None = START
        self.hurried = 0
        self.next_ticket = 1
        self.missing = False
        self.face_consent = ""
        self.seat_proof = "called"
        self.lingering_s: float | None = None
        self.trouble: Problem | None = None

    def change(self, student_id: ids.StudentId, **changes: Any) -> None:
        self.entries[student_id] = self.entries[student_id].model_copy(update=changes)

    def current(self) -> Pack:
        if self.missing:
            raise Unavailable("desk-pack-missing")
        return Pack.model_validate(
            {
                "version": 1,
                "issued_at": START,
                "expires_at": START + timedelta(days=3),
                "campaign_id": new_ids.new(),
                "identity_mode": "capture_code",
                "campaign_code_key": CODE_KEY.hex(),
                "photo": {"profile": "chsi-2017-99", "retake_limit": 2, **self._policy()},
                "desk": {"desk_id": new_ids.new(), "code": "A", "next_ticket": self.next_ticket},
                "classes": [{"class_id": CLASS_ID, "label": "2024-1"}],
                "entries": list(self.entries.values()),
            }
        )

    def _policy(self) -> dict[str, Any]:
        policy = {"face_consent": self.face_consent, "seat_proof": self.seat_proof}
        return {**policy, "lingering_s": self.lingering_s}

    def find(self, scan: str) -> Entry | None:
        digest = crypto.digest_with(CODE_KEY, "capture_code", scan)
        return next((entry for entry in self.entries.values() if entry.digest == digest), None)

    def entry(self, student_id: ids.StudentId) -> Entry | None:
        return self.entries.get(student_id)

    def hurry(self) -> None:
        self.hurried += 1


class Bench:
    """A desk with everything fake beside it. `restart` forgets the memory and keeps what was durable."""

    def __init__(self, students: int = 6, *, photographer_fires: bool = False) -> None:
        self.students = [ids.StudentId(new_ids.new()) for _ in range(students)]
        self.journal, self.spool, self.clock = Journal(), Spool(), Clock()
        self.camera, self.inspector = Camera(photographer_fires=photographer_fires), Inspector()
        self.packs = Packs(self.students)
        self.work = self.restart()

    def restart(self) -> workplace.Work:
        self.work = workplace.Work(
            desk=Desk("A", self.journal.facts),
            journal=self.journal,
            spool=self.spool,
            camera=self.camera,
            inspector=self.inspector,
            packs=self.packs,
            clock=self.clock,
            new_id=new_ids.new,
            happened=lambda _fact: None,
            wake_uplink=lambda: None,
        )
        return self.work

    @property
    def desk(self) -> Desk:
        return self.work.desk

    async def die_at_the_camera(self) -> None:
        """The shutter is pressed, and the agent is killed before it hears of the picture that is then taken."""
        self.camera.hangs = asyncio.Event()
        pressing = asyncio.create_task(frames.press_shutter(self.work))
        await until(lambda: self.work.exposing)
        pressing.cancel()
        await asyncio.wait({pressing})
        self.camera.hangs = None
        self.camera.fire()
        self.restart()

    async def answer(self, resolution: facts.Resolution) -> None:
        """The operator answers the drift that is shown."""
        await queue.resolve_drift(self.work, shown(self.desk), resolution, None)


def shown(desk: Desk) -> ids.DriftId:
    """The drift that the operator is asked about; one that nobody knows, where there is none."""
    return desk.drift.drift_id if desk.drift else ids.DriftId(new_ids.new())
