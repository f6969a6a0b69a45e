"""The demo from the first act to the last: roster, plan, stations, days with accidents, money, CHSI, invariants."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cli import scenario as scenarios
from cli.demo import chsi, day, desks, faults, invariants, kills, money, noise, population, report, school, subscriber
from cli.demo.screen import Screen
from cli.stack import control
from cli.stack import stack as stacks
from kit import objects

#: How long events may travel, and the authority look at pictures: at least, and for each student.
_SETTLE_S, _SETTLE_EACH_S = 600.0, 0.5
#: A broker that was killed is back, and has told all, long before.
_STREAM_S = 120.0


@dataclass(frozen=True)
class Choices:
    """What the user asked for."""

    scenario: scenarios.Scenario
    students: int
    seed: int = 1
    speed: float = 1.0
    camera: str = "virtual"
    accidents: bool = True
    keep: bool = False
    doomed: tuple[kills.Kill, ...] = ()


@dataclass
class Stage:
    """One run on one stack. The acts are called in their order by `play`."""

    stack: stacks.Stack
    choices: Choices
    screen: Screen
    people: school.School = field(init=False)
    found: report.Report = field(init=False)
    students: list[population.Student] = field(init=False)
    truth: day.Truth = field(default_factory=day.Truth)
    _healing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        scenario, seed = self.choices.scenario, self.choices.seed
        self.people = school.School(self.stack, scenario, self.heal)
        self.students = population.draw_up(scenario, scenario.cut_to(self.choices.students), seed)
        self.noise = noise.draw(self._expected(), seed)
        self.found = report.Report(scenario.name, seed)
        self.conductor = day.Conductor(self.stack, self.choices.speed)
        self.purse = money.Purse(scenario, self.people, self.students, self.truth)
        self.fleet = desks.Fleet(self.stack, self.people.doors["capture"], self.choices.camera, self.heal)
        self.killer = kills.Killer(self.stack, self.choices.doomed, self.screen.note)
        self.subscriber = subscriber.Subscriber(self.stack.urls()["AMQP_URL"])

    async def play(self) -> report.Report:
        """All acts; the report says whether everything held."""
        async with self._listening():
            for name, title in kills.ACTS.items():
                await self._act(name, title, self._acts()[name])
        self.killer.close()
        self.found.kills = self.killer.happened
        await self.fleet.close()
        await self.people.close()
        return self.found

    def heal(self) -> None:
        """Whoever finds a door shut looks whether the whole stack is gone, and starts it again if so."""
        with self._healing:
            if not self.stack.running():
                self.screen.note("监督进程不在，重新启动 the supervisor is gone: starting the stack again")
                stacks.start(self.stack.layout.root, bound=not self.choices.keep)
            # Who finds it gone once more comes here again.
            with contextlib.suppress(control.NotRunning, TimeoutError):
                self.fleet.put_up_again()

    def _acts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        before = {"roster": self.roster, "plan": self.plan, "stations": self.stations}
        after = {"money": self.money, "chsi": self.chsi, "inspection": self.inspection}
        return {**before, "capture": self.days, **after}

    async def _act(self, name: str, title: str, act: Callable[[], Awaitable[None]]) -> None:
        self.screen.act(title)
        self.killer.act(name)
        started = time.monotonic()
        await act()
        self.found.seconds[title] = time.monotonic() - started

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.subscriber.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    # -- the acts

    async def roster(self) -> None:
        """The registrar opens the campaign and uploads the workbook; the students register their codes."""
        await self.people.open_campaign()
        workbook = self.stack.layout.root / "毕业生名单.xlsx"
        await asyncio.to_thread(population.write_workbook, workbook, self.students)
        preview = await self.people.import_roster(workbook)
        await self.people.learn_ids()
        codes = await self.people.register_codes(self.students)
        self.screen.note(f"名单 {preview['new']} 人，采集码 {codes} 个 roster {preview['new']} students, {codes} codes")

    async def plan(self) -> None:
        """The plan with order codes and windows."""
        plan = await self.people.publish_plan({s.label for s in self.students})
        classes = [s for s in plan["slots"] if s["class_id"]]
        told = {name: plan[name] for name in ("windows", "slots")}
        self.found.plan = {"classes": len(classes), "desks": len(plan["desks"]), **told}
        self.purse.knows({s["label_zh"]: s["class_id"] for s in classes})
        self.screen.note(
            f"班级 {len(classes)} 个，采集台 {len(plan['desks'])} 台 {len(classes)} classes, {len(plan['desks'])} desks"
        )

    async def stations(self) -> None:
        """A station process for every desk."""
        self.screen.note("等待名单与计划传到采集服务 roster and plan travel to capture as events")
        plan = await self.people.doors["scheduler"].get(f"/v1/campaigns/{self.people.campaign_id}/plan")
        await self.fleet.set_up(self.people.campaign_id, plan)
        for desk in self.fleet.desks.values():
            await self.fleet.wait_for_pack(desk, len(self.students))
        await self.purse.before_days()

    async def days(self) -> None:
        """All desks work at once; accidents come in between."""
        walk_ins = await self._walk_ins()
        crews = self._crews()
        accidents = faults.Accidents(self.stack, self.fleet, self.choices.seed, self.screen.note, self.heal)
        due = accidents.schedule(len(self._expected())) if self.choices.accidents else {}
        trouble = asyncio.create_task(self._accidents(due))
        self.conductor.jump(self.choices.scenario.first_day - timedelta(minutes=10))
        async with asyncio.TaskGroup() as group:
            for crew in crews:
                self.conductor.enter()
                group.create_task(self._crew(crew))
        await trouble
        await self.fleet.wait_drained()
        await self._settled()
        self.found.accidents = accidents.happened
        self.found.troubles = {**self.truth.troubles, "walk_in": len(walk_ins)}
        self.found.seals = await self.fleet.seal()
        self.found.desks = [report.desk_row(desk) for desk in self.fleet.desks.values()]

    async def money(self) -> None:
        """Late-comers pay, refunds go out, classes are settled, receipts written."""
        await self.purse.after_days()
        await self._until("billing", self._billing_settled)
        cid = self.people.campaign_id
        await self.people.write_receipts()
        books = await self.people.doors["billing"].get(f"/v1/campaigns/{cid}/reconciliation")
        self.found.billing = {k: v for k, v in books.items() if isinstance(v, int)} | {"mode": self.purse.mode}

    async def chsi(self) -> None:
        """Who missed it is found; the photos are delivered and proofread through all windows."""
        last = max(w.ends_at for w in self.choices.scenario.windows)
        self.conductor.jump(last + timedelta(minutes=31))
        missed = await self._missed()
        reading = chsi.Proofreading(self.people, self.conductor, self.stack.layout.root, self.choices.seed)
        photos = await self._photos()
        await reading.make_up_early(missed, last)
        told = await reading.deliver(photos, last)
        self.screen.expect("校对 proofreading", len(photos))
        await reading.answer(photos, self.screen.tick)
        await reading.close(last, missed)
        await self._until("verify", self._cases_closed)
        summary = await self.people.doors["verify"].get(f"/v1/campaigns/{self.people.campaign_id}/summary")
        delivered = sum(batch["photos"] for batch in told["batches"])
        self.found.chsi = {"batch": delivered, "missed": len(missed), **summary["states"]}

    async def inspection(self) -> None:
        """The invariants, from outside."""
        students = {s.student_no: s for s in self.students}
        store = invariants.Store(objects.Objects(self.stack.urls()["S3_URL"]), self.heal)
        inspector = invariants.Inspector(
            self.people, self.fleet, self.truth, self.purse, self.subscriber, store, students
        )
        await self._until("stream", inspector.stream_tells_all, _STREAM_S)
        await self.subscriber.settled()
        self.found.findings = await inspector.inspect()
        self.found.events = {"seen": len(self.subscriber.seen), "repeats": self.subscriber.repeats}

    # -- the days

    def _expected(self) -> list[population.Student]:
        eligible = {c.code for c in self.choices.scenario.policy.cohorts if c.eligible}
        return [s for s in self.students if s.cohort in eligible]

    async def _walk_ins(self) -> list[population.Student]:
        """Students whom nobody has listed stand at a desk in the morning; the registrar adds them by hand."""
        beside = self._expected()[0]
        walk_ins = []
        for place in range(self.noise.walk_ins):
            number = len(self.students) + 1
            student = population.walk_in(self.choices.scenario, beside, number, self.choices.seed + place)
            await self.people.add_walk_in(student)
            self.students.append(student)
            self.purse.add(student)
            walk_ins.append(student)
        return walk_ins

    def _crews(self) -> list[day.Crew]:
        self.screen.expect("采集 students", len(self._expected()))
        crews = []
        for group in {d.group for d in self.fleet.desks.values()}:
            there = sorted((d for d in self.fleet.desks.values() if d.group == group), key=lambda d: d.code)
            slots = self._slots(group)
            crews += [self._one_crew(desk, slots[place :: len(there)]) for place, desk in enumerate(there)]
        return crews

    def _one_crew(self, desk: desks.Desk, slots: list[day.Slot]) -> day.Crew:
        bar = self.screen.bar(f"台 {desk.code}", sum(len(s.students) for s in slots))
        return day.Crew(desk, slots, self.noise, self.truth, self.people, lambda: self._done(bar))

    def _done(self, bar: Any) -> None:
        self.screen.tick(1)
        self.screen.advance(bar)

    def _slots(self, group: str) -> list[day.Slot]:
        """The slots of a group as scheduler published them, with the students who are to come."""
        rows = [s for s in self.found.plan["slots"] if s["group_code"] == group and s["class_id"]]
        return [self._slot(row) for row in sorted(rows, key=lambda row: row["starts_at"])]

    def _slot(self, row: dict[str, Any]) -> day.Slot:
        coming = tuple(s for s in self._expected() if s.label == row["label_zh"])
        return day.Slot(row["label_zh"], datetime.fromisoformat(row["starts_at"]), coming)

    async def _crew(self, crew: day.Crew) -> None:
        try:
            await crew.work(self.conductor, self.purse.before_class, self.purse.after_class)
        finally:
            self.conductor.leave()

    async def _accidents(self, due: dict[int, Callable[[], Awaitable[None]]]) -> None:
        for after, accident in due.items():
            await self.screen.reached(after)
            await accident()

    # -- waiting for what travels by events

    async def _settled(self) -> None:
        """All kept photos are in force, and all services have heard of it."""
        await self._until("capture", self._photos_in_force)

    async def _photos_in_force(self) -> bool:
        told = await self.people.doors["capture"].get(f"/v1/campaigns/{self.people.campaign_id}/progress")
        photographed: int = sum(row["photographed"] for row in told["by_class"])
        return photographed >= len(self.truth.kept)

    async def _billing_settled(self) -> bool:
        books = await self.people.doors["billing"].get(f"/v1/campaigns/{self.people.campaign_id}/reconciliation")
        return bool(books["photographed_heads"] == len(self.truth.kept) == books["paid_heads"])

    async def _cases_closed(self) -> bool:
        cid = self.people.campaign_id
        states = (await self.people.doors["verify"].get(f"/v1/campaigns/{cid}/summary"))["states"]
        return all(state in invariants.FINAL for state in states if states[state])

    async def _photos(self) -> list[dict[str, Any]]:
        path = f"/v1/campaigns/{self.people.campaign_id}/photos"
        return [p async for p in self.people.doors["capture"].pages(path)]

    async def _missed(self) -> list[str]:
        """Wait until scheduler has found out who missed it, and verify has heard."""
        expected = len(self._expected()) - len(self.truth.kept)

        async def found() -> bool:
            cid = self.people.campaign_id
            states = (await self.people.doors["verify"].get(f"/v1/campaigns/{cid}/summary"))["states"]
            return bool(sum(states.get(state, 0) for state in ("makeup_required", "no_makeup")) >= expected)

        await self._until("scheduler", found)
        rows = await self.people.doors["scheduler"].get(f"/v1/campaigns/{self.people.campaign_id}/missed")
        return [row["student_id"] for row in rows["items"]]

    async def _until(self, what: str, true: Callable[[], Awaitable[bool]], patience_s: float | None = None) -> None:
        """Wait for what travels by events; going on after the time is up lets the invariants say what is wrong."""
        deadline = time.monotonic() + (patience_s or _SETTLE_S + _SETTLE_EACH_S * len(self.students))
        while not await true():
            if time.monotonic() > deadline:
                self.screen.note(f"等待 {what} 超时 {what} did not settle in time")
                return
            await asyncio.sleep(0.3)


async def run(stack: stacks.Stack, choices: Choices, screen: Screen, json_file: Path | None) -> report.Report:
    """Play the demo on a stack that is up; the report is written even when an invariant is violated."""
    found = await Stage(stack, choices, screen).play()
    if json_file is not None:
        found.write(json_file)
    return found
