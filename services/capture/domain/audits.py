"""An integrity audit: what should lie in the object store against what lies there, stretch by stretch of the keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from gradphoto_contracts import ids

Kind = Literal["missing", "wrong_hash", "undecodable", "orphan"]
KINDS: tuple[Kind, ...] = ("missing", "wrong_hash", "undecodable", "orphan")
#: What is audited, in this order: each is a folder of the store with a folder a campaign in it.
Section = Literal["originals", "photos"]
SECTIONS: tuple[Section, ...] = ("originals", "photos")


@dataclass(frozen=True)
class Audit:
    """One run over a campaign. Whoever is killed in it leaves it to the next from `section` and `cursor`.

    `cursor` is the name behind the folder that was looked at last; `expected` is how many objects there were to check
    when it began, `checked` how many of them have been. An orphan younger than `grace_s` seconds is an upload whose
    capture may be on its way: counted as `in_flight`, no finding.
    """

    audit_id: UUID
    campaign_id: ids.CampaignId
    asked_by: str
    decode: bool
    grace_s: int
    started_at: datetime
    expected: int
    section: Section = "originals"
    cursor: str = ""
    checked: int = 0
    in_flight: int = 0
    known_unreadable: int = 0
    finished_at: datetime | None = None

    @property
    def folder(self) -> str:
        """The prefix of the keys that are looked at now."""
        return f"{self.section}/{self.campaign_id}/"


@dataclass(frozen=True)
class Expected:
    """An object that the rows name. `unreadable`: the authority has said already that it is no picture."""

    name: str
    sha256: str
    capture_ids: tuple[ids.CaptureId, ...]
    unreadable: bool = False


@dataclass(frozen=True)
class Lying:
    """An object that the store has; `age` by the real clock."""

    name: str
    age: timedelta


@dataclass(frozen=True)
class Finding:
    """An object that is not as the rows say, and whose it is."""

    object_key: str
    kind: Kind
    capture_ids: tuple[ids.CaptureId, ...] = ()


@dataclass(frozen=True)
class Stretch:
    """Rows and objects between two names, laid side by side. `end` is where the next begins; None: nothing follows."""

    present: tuple[Expected, ...]
    absent: tuple[Expected, ...]
    unknown: tuple[Lying, ...]
    end: str | None


@dataclass(frozen=True)
class Looked:
    """What became of a stretch once every object in it was looked at."""

    findings: tuple[Finding, ...] = ()
    checked: int = 0
    in_flight: int = 0
    known_unreadable: int = 0
    end: str | None = field(default=None)


def lay(expected: Sequence[Expected], lying: Sequence[Lying], limit: int) -> Stretch:
    """Compare the next rows with the next objects, both in order and at most `limit`, as far as both are known."""
    ends = [side[-1].name for side in (expected, lying) if len(side) >= limit]
    end = min(ends) if ends else None
    rows = [one for one in expected if end is None or one.name <= end]
    objects = [one for one in lying if end is None or one.name <= end]
    there, known = {one.name for one in objects}, {one.name for one in rows}
    return Stretch(
        present=tuple(one for one in rows if one.name in there),
        absent=tuple(one for one in rows if one.name not in there),
        unknown=tuple(one for one in objects if one.name not in known),
        end=end,
    )


def judge_unknown(audit: Audit, unknown: Sequence[Lying]) -> tuple[tuple[Finding, ...], int]:
    """The orphans among objects that no row names, and how many are too young to be called so."""
    old = [one for one in unknown if one.age.total_seconds() >= audit.grace_s]
    return tuple(Finding(audit.folder + one.name, "orphan") for one in old), len(unknown) - len(old)


def advance(audit: Audit, looked: Looked, now: datetime) -> Audit:
    """The audit after a stretch: further on, in the next section, or finished."""
    after = replace(
        audit,
        checked=audit.checked + looked.checked,
        in_flight=audit.in_flight + looked.in_flight,
        known_unreadable=audit.known_unreadable + looked.known_unreadable,
    )
    if looked.end is not None:
        return replace(after, cursor=looked.end)
    place = SECTIONS.index(audit.section) + 1
    if place == len(SECTIONS):
        return replace(after, finished_at=now)
    return replace(after, section=SECTIONS[place], cursor="")
