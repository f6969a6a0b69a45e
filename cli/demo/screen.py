"""What is seen while the demo runs: a line per act, notes, and a progress bar for the whole and for every desk."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from cli import screen


class Screen:
    """Acts, notes and bars on one console; without a terminal only the lines are printed."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.ticks = 0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=False)
        self._whole: TaskID | None = None
        self._bars: list[TaskID] = []

    @contextmanager
    def shown(self) -> Iterator["Screen"]:
        with self._progress:
            yield self

    def act(self, name: str) -> None:
        """A new act begins: the bars of the last one go."""
        for bar in [*self._bars, *([self._whole] if self._whole is not None else [])]:
            self._progress.remove_task(bar)
        self._bars, self._whole, self.ticks = [], None, 0
        self._progress.console.print(f"▶ {name}", style="bold", markup=False)

    def note(self, text: str) -> None:
        self._progress.console.print(f"  {text}", markup=False)

    def expect(self, what: str, total: int) -> None:
        """The whole of this act: so many ticks."""
        self._whole = self._progress.add_task(screen.plain(what), total=total)

    def tick(self, count: int = 1) -> None:
        self.ticks += count
        if self._whole is not None:
            self._progress.advance(self._whole, count)

    async def reached(self, ticks: int) -> None:
        """Return once this act has ticked so often."""
        while self.ticks < ticks:  # noqa: ASYNC110 - ticks come from many hands, and half a second late is soon enough
            await asyncio.sleep(0.05)

    def bar(self, what: str, total: int) -> TaskID:
        bar = self._progress.add_task(f"  {screen.plain(what)}", total=total)
        self._bars.append(bar)
        return bar

    def advance(self, bar: TaskID) -> None:
        self._progress.advance(bar)
