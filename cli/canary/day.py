"""A capture-code day of people who do not exist: roster, codes, plan, a hall of two desks, and what goes wrong."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from cli import scenario as scenarios
from cli.canary import aftermath, forms
from cli.demo import desks, doors, population, school
from cli.stack import clock
from cli.stack.stack import Stack
from kit import ids

SCENARIO = "xinjiang-2024"
#: So many are photographed at most, and for so long; some are turned away, since their class's day is another.
PHOTOS = 300
_PHOTOGRAPHING_S = 300.0
#: So many more without network, each at its place in the first class: the spools still hold them in the end.
OFFLINE = 2
#: How many desks share the hall's queue.
DESKS = 2
_PATIENCE_S = 600


@dataclasses.dataclass
class Day:
    """One day on one stack. `canaries` are all words that were planted, from the first workbook to the last scan."""

    stack: Stack
    students: int
    canaries: list[forms.Canary] = dataclasses.field(default_factory=list)
    #: The pieces of the workbooks that were uploaded.
    pieces: list[forms.Form] = dataclasses.field(default_factory=list)
    #: Reasons with a name in them that were read back by somebody who may.
    told: int = 0
    photographed: int = 0
    #: Who was turned away at check-in.
    turned_away: int = 0
    #: Messages that a dead desk's stick brought.
    carried: int = 0

    def __post_init__(self) -> None:
        scenario = _with_a_hall(scenarios.load(SCENARIO))
        size = min(self.students, scenario.students.total)
        self.people = school.School(self.stack, scenario, heal=None)
        self.fleet = desks.Fleet(self.stack, self.people.doors["capture"], "virtual", heal=None, hall=True)
        self.crowd = _crowd(scenario, size)
        self._plant(self.crowd)
        self.dead: desks.Desk | None = None

    async def close(self) -> None:
        """Close all connections."""
        await self.fleet.close()
        await self.people.close()

    async def play(self) -> None:
        """From the campaign's opening to a desk without network."""
        start = self.people.scenario.first_day
        clock.set_to(self.stack.layout.clock, start.timestamp(), 1.0)
        await self.people.open_campaign()
        await self._upload_with_faults()
        await self._upload()
        await self.people.register_codes(self.crowd)
        plan = await self.people.publish_plan({student.label for student in self.crowd})
        hall = [row for row in plan["desks"] if row["group_code"] == "A"]
        await self.fleet.set_up(self.people.campaign_id, {"desks": hall})
        for desk in self.hall:
            await self.fleet.wait_for_pack(desk, len(self.crowd))
        await self._until("the desks hear each other", self._together)
        await self._work()

    @property
    def hall(self) -> list[desks.Desk]:
        """The desks, by their codes."""
        return [self.fleet.desks[code] for code in sorted(self.fleet.desks)]

    @property
    def desk(self) -> desks.Desk:
        """The first of them."""
        return self.hall[0]

    async def _together(self) -> bool:
        states = [(await desk.door.get("/v1/state"))["hall"] for desk in self.hall]
        return sorted(hall["part"] for hall in states) == ["hub", *["member"] * (DESKS - 1)]

    async def _until(self, what: str, so: Callable[[], Awaitable[bool]]) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not await so():  # noqa: ASYNC110 - doors can only be asked
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise RuntimeError(f"未能做到 did not come true: {what}") from None

    # -- the registrar

    async def _upload_with_faults(self) -> None:
        """A workbook with numbers that are wrong by a digit is refused, and shown with its faults."""
        wrong = [_misspelt(student) for student in self.crowd[:20]]
        self._plant(wrong)
        path = self.stack.layout.root / "faulty.xlsx"
        await asyncio.to_thread(population.write_workbook, path, wrong)
        door = self.people.doors["roster"]
        preview = await door.upload(f"/v1/campaigns/{self.people.campaign_id}/imports", path)
        if not preview["errors"]:
            raise RuntimeError("错误的身份证号没有被发现 wrong ID numbers went unseen")
        self._take_home(path)

    async def _upload(self) -> None:
        path = self.stack.layout.root / "roster.xlsx"
        await asyncio.to_thread(population.write_workbook, path, self.crowd)
        await self.people.import_roster(path)
        await self.people.learn_ids()
        self._take_home(path)

    def _take_home(self, path: Path) -> None:
        """The registrar's own copy is not ours to look at; its bytes are."""
        self.pieces += forms.of_file(path.read_bytes())
        path.unlink()

    # -- the desk

    async def _work(self) -> None:
        here = [student for student in self.crowd if student.label == self.crowd[0].label]
        by_hand, passed, other, late, *offline = here[: 4 + OFFLINE]
        apart = {student.student_no for student in here[: 4 + OFFLINE]}
        await self._photograph_many([student for student in self.crowd[:-1] if student.student_no not in apart])
        await self._forget_the_code(by_hand)
        await self._ask_wrongly()
        overridden = await self._override(passed)
        await self.fleet.wait_drained()
        await self._explain(overridden, passed, other)
        await self._read_back(overridden, passed, by_hand)
        await self._settle(passed)
        for desk in self.hall:
            await desk.door.post("/v1/network", {"online": False})
        for place, student in enumerate(offline):
            await self._photograph(student, place)
        for desk in self.hall:
            await self._forget_the_code(late, desk)
        self.dead = self.hall[-1]
        self.carried = await aftermath.carry_away(self.stack, self.people.doors["capture"], self.dead)

    async def _photograph_many(self, students: list[population.Student]) -> None:
        until = time.monotonic() + _PHOTOGRAPHING_S
        for student in students:
            if self.photographed >= PHOTOS or time.monotonic() > until:
                return
            if await self._photograph(student, self.photographed):
                self.photographed += 1
            else:
                self.turned_away += 1

    async def _photograph(self, student: population.Student, place: int) -> bool:
        """Checked in at one desk, called and photographed at the next: they share one queue. False: turned away."""
        checked_in_at, seat = self.hall[place % DESKS], self.hall[(place + 1) % DESKS]
        ticket = (await checked_in_at.door.post("/v1/checkins", {"scan": student.scan}))["ticket"]
        if ticket is None:
            return False
        shot = await self._shoot(seat, student, ticket)
        await seat.door.post("/v1/decision", {"capture_id": shot["capture_id"], "decision": "keep"})
        return True

    async def _shoot(self, desk: desks.Desk, student: population.Student, ticket: str) -> dict[str, Any]:
        async def called() -> bool:
            with contextlib.suppress(doors.Refused):  # the other desk's word of the number is on its way
                return bool((await desk.door.post("/v1/seat", {"ticket": ticket}))["seated"] == ticket)
            return False

        await self._until("the number is called", called)
        desk.sit_down(student.face, None)
        shot: dict[str, Any] = await desk.door.post("/v1/shutter")
        return shot

    async def _override(self, student: population.Student) -> str:
        """Let pass by the crew lead, who writes a name and a number into the reason; the capture's id."""
        ticket = (await self.desk.door.post("/v1/checkins", {"scan": student.scan}))["ticket"]
        shot = await self._shoot(self.desk, student, ticket)
        said = {"decision": "override", "role": "crew_lead", "reason": self._said(student)}
        await self.desk.door.post("/v1/decision", {"capture_id": shot["capture_id"], **said})
        return str(shot["capture_id"])

    async def _forget_the_code(self, student: population.Student, desk: desks.Desk | None = None) -> None:
        """Checked in by hand and gone again, with a name in every field that takes free text."""
        door = (desk or self.desk).door
        body = {"student_id": self.people.ids[student.student_no], "reason": self._said(student)}
        ticket = (await door.post("/v1/checkins/manual", body))["ticket"]
        await door.post(f"/v1/tickets/{ticket}/release", {"reason": self._said(student)})

    # -- the staff

    async def _explain(self, capture_id: str, student: population.Student, other: population.Student) -> None:
        """A photo moved, moved back, withdrawn, in force again, a student struck off: each for a reason with a name."""
        door, path = self.people.doors["capture"], f"/v1/captures/{capture_id}"

        async def in_force() -> bool:
            return str((await door.get(path))["capture"]["state"]) == "accepted"

        await self._until("the photo is accepted", in_force)
        said = {"reason": self._said(student)}
        for one, holder in ((other, student), (student, other)):
            whose = {
                "student_id": self.people.ids[one.student_no],
                "from_student_id": self.people.ids[holder.student_no],
            }
            await door.post(f"{path}/rebind", {**whose, **said})
        # As a code would be written: it is none that we know.
        await door.post(f"{path}/withdraw", {"reason": self._spelt(student).lower()})
        await door.post(f"{path}/reinstate", said)
        roster = self.people.doors["roster"]
        await roster.post(f"/v1/students/{self.people.ids[student.student_no]}/reveal", {"fields": ["name"], **said})
        gone = self.people.ids[self.crowd[-1].student_no]
        await roster.post(f"/v1/students/{gone}/withdraw", {"reason": self._said(self.crowd[-1])})

    async def _read_back(self, capture_id: str, student: population.Student, by_hand: population.Student) -> None:
        """Whoever may see the history reads what was typed: else it would be no wonder that it is found nowhere."""
        door = self.people.doors["capture"]
        history = (await door.get(f"/v1/captures/{capture_id}"))["history"]
        let_in = (await door.get(f"/v1/students/{self.people.ids[by_hand.student_no]}/history"))["let_in"]
        typed = (self._said(student), self._spelt(student).lower())
        read = sum([line["reason"] for line in history].count(reason) for reason in typed)
        read += [line["reason"] for line in let_in].count(self._said(by_hand))
        if read < len(("overridden", "rebound", "rebound", "withdrawn", "reinstated", "let in")):
            raise RuntimeError(f"理由未全数读回 only {read} reasons were read back")
        self.told = read

    async def _settle(self, student: population.Student) -> None:
        """A session that does not balance is settled for a reason with a name in it, which is read back."""
        capture = self.people.doors["capture"]
        self.told += await aftermath.settle_a_session(self.stack, capture, self.desk, self._said(student))

    async def _ask_wrongly(self) -> None:
        """Cards instead of codes, and names and numbers where none belong: every door says no, and keeps nothing."""
        for student in self.crowd[:5]:
            for scan in (student.id_number, student.name, student.phone):
                await self.desk.door.post("/v1/checkins", {"scan": scan})
            for door in (self.desk.door, *self.people.doors.values()):
                await _refused(door, student, self._spelt(student))
            revealed = {"fields": ["name"], "reason": "check"}
            await self.people.doors["roster"].post(
                f"/v1/students/{self.people.ids[student.student_no]}/reveal", revealed
            )

    def _said(self, student: population.Student) -> str:
        """What nobody should write into a reason."""
        return f"{student.name} {self._spelt(student)} {student.id_number}"

    def _spelt(self, student: population.Student) -> str:
        """The name in Latin letters; planted in each way of writing it."""
        spelt = forms.pinyin(student.number)
        fresh = [forms.Canary("pinyin", text) for text in (spelt, spelt.lower(), spelt.upper())]
        self.canaries += [canary for canary in fresh if canary not in self.canaries]
        return spelt

    def _plant(self, students: list[population.Student]) -> None:
        known = {canary.text for canary in self.canaries}
        fresh = forms.planted([(s.name, s.id_number, s.phone) for s in students])
        self.canaries += [canary for canary in fresh if canary.text not in known]


