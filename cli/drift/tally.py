"""What came of a day: photos on the wrong person, alarms, and how many students passed before an alarm."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.drift.script import Kind, Noise, Script
from cli.photo.rates import Rate

#: Drift must be flagged within so many students.
WITHIN = 2


@dataclass(frozen=True, slots=True)
class Wrong:
    """A photo kept under a ticket whose holder it does not show; `at` is the sitting, `noise` what led to it.

    `alarms` is how many there had been by then: one that came before, and was answered, does not tell of this photo.
    """

    at: int
    noise: Noise | None
    alarms: int


@dataclass(slots=True)
class Day:
    """One desk's day as somebody saw it who knows every face."""

    script: Script
    photos: int = 0
    wrong: list[Wrong] = field(default_factory=list)
    #: Sitting and sign of each alarm, and what may have caused it: nothing, where it is false.
    alarms: list[tuple[int, str, tuple[Noise, ...]]] = field(default_factory=list)
    #: The shutter or the check-in was refused: nothing could go wrong.
    refused: list[Noise] = field(default_factory=list)
    looks: int = 0

    def alarmed(self, noise: Noise | None, since: int, after: int = 0) -> int | None:
        """How many students after sitting `since` an alarm told of this; the first `after` ones are not counted."""
        told = [at - since for at, _, causes in self.alarms[after:] if at >= since and _among(noise, causes)]
        return min(told, default=None)

    def silent(self) -> list[Wrong]:
        """Wrong photos for which no alarm came within two students."""
        return [wrong for wrong in self.wrong if not _in_time(self.alarmed(wrong.noise, wrong.at, wrong.alarms))]


@dataclass(frozen=True)
class Row:
    """One kind of noise over all desks."""

    kind: str
    events: int
    #: Photos on the wrong person, those of them of which no alarm told, and events with such a photo.
    wrong: int
    silent_photos: int
    silent: Rate
    flagged: int
    refused: int
    latest: int | None
    signs: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        low, high = self.silent.interval
        return {
            "kind": self.kind,
            "events": self.events,
            "wrong": self.wrong,
            "silent_wrong": self.silent_photos,
            "silent_events": self.silent.wrong,
            "silent_interval": [round(low, 5), round(high, 5)],
            "flagged": self.flagged,
            "refused": self.refused,
            "latest_after_students": self.latest,
            "signs": list(self.signs),
        }


@dataclass(frozen=True)
class Result:
    """All desks together."""

    rows: tuple[Row, ...]
    students: int
    photos: int
    wrong: int
    silent: Rate
    false_alarms: Rate
    looks: int

    def as_dict(self) -> dict[str, Any]:
        low, high = self.false_alarms.interval
        return {
            "students": self.students,
            "photos": self.photos,
            "wrong": self.wrong,
            "silent_wrong": self.silent.wrong,
            "false_alarms": self.false_alarms.wrong,
            "quiet_students": self.false_alarms.all,
            "false_alarm_interval": [round(low, 5), round(high, 5)],
            "asked_to_look": self.looks,
            "kinds": [row.as_dict() for row in self.rows],
        }

    def silent_in(self, kinds: Iterable[Kind]) -> int:
        """Silent wrong photos of these kinds."""
        wanted = {str(kind) for kind in kinds}
        return sum(row.silent_photos for row in self.rows if row.kind in wanted)


def add_up(days: Sequence[Day]) -> Result:
    """One table of several desks' days."""
    silent = sum(len(day.silent()) for day in days)
    false = sum(1 for day in days for _, _, causes in day.alarms if not causes)
    quiet = sum(len(day.script.quiet) for day in days)
    photos = sum(day.photos for day in days)
    return Result(
        rows=tuple(_row(kind, days) for kind in Kind),
        students=sum(day.script.people for day in days),
        photos=photos,
        wrong=sum(len(day.wrong) for day in days),
        silent=Rate(silent, photos),
        false_alarms=Rate(false, quiet),
        looks=sum(day.looks for day in days),
    )


def _row(kind: Kind, days: Sequence[Day]) -> Row:
    noises = [(day, noise) for day in days for noise in day.script.noises if noise.kind == kind]
    delays = [day.alarmed(noise, noise.begun) for day, noise in noises]
    known = [delay for delay in delays if delay is not None]
    signs = {sign for day, noise in noises for _, sign, causes in day.alarms if _among(noise, causes)}
    silent = [wrong.noise for day in days for wrong in day.silent() if wrong.noise and wrong.noise.kind == kind]
    return Row(
        kind=str(kind),
        events=len(noises),
        wrong=sum(1 for day in days for wrong in day.wrong if wrong.noise and wrong.noise.kind == kind),
        silent_photos=len(silent),
        silent=Rate(len({id(noise) for noise in silent}), len(noises)),
        flagged=len(known),
        refused=sum(1 for day in days for noise in day.refused if noise.kind == kind),
        latest=max(known, default=None),
        signs=tuple(sorted(signs)),
    )


def _among(noise: Noise | None, causes: tuple[Noise, ...]) -> bool:
    return any(cause is noise for cause in causes)


def _in_time(delay: int | None) -> bool:
    return delay is not None and delay <= WITHIN
