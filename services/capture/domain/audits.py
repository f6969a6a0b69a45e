"""An integrity audit: what should lie in the object store against what lies there, stretch by stretch of the keys.

Each campaign has its own, over its own folders; one more looks at what lies anywhere else.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from gradphoto_contracts import ids

Kind = Literal["missing", "wrong_hash", "undecodable", "unreadable", "orphan"]
KINDS: tuple[Kind, ...] = ("missing", "wrong_hash", "undecodable", "unreadable", "orphan")
#: What is audited: of a campaign its folder in each of the first two, one after the other; or all that is elsewhere.
Section = Literal["originals", "photos", "elsewhere"]
#: The folders of the bucket that have a folder a campaign; verify keeps its archives in the last.
FOLDERS = ("originals", "photos", "batches")
#: Stands where a campaign's id does, in the audit of what lies in no known campaign's folder.
ELSEWHERE = ids.CampaignId(UUID(int=0))
#: An orphan is called so after this time at most in an audit that tells how a campaign stands.
FULL_GRACE_S = 3600
#: So often an object is asked for that the store cannot read; then that is what was found.
TRIES = 5
#: No composed picture comes near it; of what is longer no more is read.
LARGEST_PHOTO = 10_000_000


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
    #: How often the present stretch could not be looked at to its end, because the store did not answer.
    tries: int = 0

    @property
    def folder(self) -> str:
        """The prefix of the keys that are looked at now."""
        return "" if self.section == "elsewhere" else f"{self.section}/{self.campaign_id}/"

    @property
    def full(self) -> bool:
        """Whether it leaves nothing out, so that what it does not find may be called gone."""
        return self.decode and self.grace_s <= FULL_GRACE_S

    def as_asked(self, other: "Audit") -> bool:
        """Whether it looks at what the other would."""
        return (self.decode, self.grace_s) == (other.decode, other.grace_s)


@dataclass(frozen=True)
class Expected:
    """An object that the rows name, and how long it is at most.

    `unreadable`: that it may be no picture is known and harmless: so judged by the authority, or taken again at once.
    """

    name: str
    sha256: str
    capture_ids: tuple[ids.CaptureId, ...]
    unreadable: bool = False
    at_most: int = LARGEST_PHOTO


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


def outside(lying: Sequence[Lying], campaign_ids: Collection[ids.CampaignId]) -> list[Lying]:
    """What lies in no known campaign's folder: in another one, or in none."""
    known = {str(campaign_id) for campaign_id in campaign_ids}
    return [one for one in lying if not _of_campaign(one.name.split("/"), known)]


def _of_campaign(parts: list[str], known: set[str]) -> bool:
    return len(parts) > 2 and parts[0] in FOLDERS and parts[1] in known


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
        tries=0,
    )
    if looked.end is not None:
        return replace(after, cursor=looked.end)
    if audit.section == "originals":
        return replace(after, section="photos", cursor="")
    return replace(after, finished_at=now)


def worst(found: Sequence[Mapping[str, int]]) -> dict[Kind, int]:
    """Of each kind the most that any of these audits found."""
    return {kind: max(counts.get(kind, 0) for counts in found) for kind in KINDS}
