"""A desk pack's state: by which numbers a station says what it holds, and the server what it has."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

#: What the signature over a desk pack, or over its changes, is over.
SIGNED_AS = "gradphoto-desk-pack"

Kind = Literal["whole", "changes"]


@dataclass(frozen=True)
class Students:
    """A state of a campaign's students as packs show them. `mark` tells states of one number apart after a restore."""

    number: int = 0
    mark: str = "0"


@dataclass(frozen=True)
class State:
    """What a pack consists of. Two packs of a desk with the same state differ in nothing but their times.

    `head` and `classes` are short digests; `hour` makes a pack that nothing has changed be renewed in time.
    """

    students: Students
    head: str
    classes: str
    hour: str

    @property
    def etag(self) -> str:
        """As it goes into `ETag`, and comes back in `If-None-Match`."""
        return f'"{self.students.number}-{self.students.mark}-{self.head}-{self.classes}-{self.hour}"'


def state(students: Students, head: str, classes: str, now: datetime) -> State:
    """The state of a pack that is given out now."""
    return State(students, head, classes, f"{now:%Y%m%d%H}")


def read(etag: str | None) -> State | None:
    """The state that a station says it holds; None when that is nothing that we ever said."""
    parts = (etag or "").removeprefix("W/").strip('"').split("-")
    if len(parts) != 5 or not (parts[0].isascii() and parts[0].isdigit() and len(parts[0]) < 16):
        return None
    return State(Students(int(parts[0]), parts[1]), parts[2], parts[3], parts[4])
