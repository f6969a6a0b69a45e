"""Who pays, when, in each of the four fee modes; the people count heads themselves, as they do."""

from collections import Counter
from collections.abc import Sequence

from cli import scenario as scenarios
from cli.demo.day import Slot, Truth
from cli.demo.population import Student
from cli.demo.school import School


class Purse:
    """The money side of the days; its methods are called in the order in which they stand."""

    def __init__(self, scenario: scenarios.Scenario, people: School, students: Sequence[Student], truth: Truth) -> None:
        self.mode = scenario.policy.fee.mode
        self.people = people
        self.truth = truth
        eligible = {cohort.code for cohort in scenario.policy.cohorts if cohort.eligible}
        self.students = [s for s in students if s.cohort in eligible]
        self.class_ids: dict[str, str] = {}
        self.paid: Counter[str] = Counter()

    def knows(self, class_ids: dict[str, str]) -> None:
        self.class_ids = class_ids

    async def before_days(self) -> None:
        """Prepaid: the secretary pays for all heads of the college and takes the vouchers."""
        if self.mode != "prepaid_voucher":
            return
        for college, heads in Counter(s.college_zh for s in self.students).items():
            await self._buy_vouchers(college, heads)

    async def before_class(self, slot: Slot) -> None:
        """Cash: every other class has collected beforehand and goes first."""
        if self.mode == "cash_on_site" and self._collects_beforehand(slot.label):
            heads = sum(1 for s in self.students if s.label == slot.label)
            await self._class_pays(slot.label, heads)

    async def after_class(self, slot: Slot) -> None:
        """A class that pays afterwards pays for the heads that were photographed."""
        if self.mode in ("class_epay", "cash_on_site") and not self._collects_beforehand(slot.label):
            await self._class_pays(slot.label, self.photographed(slot.label) - self.paid[slot.label])

    async def after_days(self) -> None:
        """Late-comers are paid for, what was paid for absent ones goes back, the school pays its one bill."""
        if self.mode == "school_pays":
            heads = len(self.truth.kept)
            await self.people.pay("school", self.people.scenario.campaign.school_code, heads, "transfer")
            self.paid["school"] = heads
            return
        for ref, kind in self._payers():
            over = self.paid[ref] - self._heads(ref, kind)
            if over > 0:
                await self.people.refund(kind, self.class_ids[ref] if kind == "class" else ref, over)
                self.paid[ref] -= over
            elif over < 0 and kind == "college":
                await self._buy_vouchers(ref, -over)
            elif over < 0:
                await self._class_pays(ref, -over)

    def photographed(self, label: str) -> int:
        """Heads of a class that somebody in the hall counted."""
        return sum(1 for s in self.students if s.label == label and s.student_no in self.truth.kept)

    def total_paid(self) -> int:
        return sum(self.paid.values())

    def add(self, student: Student) -> None:
        """A walk-in is a head as well."""
        self.students.append(student)

    def _payers(self) -> list[tuple[str, str]]:
        if self.mode == "prepaid_voucher":
            return [(college, "college") for college in sorted({s.college_zh for s in self.students})]
        return [(label, "class") for label in sorted({s.label for s in self.students})]

    def _heads(self, ref: str, kind: str) -> int:
        if kind == "class":
            return self.photographed(ref)
        return sum(1 for s in self.students if s.college_zh == ref and s.student_no in self.truth.kept)

    async def _buy_vouchers(self, college: str, heads: int) -> None:
        await self.people.buy_vouchers(college, heads)
        self.paid[college] += heads

    async def _class_pays(self, label: str, heads: int) -> None:
        if heads <= 0:
            return
        await self.people.pay("class", self.class_ids[label], heads, "cash" if self.mode == "cash_on_site" else "epay")
        self.paid[label] += heads

    def _collects_beforehand(self, label: str) -> bool:
        return self.mode == "cash_on_site" and sum(label.encode()) % 2 == 0