async def _refused(door: doors.Door, student: population.Student, spelt: str) -> None:
    attempts: list[tuple[str, str, Any]] = [
        ("GET", f"/v1/students/{student.name}", None),
        ("GET", f"/v1/{student.id_number}?name={student.name}&phone={student.phone}", None),
        ("POST", "/v1/checkins", {"name": student.name, "id_number": student.id_number}),
        ("POST", "/v1/captures", {student.name: student.phone}),
        ("GET", f"/web/{student.name}/{student.id_number}/x", None),
        ("GET", f"/v1/{spelt}", None),
        (spelt.upper(), "/healthz", None),
        ("PUT", f"/v1/drifts/{ids.new()}", {"sign": spelt.lower(), "expected": spelt, "seen": student.id_number}),
    ]
    for method, path, body in attempts:
        with contextlib.suppress(doors.Refused, httpx.HTTPError):
            await door.call(method, path, json=body)


def _crowd(scenario: scenarios.Scenario, size: int) -> list[population.Student]:
    drawn = population.draw_up(scenario, scenario.cut_to(size), seed=1)[:size]
    named = zip(drawn, forms.names(size), forms.phones(size), strict=True)
    return [dataclasses.replace(student, name=name, phone=phone) for student, name, phone in named]


def _with_a_hall(scenario: scenarios.Scenario) -> scenarios.Scenario:
    """The notice with more desks in its first group."""
    groups = [g.model_copy(update={"desks": DESKS}) if g.code == "A" else g for g in scenario.groups]
    return scenario.model_copy(update={"groups": groups})


def _misspelt(student: population.Student) -> population.Student:
    last = "1" if student.id_number[-1] != "1" else "2"
    return dataclasses.replace(student, id_number=student.id_number[:-1] + last)
