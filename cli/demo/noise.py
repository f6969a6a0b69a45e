"""What goes wrong on a real day, drawn from a seed: who is late, jumps the queue, walks off, whose photo is bad."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cli.demo.population import Student
from station.cameras.portraits import Flaw


class Trouble(StrEnum):
    """One kind of trouble; a student has at most one."""

    ABSENT = "absent"
    LATE = "late"
    QUEUE_JUMP = "queue_jump"
    WALK_OFF = "walk_off"
    WALK_OFF_FOR_GOOD = "walk_off_for_good"
    DOUBLE_SCAN = "double_scan"
    FORGOTTEN_CODE = "forgotten_code"


#: Shares of all students, rounded up so that a small run sees each kind. An assumption, not a measurement.
SHARES = {
    Trouble.ABSENT: 0.03,
    Trouble.LATE: 0.03,
    Trouble.QUEUE_JUMP: 0.02,
    Trouble.WALK_OFF: 0.02,
    Trouble.WALK_OFF_FOR_GOOD: 0.01,
    Trouble.DOUBLE_SCAN: 0.02,
    Trouble.FORGOTTEN_CODE: 0.02,
}
FLAWED_SHARE = 0.10
WALK_IN_SHARE = 0.006


@dataclass(frozen=True)
class Noise:
    """Who has which trouble, and whose first frame has which flaw; keyed by 学号."""

    troubles: dict[str, Trouble] = field(default_factory=dict)
    flaws: dict[str, Flaw] = field(default_factory=dict)
    walk_ins: int = 0

    def trouble(self, student: Student) -> Trouble | None:
        return self.troubles.get(student.student_no)

    def flaw(self, student: Student) -> Flaw | None:
        return self.flaws.get(student.student_no)


def draw(students: Sequence[Student], seed: int) -> Noise:
    """The noise of one run: the same seed gives the same day, with each kind of trouble at least once."""
    dice = random.Random(f"noise-{seed}")
    deck = dice.sample(list(students), len(students))
    troubles: dict[str, Trouble] = {}
    for trouble, share in SHARES.items():
        for _ in range(_count(share, len(students))):
            if len(deck) > 1:
                troubles[deck.pop().student_no] = trouble
    flaws = list(Flaw)
    flawed = dice.sample(deck, min(len(deck), max(len(flaws), _count(FLAWED_SHARE, len(students)))))
    chosen = {student.student_no: flaws[place % len(flaws)] for place, student in enumerate(flawed)}
    return Noise(troubles, chosen, _count(WALK_IN_SHARE, len(students)))


def _count(share: float, students: int) -> int:
    return max(1, round(share * students))
