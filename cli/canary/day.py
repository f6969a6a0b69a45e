"""A capture-code day of people who do not exist: roster, codes, plan, one desk, a few photos, and what goes wrong."""

import asyncio
import contextlib
import dataclasses
from pathlib import Path
from typing import Any

import httpx

from cli import scenario as scenarios
from cli.canary import forms
from cli.demo import desks, doors, population, school
from cli.stack import clock
from cli.stack.stack import Stack

SCENARIO = "xinjiang-2024"
#: So many are photographed; the spool still holds those of the second half, since the cable is out by then.
PHOTOS = 4


@dataclasses.dataclass
class Day:
    """One day on one stack. `canaries` are all words that were planted, from the first workbook to the last scan."""

    stack: Stack
    students: int
    canaries: list[forms.Canary] = dataclasses.field(default_factory=list)
    #: The pieces of the workbooks that were uploaded.
    pieces: list[forms.Form] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        scenario = scenarios.load(SCENARIO)
        size = min(self.students, scenario.students.total)
        self.people = school.School(self.stack, scenario, heal=None)
        self.fleet = desks.Fleet(self.stack, self.people.doors["capture"], "virtual", heal=None)
        self.crowd = _crowd(scenario, size)
        self._plant(self.crowd)

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
        desk = next(row for row in plan["desks"] if row["group_code"] == "A")
        await self.fleet.set_up(self.people.campaign_id, {"desks": [desk]})
        await self.fleet.wait_for_pack(self.desk, len(self.crowd))
        await self._work()

    @property
    def desk(self) -> desks.Desk:
        """The one desk."""
        return next(iter(self.fleet.desks.values()))

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
        for student in here[: PHOTOS // 2]:
            await self._photograph(student)
        await self._ask_wrongly()
        await self.fleet.wait_drained()
        await self.desk.door.post("/v1/network", {"online": False})
        for student in here[PHOTOS // 2 : PHOTOS]:
            await self._photograph(student)
        await self._forget_the_code(here[PHOTOS])

    async def _photograph(self, student: population.Student) -> None:
        door = self.desk.door
        ticket = (await door.post("/v1/checkins", {"scan": student.scan}))["ticket"]
        await door.post("/v1/seat", {"ticket": ticket})
        self.desk.sit_down(student.face, None)
        shot = await door.post("/v1/shutter")
        await door.post("/v1/decision", {"capture_id": shot["capture_id"], "decision": "keep"})

    async def _forget_the_code(self, student: population.Student) -> None:
        """Checked in by hand and gone again, with a name in every field that takes free text."""
        student_id = self.people.ids[student.student_no]
        said = f"{student.name} {student.id_number}"
        body = {"student_id": student_id, "reason": said}
        ticket = (await self.desk.door.post("/v1/checkins/manual", body))["ticket"]
        await self.desk.door.post(f"/v1/tickets/{ticket}/release", {"reason": said})

    async def _ask_wrongly(self) -> None:
        """Cards instead of codes, and names and numbers where none belong: every door says no, and keeps nothing."""
        for student in self.crowd[:5]:
            for scan in (student.id_number, student.name, student.phone):
                await self.desk.door.post("/v1/checkins", {"scan": scan})
            for door in (self.desk.door, *self.people.doors.values()):
                await _refused(door, student)
            revealed = {"fields": ["name"], "reason": "check"}
            await self.people.doors["roster"].post(
                f"/v1/students/{self.people.ids[student.student_no]}/reveal", revealed
            )

    def _plant(self, students: list[population.Student]) -> None:
        known = {canary.text for canary in self.canaries}
        fresh = forms.planted([(s.name, s.id_number, s.phone) for s in students])
        self.canaries += [canary for canary in fresh if canary.text not in known]


async def _refused(door: doors.Door, student: population.Student) -> None:
    attempts: list[tuple[str, str, Any]] = [
        ("GET", f"/v1/students/{student.name}", None),
        ("GET", f"/v1/{student.id_number}?name={student.name}&phone={student.phone}", None),
        ("POST", "/v1/checkins", {"name": student.name, "id_number": student.id_number}),
        ("POST", "/v1/captures", {student.name: student.phone}),
    ]
    for method, path, body in attempts:
        with contextlib.suppress(doors.Refused, httpx.HTTPError):
            await door.call(method, path, json=body)


def _crowd(scenario: scenarios.Scenario, size: int) -> list[population.Student]:
    drawn = population.draw_up(scenario, scenario.cut_to(size), seed=1)[:size]
    named = zip(drawn, forms.names(size), forms.phones(size), strict=True)
    return [dataclasses.replace(student, name=name, phone=phone) for student, name, phone in named]


def _misspelt(student: population.Student) -> population.Student:
    last = "1" if student.id_number[-1] != "1" else "2"
    return dataclasses.replace(student, id_number=student.id_number[:-1] + last)
