"""The capture days: every desk's crew works through its slots, with students as they really are."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cli.demo import desks, school
from cli.demo.noise import Noise, Trouble
from cli.demo.population import Student
from cli.stack import clock
from cli.stack.stack import Stack

#: How many students hold a 拍摄号 and wait: enough that the chair is never empty.
_WAITING = 4
_RETAKES = 3

Step = Callable[[], None]


class Conductor:
    """Moves the simulated clock: when every desk waits for its next slot, the time jumps to the earliest of them."""

    def __init__(self, stack: Stack, speed: float) -> None:
        self._path = stack.layout.clock
        self._speed = speed
        self._players = 0
        self._waiting: dict[asyncio.Future[None], float] = {}

    def enter(self) -> None:
        self._players += 1

    def leave(self) -> None:
        self._players -= 1
        self._maybe_jump()

    def jump(self, moment: datetime) -> None:
        """Set the stack's clock forward to `moment`; never back."""
        if moment.timestamp() > clock.now(self._path):
            clock.set_to(self._path, moment.timestamp(), self._speed)

    async def reach(self, moment: datetime) -> None:
        """Return once the stack's clock shows `moment` or later."""
        if clock.now(self._path) >= moment.timestamp():
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = moment.timestamp()
        self._maybe_jump()
        try:
            await waiter
        finally:
            self._waiting.pop(waiter, None)

    def _maybe_jump(self) -> None:
        if self._waiting and len(self._waiting) >= self._players:
            earliest = min(self._waiting.values())
            self.jump(datetime.fromtimestamp(earliest).astimezone())
            for waiter in [w for w, at in self._waiting.items() if at <= earliest]:
                del self._waiting[waiter]
                waiter.set_result(None)


@dataclass(frozen=True)
class Slot:
    """One class at one desk."""

    label: str
    starts_at: datetime
    students: tuple[Student, ...]


@dataclass
class Truth:
    """What really happened, as somebody standing in the hall saw it: the yardstick for what the system says."""

    #: capture id → 学号 of who sat before the lens.
    sat: dict[str, str] = field(default_factory=dict)
    #: 学号 → capture id of the frame that was kept.
    kept: dict[str, str] = field(default_factory=dict)
    troubles: dict[str, int] = field(default_factory=dict)

    def count(self, trouble: str) -> None:
        self.troubles[trouble] = self.troubles.get(trouble, 0) + 1


