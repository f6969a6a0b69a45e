"""After the day: delivery, CHSI's answer, proofreading, make-up, until every student has an outcome."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cli.demo import doors
from cli.demo.day import Conductor
from cli.demo.school import School
from gradphoto_contracts.policy import Window

_SCHOOL_TIME = ZoneInfo("Asia/Shanghai")
#: What students do with the proofreading, an assumption: most confirm, some dispute, some stay silent.
_CONFIRM, _DISPUTE = 0.72, 0.08
_REFUSED_SHARE = 0.01

Progress = Callable[[int], None]


class Proofreading:
    """Plays 图像校对 for one campaign; `outcomes` is what the demo did, to hold against what verify says."""

    def __init__(self, people: School, conductor: Conductor, folder: Path, seed: int) -> None:
        self.people = people
        self.chsi = people.scenario.policy.chsi
        self.makeup = people.scenario.policy.makeup
        self.conductor = conductor
        self.folder = folder
        self.dice = random.Random(f"chsi-{seed}")
        self.outcomes: dict[str, str] = {}

    async def deliver(self, photos: list[dict[str, Any]], last_day: datetime) -> dict[str, Any]:
        """Deliver the batch, wait as long as CHSI takes, take its result file."""
        batches = await self.people.deliver(len(photos))
        self.conductor.jump(self._opening(last_day))
        refused = self.dice.sample(photos, max(1, round(_REFUSED_SHARE * len(photos))))
        rows = [(p["capture_id"], *self._verdict(p in refused)) for p in photos]
        result = await self.people.take_results(self.folder, "学信网结果.csv", rows)
        for photo in refused:
            self.outcomes[photo["student_id"]] = "refused"
        return {"batches": batches, "result": result, "refused": len(refused)}

    def _verdict(self, refused: bool) -> tuple[str, str]:
        return ("退回", "照片清晰度") if refused else ("已显示", "")

    async def answer(self, photos: list[dict[str, Any]], tick: Progress) -> None:
        """Each student confirms, disputes or stays silent; disputes are corrected by the school."""
        for photo in photos:
            student_id = photo["student_id"]
            if student_id not in self.outcomes:
                self.outcomes[student_id] = self._choice()
                await self._say(student_id, self.outcomes[student_id])
            tick(1)

    def _choice(self) -> str:
        roll = self.dice.random()
        return "confirmed" if roll < _CONFIRM else "disputed" if roll < _CONFIRM + _DISPUTE else "silent"

    async def _say(self, student_id: str, choice: str) -> None:
        if choice == "confirmed":
            await self.people.answer_as_student(student_id, "confirmation")
        elif choice == "disputed" and self._taken_now():
            await self.people.answer_as_student(student_id, "dispute", cause="bad_photo")

    def _taken_now(self) -> bool:
        """Errors are taken while proofreading is open, or in a window of their own."""
        return self.chsi.reporting is None

    async def close(self, last_day: datetime, missed: list[str]) -> None:
        """Move through what is left of the windows: reports, corrections, silence, make-up."""
        if self.chsi.reporting is not None:
            self.conductor.jump(opens(self.chsi.reporting, last_day) + timedelta(hours=9))
            for student_id in self._chose("disputed"):
                await self.people.answer_as_student(student_id, "dispute", cause="bad_photo")
        for student_id in self._chose("disputed"):
            await self.people.correct(student_id)
        await self._make_up(self._chose("refused") + [s for s in missed if s not in self.outcomes])
        self.conductor.jump(self._end(last_day) + timedelta(days=1))

    async def make_up_early(self, missed: list[str], last_day: datetime) -> None:
        """A make-up window that closes before proofreading opens is used by the absent at once."""
        window = self.makeup.window
        if window is not None and closes(window, last_day) <= opens(self.chsi.proofreading, last_day):
            self.conductor.jump(opens(window, last_day) + timedelta(hours=9))
            await self._make_up(missed)

    async def _make_up(self, student_ids: list[str]) -> None:
        """Two of three who need it go to the make-up shoot; the rest let it pass."""
        if self.makeup.mode == "none":
            return
        for place, student_id in enumerate(student_ids):
            goes = place % 3 != 2 and await self._goes(student_id)
            self.outcomes[student_id] = "made_up" if goes else "not_made_up"

    async def _goes(self, student_id: str) -> bool:
        """Book and go; False where the make-up window is closed by now."""
        try:
            await self.people.book_makeup(student_id, self.makeup.places_zh[0])
        except doors.Refused as refused:
            if refused.status != 409:
                raise
            return False
        await self.people.finish_makeup(student_id)
        return True

    def _chose(self, outcome: str) -> list[str]:
        return [student_id for student_id, chosen in self.outcomes.items() if chosen == outcome]

    def _opening(self, last_day: datetime) -> datetime:
        return max(opens(self.chsi.proofreading, last_day), last_day) + timedelta(hours=9)

    def _end(self, last_day: datetime) -> datetime:
        windows = [self.chsi.proofreading, self.chsi.reporting, self.makeup.window]
        return max(closes(w, last_day) for w in windows if w is not None) + timedelta(days=self.chsi.recheck_after_days)


def opens(window: Window, captured: datetime) -> datetime:
    """The first moment of a window, for a photo captured then."""
    if window.opens_on is not None:
        return datetime(window.opens_on.year, window.opens_on.month, window.opens_on.day, tzinfo=_SCHOOL_TIME)
    return _midnight(captured) + timedelta(days=window.opens_after_days or 0)


def closes(window: Window, captured: datetime) -> datetime:
    """The moment after a window's last day."""
    if window.closes_on is not None:
        last = datetime(window.closes_on.year, window.closes_on.month, window.closes_on.day, tzinfo=_SCHOOL_TIME)
        return last + timedelta(days=1)
    return opens(window, captured) + timedelta(days=window.lasts_days or 0)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(_SCHOOL_TIME).replace(hour=0, minute=0, second=0, microsecond=0)
