"""A day before one desk's lens, drawn from a seed: who comes, in what order, with which slip, and what goes wrong.

Nothing of a desk is in here: the same script is played to ours and to the naive one.
"""

import random
from dataclasses import dataclass, field
from enum import StrEnum

#: A class of the field, roughly.
CLASS_SIZE = 40


class Kind(StrEnum):
    """One kind of noise; a sitting has at most one."""

    QUEUE_JUMP = "queue_jump"
    SWAPPED_NEIGHBOURS = "swapped_neighbours"
    WALK_OFF = "walk_off"
    DOUBLE_SCAN = "double_scan"
    SLIP_TWICE = "slip_twice"
    MISSED_SCAN = "missed_scan"
    NOT_CHECKED_IN = "not_checked_in"
    DOUBLE_FIRE = "double_fire"
    STALE_FRAME = "stale_frame"
    LOST_FRAME = "lost_frame"
    TEST_SHOT = "test_shot"
    EARLY_SLIP = "early_slip"
    CHAIR_CHANGE = "chair_change"
    SWAPPED_SLIPS = "swapped_slips"
    STAND_IN = "stand_in"


#: Shares of sittings. An assumption: nobody has counted them; the first five are what a crew would call a bad day.
SHARES = {
    Kind.QUEUE_JUMP: 0.01,
    Kind.SWAPPED_NEIGHBOURS: 0.01,
    Kind.WALK_OFF: 0.01,
    Kind.DOUBLE_SCAN: 0.01,
    Kind.SLIP_TWICE: 0.005,
    Kind.MISSED_SCAN: 0.01,
    Kind.NOT_CHECKED_IN: 0.003,
    Kind.DOUBLE_FIRE: 0.005,
    Kind.STALE_FRAME: 0.002,
    Kind.LOST_FRAME: 0.002,
    Kind.TEST_SHOT: 0.005,
    Kind.EARLY_SLIP: 0.005,
    Kind.CHAIR_CHANGE: 0.002,
    Kind.SWAPPED_SLIPS: 0.002,
    Kind.STAND_IN: 0.001,
}
RETAKE_SHARE = 0.15
#: Of those who walk off, who comes back to the queue.
_RETURNING = 0.5


@dataclass(slots=True)
class Noise:
    """Something that went wrong: at which sitting it began, and whom it touches."""

    kind: Kind
    people: tuple[int, ...]
    begun: int


@dataclass(slots=True)
class Sitting:
    """Somebody goes to the chair. `slip` is whose slip they show; None: none at all. `chair` is who is photographed."""

    slip: int | None
    chair: int
    noise: Noise | None = None
    retakes: int = 0
    #: Seconds from the last photo to the slip, and from the slip to the shutter.
    change_s: float = 6.0
    ready_s: float = 4.0


@dataclass(slots=True)
class Script:
    """One desk's day: people in the order of their check-in, those who never check in, and the sittings."""

    people: int
    unregistered: set[int] = field(default_factory=set)
    scanned_twice: dict[int, Noise] = field(default_factory=dict)
    sittings: list[Sitting] = field(default_factory=list)
    noises: list[Noise] = field(default_factory=list)
    #: People whom nothing unusual touched.
    quiet: set[int] = field(default_factory=set)


def write(people: int, seed: int) -> Script:
    """The script of one desk; the same seed, the same day."""
    return _Writer(people, seed).write()


