"""A row of the public fault matrix: how a fault is made, what is expected of it, and what was seen."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from cli.faults import integrity
from cli.faults.hall import Hall


@dataclass
class Seen:
    """What one trial showed. `wrong` holds every expectation that was not met."""

    zh: str = ""
    moved: tuple[float, float] = (0.0, 0.0)
    frames: int = 0
    wrong: list[str] = field(default_factory=list)
    #: What the negative control showed; empty: it showed nothing, and the row fails.
    control: str = ""
    note: str = ""

    def demand(self, holds: object, what: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.wrong.append(what)

    def took(self, found: integrity.Found) -> None:
        """Note what the comparison of journal, server and store found."""
        self.frames += found.frames
        self.wrong += found.wrong
        self.demand(found.frames, "没有任何照片 no frame was taken")


@dataclass(frozen=True)
class Fault:
    """One row. `code` is the message's, `metric` the series that moves, `alert` the rule that covers it."""

    name: str
    zh: str
    en: str
    simulator: str
    code: str
    metric: str
    alert: str
    control: str
    trial: Callable[[Hall], Awaitable[Seen]] | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody can try it yet."""
        return self.trial is None


@dataclass(frozen=True)
class Outcome:
    """A row that was tried."""

    fault: Fault
    seen: Seen
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether all expectations were met, and the control showed that they can fail."""
        return not self.seen.wrong and bool(self.seen.control) and bool(self.seen.zh)
