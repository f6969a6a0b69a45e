"""What roster's handlers need of the world."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from gradphoto_contracts import ids, policy
from gradphoto_contracts.envelope import Event
from services.roster.domain import campaigns, imports, roster, rows

#: The fields of the vault.
Field = Literal["name", "document_no", "phone"]


class Sealed(NamedTuple):
    """A staged row with everything personal in it encrypted."""

    student_id: ids.StudentId
    class_id: ids.ClassId
    known: bool
    student_no: str
    cohort: str
    level: str
    eligible: bool
    document_type: str
    sex: str
    name_sealed: bytes
    document_sealed: bytes
    phone_sealed: bytes | None
    document_index: bytes
    fingerprint: bytes
    mode: str | None
    digest: str | None


class StudentRecord(NamedTuple):
    """A student for a list: what the roster may show of it after the vault has masked it."""

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    class_id: ids.ClassId
    campus_id: ids.CampusId
    college_zh: str
    label: str
    student_no: str
    cohort: str
    level: str
    eligible: bool
    withdrawn: bool
    ordinal: int
    document_type: str
    captured: bool
    code_registered: bool
    name_sealed: bytes
    document_sealed: bytes
    phone_sealed: bytes | None


class Reveal(NamedTuple):
    """One look at unmasked data: who, when, at whom, at what, and why. Kept for ever, never changed."""

    reveal_id: UUID
    at: datetime
    by: str
    role: str
    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    fields: Sequence[str]
    reason: str


class Scope(NamedTuple):
    """What a person may see of a campaign; None: all of it."""

    campuses: Sequence[UUID] | None = None
    colleges: Sequence[str] | None = None
    classes: Sequence[UUID] | None = None


class Vault(Protocol):
    """Encrypts and opens what is personal, and makes the keyed hashes by which it is compared."""

    def trace(self, checked: Sequence[rows.Row]) -> list[imports.Traced]: ...
    def seal(self, campaign_id: ids.CampaignId, staged: Sequence[imports.Staged], mode: str) -> list[Sealed]:
        """Encrypt staged rows; in every mode but `capture_code` with the digest of what is scanned at the desk."""
        ...

    def open(self, student_id: ids.StudentId, field: Field, sealed: bytes) -> str: ...
    def digest(self, campaign_id: ids.CampaignId, mode: str, payload: str) -> str: ...


class Campaigns(Protocol):
    """Campaigns with their campuses."""

    async def get(self, campaign_id: ids.CampaignId) -> campaigns.Campaign | None: ...
    async def locked(self, campaign_id: ids.CampaignId) -> campaigns.Campaign | None:
        """As `get`; until the transaction ends nobody else changes the campaign or its roster."""
        ...

    async def by_code(self, code: str) -> campaigns.Campaign | None: ...
    async def all(self) -> list[campaigns.Campaign]: ...
    async def add(self, campaign: campaigns.Campaign) -> None: ...
    async def save(self, campaign: campaigns.Campaign) -> None: ...


class Imports(Protocol):
    """Uploads, and the rows that wait to be applied."""

    async def add(self, new: imports.Import, by: str, now: datetime) -> None: ...
    async def locked(self, import_id: ids.ImportId) -> imports.Import | None: ...
    async def applied(self, import_id: ids.ImportId, now: datetime) -> None: ...
    async def stage(self, import_id: ids.ImportId, rows: Sequence[Sealed]) -> None: ...
    async def drop_before(self, before: datetime) -> int:
        """Forget the staged rows of uploads older than `before` that nobody applied; how many uploads."""
        ...


class Students(Protocol):
    """Classes and students. Every change is set-based and names what it touched."""

    async def known(self, campaign_id: ids.CampaignId) -> imports.Roster: ...
    async def sealed_names(self, student_ids: Sequence[ids.StudentId]) -> Mapping[ids.StudentId, bytes]: ...
    async def enrol(
        self, campaign_id: ids.CampaignId, change: UUID, classes: Sequence[imports.KnownClass]
    ) -> roster.Touched:
        """Write the classes and the rows staged under `change`; then set ordinals, headcounts and codes."""
        ...

    async def withdraw(self, student_id: ids.StudentId, change: UUID, reason: str) -> int:
        """Take a student off; its version then."""
        ...

    async def settle(self, campaign_id: ids.CampaignId, change: UUID) -> roster.Touched:
        """Set ordinals and headcounts anew where they no longer hold."""
        ...

    async def reassess(self, campaign_id: ids.CampaignId, change: UUID, eligible: Mapping[str, bool]) -> None:
        """Set eligibility by cohort where policy says otherwise now."""
        ...

    async def get(self, student_id: ids.StudentId) -> StudentRecord | None: ...
    async def find(self, campaign_id: ids.CampaignId, student_nos: Sequence[str]) -> Mapping[str, ids.StudentId]: ...


class Codes(Protocol):
    """Registered digests."""

    async def owners(self, campaign_id: ids.CampaignId, digests: Sequence[str]) -> Mapping[str, ids.StudentId]: ...
    async def held(self, student_ids: Sequence[ids.StudentId]) -> Mapping[ids.StudentId, str]: ...
    async def register(
        self, campaign_id: ids.CampaignId, mode: policy.IdentityMode, digests: Mapping[ids.StudentId, str], change: UUID
    ) -> Sequence[roster.CodeState]: ...


class Photos(Protocol):
    """Which photo is in force for whom, as capture says."""

    async def put(self, capture_id: ids.CaptureId, student_id: ids.StudentId, *, in_force: bool, version: int) -> None:
        """Take note, unless something newer of this photo is known."""
        ...


class Reveals(Protocol):
    """The record of looks at unmasked data: it can be added to and read, nothing else."""

    async def add(self, reveal: Reveal) -> None: ...


class Listings(Protocol):
    """What is read for lists, within a scope."""

    async def classes(self, campaign_id: ids.CampaignId, scope: Scope) -> Sequence[roster.ClassState]: ...
    async def students(
        self,
        campaign_id: ids.CampaignId,
        scope: Scope,
        class_id: ids.ClassId | None,
        after: ids.StudentId | None,
        limit: int,
    ) -> Sequence[StudentRecord]:
        """Students by id, so that `after` the last one goes on where a page ended."""
        ...

    async def reveals(self, after: UUID | None, campaigns: Sequence[UUID] | None, limit: int) -> Sequence[Reveal]: ...


class Events(Protocol):
    """The outbox."""

    async def add(self, event: Event) -> None: ...
    async def add_all(self, events: Iterable[Event]) -> None: ...


class Inbox(Protocol):
    """Events handled before."""

    async def unseen(self, event_ids: Sequence[UUID]) -> set[UUID]: ...


@dataclass(frozen=True)
class Work:
    """What one handler call may touch: one transaction."""

    campaigns: Campaigns
    imports: Imports
    students: Students
    codes: Codes
    photos: Photos
    reveals: Reveals
    listings: Listings
    vault: Vault
    events: Events
    inbox: Inbox
    now: datetime
    new_id: Callable[[], UUID]
