"""A student's case step by step, at moments named in the time of the school."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from gradphoto_contracts import ids
from gradphoto_contracts.envelope import Event
from gradphoto_contracts.policy import ChsiPolicy, MakeupPolicy, Window
from services.verify.domain import batches, chsi, clocks, copies, journey, lapses, makeups, told

CAMPAIGN = ids.CampaignId(UUID(int=1))
CLASS = ids.ClassId(UUID(int=10))
STUDENT = ids.StudentId(UUID(int=100))


def at(text: str) -> datetime:
    """A moment in Asia/Shanghai: `2017-11-01 09:00`, or a day's first moment."""
    return datetime.fromisoformat(text).replace(tzinfo=clocks.SHANGHAI)


#: S0 陕西中医药大 2017: fixed dates, reports in a window of their own, silence is agreement, make-up before November.
S0 = copies.Campaign(
    CAMPAIGN,
    1,
    "s0",
    ChsiPolicy(
        proofreading=Window(opens_on=date(2017, 11, 1), closes_on=date(2018, 3, 15)),
        reporting=Window(opens_on=date(2018, 3, 15), closes_on=date(2018, 3, 30)),
        silence="deemed_correct",
    ),
    MakeupPolicy(
        mode="branch",
        places_zh=("新华社陕西分社",),
        window=Window(opens_on=date(2017, 6, 6), closes_on=date(2017, 10, 31)),
    ),
)
#: S2 兰州大 2017: counted from the capture, one chance, look again after a week; make-up on three days.
S2 = copies.Campaign(
    CAMPAIGN,
    1,
    "s2",
    ChsiPolicy(
        proofreading=Window(opens_after_days=40, lasts_days=30),
        silence="no_effect",
        one_chance=True,
        recheck_after_days=7,
    ),
    MakeupPolicy(mode="session", window=Window(opens_on=date(2018, 4, 14), closes_on=date(2018, 4, 16))),
)
#: S3 山东中医药 2019: no make-up at all.
S3 = copies.Campaign(
    CAMPAIGN,
    1,
    "s3",
    ChsiPolicy(proofreading=Window(opens_after_days=40, lasts_days=30), silence="no_effect"),
    MakeupPolicy(mode="none"),
)


def photo(number: int, shutter: str, *, in_force: bool = True, version: int = 1) -> copies.Photo:
    return copies.Photo(
        ids.CaptureId(UUID(int=1000 + number)),
        version,
        CAMPAIGN,
        STUDENT,
        CLASS,
        in_force,
        f"photos/{CAMPAIGN}/{UUID(int=1000 + number)}.jpg",
        "0" * 64,
        at(shutter),
    )


FRESH = journey.Case(STUDENT, CAMPAIGN, CLASS)


@dataclass
class History:
    """One case and all that was said of it and became of its deadlines."""

    campaign: copies.Campaign
    case: journey.Case = FRESH
    said: list[Event] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)

    def take(self, step: journey.Step) -> "History":
        self.case = step.after
        self.said.extend(step.events)
        if outcome := step.outcome():
            self.outcomes.append(f"{outcome.deadline}: {outcome.outcome}")
        return self

    def do(self, act: Callable[..., journey.Step], *arguments: Any) -> "History":
        return self.take(act(self.case, *arguments, self.campaign))

    def wait_until(self, text: str) -> "History":
        """Time jumps; the ticker does what is due, until nothing is."""
        now = at(text)
        while True:
            before = self.case
            self.take(makeups.call_for_second_shot(self.case, now, self.campaign))
            self.take(lapses.lapse(self.case, now, self.campaign))
            if self.case == before:
                return self

    def enrol(self, version: int = 1, *, eligible: bool = True) -> "History":
        return self.do(told.place, copies.Student(version, eligible), CLASS)

    def photograph(self, shutter: str, number: int = 1) -> "History":
        return self.do(told.see_photo, photo(number, shutter), at(shutter))

    def deliver(self) -> "History":
        return self.do(batches.deliver, self.case.capture_id)

    def publish(self, text: str) -> "History":
        return self.do(chsi.publish, at(text))

    @property
    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.said]
