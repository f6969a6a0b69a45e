"""A figure of a bench: ours beside the floor, measured in the same run; only the ratio is worth keeping."""

import os
import platform
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """`ours` and `floor` in `unit`, taken in alternation. More is better, unless `less` is."""

    name: str
    zh: str
    unit: str
    ours: float
    floor: float
    floor_is: str
    aim: float | None = None
    less: bool = False

    @property
    def ratio(self) -> float:
        return self.ours / self.floor if self.floor else 0.0

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": round(self.ratio, 3)}


class Stopwatch:
    """Seconds of a block, for one side of a comparison."""

    def __init__(self) -> None:
        self.turns: list[float] = []

    @contextmanager
    def turn(self) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.turns.append(time.perf_counter() - started)

    @property
    def median_s(self) -> float:
        return statistics.median(self.turns)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpus": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def show(figures: list[Figure], console: Console) -> None:
    """A table of all figures."""
    table = Table(title="基准 Benchmarks", title_justify="left")
    for heading in ("项目 what", "本系统 ours", "下限 floor", "比 ratio", "目标 aim", "下限是 the floor is"):
        table.add_column(heading)
    for f in figures:
        aim = f"{'≤' if f.less else '≥'} {f.aim:g}" if f.aim else "–"
        table.add_row(
            f"{f.zh}\n{f.name}",
            f"{f.ours:,.1f} {f.unit}",
            f"{f.floor:,.1f} {f.unit}",
            f"{f.ratio:.2f}",
            aim,
            f.floor_is,
        )
    console.print(table)
