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
    #: Losses that were planted in what server and store answer, and that the frame check found.
    planted: int = 0
    note: str = ""

    def demand(self, holds: object, what: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.wrong.append(what)

    def took(self, found: integrity.Found) -> None:
        """Note what the comparison of journal, server and store found."""
        self.frames += found.frames
        self.planted += len(found.planted)
        self.wrong += [*found.wrong, *(f"对账看不出 the frame check does not see: {loss}" for loss in found.unseen)]
        self.demand(found.frames, "没有任何照片 no frame was taken")

    @property
    def missing(self) -> list[str]:
        """Everything that keeps the row from passing."""
        before, after = self.moved
        kept = (
            (self.zh, "无提示 no message"),
            (before != after, f"指标未动 the metric did not move: {before:g} → {after:g}"),
            (self.frames, "没有照片 no frame was looked at"),
            (self.planted, "对账未见植入的缺失 the frame check was not shown to find a loss"),
            (self.control, "反例无效 the control showed nothing"),
        )
        return [*self.wrong, *(words for holds, words in kept if not holds)]


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
        """Whether message, metric and frames were as they should be, and control and planted losses show it."""
        return not self.seen.missing