class _Writer:
    def __init__(self, people: int, seed: int) -> None:
        self.dice = random.Random(f"drift-{seed}")
        self.script = Script(people)
        self.late: list[tuple[int, int, Noise]] = []

    def write(self) -> Script:
        line = list(range(self.script.people))
        while line or self.late:
            self._bring_back(line, len(self.script.sittings))
            if line:
                self._one(line)
        touched = {person for noise in self.script.noises for person in noise.people}
        self.script.quiet = set(range(self.script.people)) - touched
        return self.script

    def _one(self, line: list[int]) -> None:
        kind = self._draw()
        act = getattr(self, f"_{kind}") if kind else None
        if act is None or len(line) < 6:
            self._sit(line.pop(0))
        else:
            act(line)

    def _draw(self) -> Kind | None:
        point = self.dice.random()
        for kind, share in SHARES.items():
            point -= share
            if point < 0:
                return kind
        return None

    def _noise(self, kind: Kind, *people: int) -> Noise:
        noise = Noise(kind, people, len(self.script.sittings))
        self.script.noises.append(noise)
        return noise

    def _sit(self, person: int, noise: Noise | None = None, *, slip: int | None = -1, chair: int | None = None) -> None:
        self.script.sittings.append(
            Sitting(
                slip=person if slip == -1 else slip,
                chair=person if chair is None else chair,
                noise=noise,
                retakes=int(self.dice.random() < RETAKE_SHARE),
                change_s=3 + self.dice.lognormvariate(1.0, 0.6),
                ready_s=2 + self.dice.lognormvariate(1.0, 0.7),
            )
        )

    def _bring_back(self, line: list[int], now: int) -> None:
        for entry in [entry for entry in self.late if entry[0] <= now or not line]:
            self.late.remove(entry)
            self._sit(entry[1], entry[2])

    # -- what goes wrong, one function a kind; `line[0]` is next

    def _queue_jump(self, line: list[int]) -> None:
        jumper = line.pop(self.dice.randint(1, 4))
        self._sit(jumper, self._noise(Kind.QUEUE_JUMP, jumper, line[0]))

    def _swapped_neighbours(self, line: list[int]) -> None:
        first, second = line.pop(0), line.pop(0)
        noise = self._noise(Kind.SWAPPED_NEIGHBOURS, first, second)
        self._sit(second, noise)
        self._sit(first, noise)

    def _walk_off(self, line: list[int]) -> None:
        gone = line.pop(0)
        noise = self._noise(Kind.WALK_OFF, gone, line[0])
        if self.dice.random() < _RETURNING:
            self.late.append((len(self.script.sittings) + self.dice.randint(3, 25), gone, noise))

    def _double_scan(self, line: list[int]) -> None:
        person = line.pop(0)
        noise = self._noise(Kind.DOUBLE_SCAN, person)
        self.script.scanned_twice[person] = noise
        self._sit(person, noise)

    def _plain(self, kind: Kind, line: list[int]) -> None:
        person = line.pop(0)
        self._sit(person, self._noise(kind, person))

    def _slip_twice(self, line: list[int]) -> None:
        self._plain(Kind.SLIP_TWICE, line)

    def _missed_scan(self, line: list[int]) -> None:
        """The operator calls and forgets the slip; half the time it is not the next one who sits down."""
        if self.dice.random() < 0.5:
            self._plain(Kind.MISSED_SCAN, line)
            return
        jumper = line.pop(1)
        self._sit(jumper, self._noise(Kind.MISSED_SCAN, jumper, line[0]))

    def _not_checked_in(self, line: list[int]) -> None:
        person = line.pop(0)
        self.script.unregistered.add(person)
        self._sit(person, self._noise(Kind.NOT_CHECKED_IN, person, line[0]), slip=None)

    def _double_fire(self, line: list[int]) -> None:
        self._plain(Kind.DOUBLE_FIRE, line)

    def _stale_frame(self, line: list[int]) -> None:
        """The camera fires twice, and the second frame comes as if the next student's press had made it."""
        first, second = line.pop(0), line.pop(0)
        self._sit(first)
        self._sit(second, self._noise(Kind.STALE_FRAME, first, second))

    def _lost_frame(self, line: list[int]) -> None:
        self._plain(Kind.LOST_FRAME, line)

    def _test_shot(self, line: list[int]) -> None:
        self._plain(Kind.TEST_SHOT, line)

    def _early_slip(self, line: list[int]) -> None:
        """The next one's slip is scanned, and the pedal pressed, while the last one still sits there."""
        first, second = line.pop(0), line.pop(0)
        self._sit(first)
        self._sit(second, self._noise(Kind.EARLY_SLIP, first, second))

    def _chair_change(self, line: list[int]) -> None:
        """Who showed the slip leaves the chair, and the next sits down in it unasked; the first comes back later."""
        first, second = line.pop(0), line.pop(0)
        noise = self._noise(Kind.CHAIR_CHANGE, first, second, line[0])
        self._sit(first, noise, chair=second)
        if self.dice.random() < _RETURNING:
            self._sit(first, noise)

    def _swapped_slips(self, line: list[int]) -> None:
        first, second = line.pop(0), line.pop(0)
        noise = self._noise(Kind.SWAPPED_SLIPS, first, second)
        self._sit(first, noise, slip=second)
        self._sit(second, noise, slip=first)

    def _stand_in(self, line: list[int]) -> None:
        """One sits twice: by the own slip, and by that of a friend who is not there."""
        person, friend = line.pop(0), line.pop(0)
        self._sit(person)
        self._sit(friend, self._noise(Kind.STAND_IN, person, friend), chair=person)