class Crew:
    """The operator and the photographer of one desk, and the students before them."""

    def __init__(
        self, desk: desks.Desk, slots: Sequence[Slot], noise: Noise, truth: Truth, people: school.School, on_done: Step
    ) -> None:
        self.desk = desk
        self.slots = slots
        self.noise = noise
        self.truth = truth
        self.people = people
        self.on_done = on_done
        self.latecomers: list[Student] = []
        self._issued: dict[str, float] = {}
        #: Numbers over whom another was let pass: their turn is whenever they come.
        self._passed: set[str] = set()

    async def work(
        self, conductor: Conductor, before: Callable[[Slot], Awaitable[None]], after: Callable[[Slot], Awaitable[None]]
    ) -> None:
        """All slots in their order; who came late is taken after the last one of the day."""
        for place, slot in enumerate(self.slots):
            await conductor.reach(slot.starts_at)
            started = time.monotonic()
            await before(slot)
            await self._class(slot)
            if self._last_of_day(place):
                await self._late()
            self.desk.busy_s += time.monotonic() - started
            await after(slot)

    def _last_of_day(self, place: int) -> bool:
        following = self.slots[place + 1].starts_at if place + 1 < len(self.slots) else None
        return following is None or following.date() != self.slots[place].starts_at.date()

    async def _class(self, slot: Slot) -> None:
        coming = deque(s for s in slot.students if self._comes(s))
        waiting: deque[tuple[Student, str]] = deque()
        while coming or waiting:
            while coming and len(waiting) < _WAITING:
                await self._arrive(coming.popleft(), waiting)
            await self._next(waiting)

    def _comes(self, student: Student) -> bool:
        trouble = self.noise.trouble(student)
        if trouble is Trouble.LATE:
            self.latecomers.append(student)
        if trouble is Trouble.ABSENT:
            self.on_done()
        if trouble in (Trouble.LATE, Trouble.ABSENT):
            self.truth.count(trouble)
        return trouble not in (Trouble.LATE, Trouble.ABSENT)

    async def _late(self) -> None:
        late, self.latecomers = self.latecomers, []
        for student in late:
            ticket = await self._check_in(student)
            if ticket:
                await self._shoot(student, ticket, expected=True)

    # -- check-in

    async def _arrive(self, student: Student, waiting: deque[tuple[Student, str]]) -> None:
        ticket = await self._check_in(student)
        if ticket is None:
            self.on_done()
            return
        trouble = self.noise.trouble(student)
        if trouble in (Trouble.WALK_OFF, Trouble.WALK_OFF_FOR_GOOD):
            await self._walk_off(student, ticket, trouble)
        elif trouble is Trouble.QUEUE_JUMP and waiting:
            self.truth.count(trouble)
            waiting.appendleft((student, ticket))
        else:
            waiting.append((student, ticket))

    async def _check_in(self, student: Student) -> str | None:
        """Scan the code, or have the registrar find who forgot it; None where the desk does not take the student."""
        door = self.desk.door
        trouble = self.noise.trouble(student)
        if trouble is Trouble.FORGOTTEN_CODE:
            self.truth.count(trouble)
            student_id = await self.people.find_student(student.student_no)
            answer = await door.post("/v1/checkins/manual", {"student_id": student_id, "reason": "forgotten_code"})
        else:
            answer = await self._scan(student)
        if trouble is Trouble.DOUBLE_SCAN:
            self.truth.count(trouble)
            again = await door.post("/v1/checkins", {"scan": student.scan})
            if again["ticket"] != answer["ticket"]:
                raise RuntimeError("重复扫码得到另一个拍摄号 a double scan gave another ticket")
        if answer["ticket"]:
            self._issued.setdefault(answer["ticket"], time.monotonic())
        return str(answer["ticket"]) if answer["ticket"] else None

    async def _scan(self, student: Student) -> dict[str, str]:
        """Scan until the desk knows the code: a walk-in's comes with the next desk pack."""
        for _ in range(240):
            answer: dict[str, str] = await self.desk.door.post("/v1/checkins", {"scan": student.scan})
            if answer["outcome"] != "unknown_code":
                return answer
            await asyncio.sleep(0.25)
        raise RuntimeError(f"台站 {self.desk.code} 不认识该码 the desk does not know a code that is registered")

    async def _walk_off(self, student: Student, ticket: str, trouble: Trouble) -> None:
        self.truth.count(trouble)
        await self.desk.door.post(f"/v1/tickets/{ticket}/release", {"reason": "walked_off"})
        if trouble is Trouble.WALK_OFF:
            self.latecomers.append(student)
        else:
            self.on_done()

    # -- the chair

    async def _next(self, waiting: deque[tuple[Student, str]]) -> None:
        if not waiting:
            return
        student, ticket = waiting.popleft()
        await self._shoot(student, ticket, expected=not self._before(ticket, waiting))

    def _before(self, ticket: str, waiting: deque[tuple[Student, str]]) -> list[str]:
        """Who waits longer, and over whom nobody was let pass before."""
        return [t for _, t in waiting if self._issued[t] < self._issued[ticket] and t not in self._passed]

    async def _shoot(self, student: Student, ticket: str, *, expected: bool) -> None:
        door = self.desk.door
        state = await door.post("/v1/seat", {"ticket": ticket})
        if state.get("drift"):
            self._passed.add(state["drift"]["expected"])
            await door.post("/v1/drift/resolve", {"drift_id": state["drift"]["drift_id"], "resolution": "seen"})
        elif not expected:
            raise RuntimeError("插队未被察觉 a queue-jump was not noticed")
        for attempt in range(_RETAKES + 1):
            self.desk.sit_down(student.face + attempt, self.noise.flaw(student) if attempt == 0 else None)
            answer = await self._shutter(student, ticket, attempt)
            if await self._decide(student, answer, attempt):
                break
        self.desk.done += 1
        self.on_done()

    async def _shutter(self, student: Student, ticket: str, attempt: int) -> dict[str, object]:
        started = time.monotonic()
        answer: dict[str, object] = await self.desk.door.post("/v1/shutter")
        now = time.monotonic()
        self.truth.sat[str(answer["capture_id"])] = student.student_no
        waited = started - self._issued[ticket] if attempt == 0 else 0.0
        self.desk.note_verdict(answer, waited, now - started)
        return answer

    async def _decide(self, student: Student, answer: dict[str, object], attempt: int) -> bool:
        """Keep what meets the standard; take the rest again. True when this student is done."""
        keep = answer["verdict"] == "accept" or (attempt == _RETAKES and answer["verdict"] == "review")
        decision = {"capture_id": answer["capture_id"], "decision": "keep" if keep else "retake"}
        await self.desk.door.post("/v1/decision", decision)
        if not keep:
            self.desk.retakes += 1
            return False
        self.truth.kept[student.student_no] = str(answer["capture_id"])
        return True
