"""A scenario: one real notice as configuration. Read from `scenarios/*.toml`, checked whole before anything starts."""

import re
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from gradphoto_contracts.policy import Policy

FOLDER = Path(__file__).parent.parent / "scenarios"
_PRINTED = re.compile(r"^(?P<label>[^【】]+)(?:【(?P<code>[A-Z]\d+)】)?$")


class ScenarioInvalid(Exception):
    """The scenario file cannot be played; the message names file, place and remedy."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Campaign(_Part):
    code: str
    title_zh: str
    school_code: Annotated[str, Field(pattern=r"^\d{5}$")]
    graduation_year: int


class Campus(_Part):
    code: str
    name_zh: str


class Group(_Part):
    """A group of interchangeable desks in one room."""

    code: str
    campus: str
    site_zh: str
    room_zh: str
    desks: int = Field(ge=1)
    planned_per_hour: int = Field(ge=1)


class SchoolClass(_Part):
    """A class as the notice prints it. `order_code` is None where the notice leaves it to the planner."""

    label: str
    college_zh: str = ""
    order_code: str | None = None


class Generated(_Part):
    """Classes that the notice does not name: `prefix` and a running number."""

    prefix: str
    count: int = Field(ge=1)


class Window(_Part):
    """A span of time of one group, and the classes (or the delegated block) that it is for."""

    group: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    college_zh: str = ""
    printed: str = ""
    classes: tuple[SchoolClass, ...] = ()
    generated: Generated | None = None
    delegated_zh: str = ""

    def school_classes(self) -> tuple[SchoolClass, ...]:
        """The window's classes in order, whichever way the file gives them; empty for a delegated block."""
        return tuple(self._given())

    def _given(self) -> Iterator[SchoolClass]:
        for text in filter(None, self.printed.split("、")):
            match = _PRINTED.match(text)
            if match is None:
                raise ValueError(f"“{text}” 不是“班级【顺序代码】”的写法 is not written as class【order code】")
            yield SchoolClass(label=match["label"], college_zh=self.college_zh, order_code=match["code"])
        for each in self.classes:
            yield each.model_copy(update={"college_zh": each.college_zh or self.college_zh})
        if self.generated:
            for number in range(1, self.generated.count + 1):
                yield SchoolClass(label=f"{self.generated.prefix}{number}", college_zh=self.college_zh)


class Special(_Part):
    """A cohort other than the first, as a share of all students."""

    cohort: str
    share: float = Field(gt=0, lt=1)


class Students(_Part):
    """How many students to draw up: `class_size` a class, `total` in all."""

    class_size: int = Field(ge=1)
    total: int = Field(ge=1)
    specials: tuple[Special, ...] = ()


class Scenario(_Part):
    """One notice, complete."""

    name: str
    campaign: Campaign
    campuses: tuple[Campus, ...]
    policy: Policy
    students: Students
    groups: tuple[Group, ...]
    windows: tuple[Window, ...]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        campuses, groups = {c.code for c in self.campuses}, {g.code for g in self.groups}
        if unknown := {g.campus for g in self.groups} - campuses:
            raise ValueError(f"groups 用到未列的校区 unknown campus: {sorted(unknown)}")
        if unknown := {w.group for w in self.windows} - groups:
            raise ValueError(f"windows 用到未列的组别 unknown group: {sorted(unknown)}")
        classes = self.classes()
        if len({c.label for c in classes}) != len(classes):
            raise ValueError("班级重复 a class stands twice in the windows")
        if len(classes) * self.students.class_size != self.students.total:
            raise ValueError(f"total 应为 should be {len(classes)} × {self.students.class_size}")
        return self

    def classes(self) -> tuple[SchoolClass, ...]:
        """All classes, in the order of the windows."""
        return tuple(c for window in self.windows for c in window.school_classes())

    def campus_of(self, window: Window) -> Campus:
        """The campus where a window's group stands."""
        group = next(g for g in self.groups if g.code == window.group)
        return next(c for c in self.campuses if c.code == group.campus)

    @property
    def first_day(self) -> datetime:
        return min(w.starts_at for w in self.windows)

    @property
    def names_its_classes(self) -> bool:
        """Whether the notice prints its classes: such a list is never cut."""
        return not any(w.generated for w in self.windows)

    def cut_to(self, students: int) -> dict[str, int]:
        """The size of each class when only `students` of them play; classes that drop out are missing.

        Printed classes all stay, with at least one student each; of generated ones every window keeps some.
        """
        if students >= self.students.total:
            return {c.label: self.students.class_size for c in self.classes()}
        kept = self.classes() if self.names_its_classes else tuple(self._first_classes(students))
        size, over = divmod(max(students, len(kept)), len(kept))
        return {c.label: size + (1 if i < over else 0) for i, c in enumerate(kept)}

    def _first_classes(self, students: int) -> Iterator[SchoolClass]:
        """One class of about eight students at a time from each group in turn, until there are enough."""
        wanted = max(len(self.groups), students // 8)
        queues = [
            [c for w in self.windows if w.group == g.code for c in w.school_classes()][:: self._stride(g, wanted)]
            for g in self.groups
        ]
        turns = max(len(q) for q in queues)
        picked = [q[turn] for turn in range(turns) for q in queues if turn < len(q)]
        yield from picked[:wanted]

    def _stride(self, group: Group, wanted: int) -> int:
        """How far apart the classes of a group are taken, so that the whole day is seen."""
        there = sum(len(w.school_classes()) for w in self.windows if w.group == group.code)
        return max(1, there // -(-wanted // len(self.groups)))


def names() -> list[str]:
    """The scenarios that ship."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Scenario:
    """Read and check a scenario by its name or by a file's path.

    Raises:
        ScenarioInvalid: no such file, or the file does not add up.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        raise ScenarioInvalid(
            f"没有场景 {name}；可用：{'、'.join(names())} / no such scenario; there are: {', '.join(names())}"
        )
    try:
        return Scenario.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioInvalid(f"{path.name}：不是 TOML / is not TOML: {error}") from error
    except ValidationError as error:
        raise ScenarioInvalid(f"{path.name}：\n{_faults(error)}") from error


def _faults(error: ValidationError) -> str:
    def line(fault: Any) -> str:
        return f"  {'.'.join(map(str, fault['loc'])) or '(file)'}: {fault['msg']}"

    return "\n".join(line(fault) for fault in error.errors())
