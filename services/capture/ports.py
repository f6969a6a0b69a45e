"""What capture's handlers need of the outside: copies of others' facts, its own stores, objects, an inspector."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from gradphoto_contracts import ids
from gradphoto_contracts.envelope import Event
from services.capture.domain import (
    audits,
    checkins,
    consents,
    doubles,
    floor,
    packs,
    photos,
    ranges,
    seals,
    sessions,
    stations,
)


class Events(Protocol):
    """The outbox."""

    async def add(self, event: Event) -> None: ...


class Inbox(Protocol):
    """What was heard already."""

    async def unseen(self, event_ids: Sequence[UUID]) -> set[UUID]: ...


class Floor(Protocol):
    """Copies of what roster and scheduler said. Each `put` ignores what is not newer than what is stored."""

    async def campaign(self, campaign_id: ids.CampaignId) -> floor.Campaign | None: ...
    async def student(self, student_id: ids.StudentId) -> floor.Student | None: ...
    async def desk(self, desk_id: ids.DeskId) -> floor.Desk | None: ...
    async def desks(self) -> Sequence[floor.Desk]: ...
    async def place(self, desk_id: ids.DeskId) -> floor.Place:
        """The codes of a desk and its campus; empty texts while they are not known."""
        ...

    async def put_campaign(self, campaign: floor.Campaign) -> None: ...
    async def close_campaign(self, campaign_id: ids.CampaignId, version: int) -> bool:
        """False when the campaign is not known yet."""
        ...

    async def put_class(self, school_class: floor.SchoolClass) -> None: ...
    async def put_student(self, student: floor.Student) -> None: ...
    async def put_code(self, code: floor.Code) -> None: ...
    async def put_desks(self, desks: Sequence[floor.Desk]) -> None: ...
    async def put_slot(self, slot: floor.Slot) -> None: ...
    async def cancel_slot(self, slot_id: ids.SlotId, campaign_id: ids.CampaignId, version: int) -> None: ...


class Stations(Protocol):
    """Stations and their keys."""

    async def get(self, station_id: ids.StationId, *, lock: bool = False) -> stations.Station | None: ...
    async def by_code(self, code_index: bytes) -> stations.Station | None:
        """The station that this one-time code invites, locked until the transaction ends."""
        ...

    async def add(self, station: stations.Station) -> None: ...
    async def save(self, station: stations.Station) -> None: ...
    async def note_health(self, station_id: ids.StationId, health: stations.Health) -> None: ...
    async def silent_for(self, real_seconds: float) -> Sequence[stations.Station]:
        """Stations that are called online and were not heard for so long, locked."""
        ...


class Checkins(Protocol):
    """Check-ins."""

    async def add(self, checkin: checkins.Checkin) -> bool:
        """False when the id or the ticket is taken; `get` tells which."""
        ...

    async def get(self, checkin_id: ids.CheckinId, *, lock: bool = False) -> checkins.Checkin | None: ...
    async def waiting_for(self, student_id: ids.StudentId) -> Sequence[checkins.Checkin]:
        """Check-ins of a student whose class is not known yet, locked."""
        ...

    async def lock(self, checkin_id: ids.CheckinId) -> None:
        """Let one transaction at a time hold a check-in against the frames that name it, known or not."""
        ...

    async def save(self, checkin: checkins.Checkin) -> None:
        """Write what has become of a check-in that was read with its lock."""
        ...

    async def note_let_in(self, note: "LetInNote") -> "LetInNote":
        """Note who let them in, once; what stands there then, without its words."""
        ...


class Photos(Protocol):
    """Photos: what was shot, what became of it, whose it is, and how that came to be."""

    async def get(self, capture_id: ids.CaptureId, *, lock: bool = False) -> photos.Photo | None: ...
    async def add(self, photo: photos.Photo) -> bool:
        """False when the id is taken."""
        ...

    async def waiting_for(self, student_id: ids.StudentId) -> Sequence[photos.Photo]:
        """Photos of a student whose class is not known yet, locked."""
        ...

    async def awaited(self, limit: int) -> Sequence[floor.Student]:
        """Students that are known by now and for whom a check-in or a photo still waits."""
        ...

    async def in_force_by(self, checkin_id: ids.CheckinId) -> Sequence[photos.Photo]:
        """Photos in force whose frames name this check-in, locked."""
        ...

    async def save(self, photo: photos.Photo) -> None:
        """Write what has become of a photo that was read with `lock`."""
        ...

    async def put_in_force(self, photo: photos.Photo) -> bool:
        """As `save`, for an accepted photo; False, and nothing written, when the student has another one in force."""
        ...

    async def move(self, moved: Sequence[photos.Photo]) -> bool:
        """Save photos with their new students at once; False, and nothing written, when one has another in force."""
        ...

    async def note(self, entry: "Note") -> None:
        """Add to the history, which is never changed."""
        ...

    async def note_derivative(self, derivative: "Derivative") -> None:
        """Add to the lineage, which only grows; the same again changes nothing."""
        ...

    async def claim(self, lease_s: float) -> "Claim | None":
        """Take a received photo for inspection. It is free again when released, or when the lease runs out."""
        ...

    async def release(self, claim: "Claim", wait_s: float, *, counted: bool) -> None:
        """Give a claim back, to be taken again after `wait_s` seconds; `counted` when the image may be at fault."""
        ...

    async def set_aside(self, claim: "Claim", least_s: float, most_s: float) -> None:
        """Give a claim back whose original cannot be had: taken again when it has been lost twice as long as now.

        Real seconds, between these two. Not counted: the image is not at fault.
        """
        ...

    async def lost(self) -> dict[ids.CampaignId, int]:
        """Photos by campaign that wait for an original which cannot be had."""
        ...

    async def inspect_again(self, photo: photos.Photo) -> None:
        """As `save`, for a photo that is to be inspected as if for the first time."""
        ...

    async def claimed(self, claim: "Claim") -> photos.Photo | None:
        """The photo of a claim, locked; None when it is decided or another worker has it now."""
        ...


@dataclass(frozen=True)
class Claim:
    """A photo taken for inspection, for the `attempt`-th time."""

    photo: photos.Photo
    attempt: int


@dataclass(frozen=True)
class Note:
    """A line of a photo's history: who did what, as what, when and why. `reason` may hold a person's own words."""

    capture_id: ids.CaptureId
    version: int
    act: str
    author: str
    role: str
    reason: str
    at: datetime
    from_student_id: ids.StudentId | None = None
    to_student_id: ids.StudentId | None = None


@dataclass(frozen=True)
class LetInNote:
    """Who let a student in at a desk, as what, why and when. `reason` is None where it is not opened."""

    checkin_id: ids.CheckinId
    campaign_id: ids.CampaignId
    student_id: ids.StudentId
    desk_id: ids.DeskId
    station_id: ids.StationId
    role: photos.Role
    reason: str | None
    mark: str
    at: datetime
    recorded_at: datetime


class Consents(Protocol):
    """What students said to face comparison; only grows."""

    async def add(self, consent: consents.Consent) -> consents.Consent:
        """Note it, once; what stands under its id then."""
        ...

    async def of_student(self, student_id: ids.StudentId) -> list[consents.Consent]: ...


@dataclass(frozen=True)
class RangeRebind:
    """A shift that was done: what was asked, what was looked at (`digest`), by whom and why, and where photos went."""

    rebind_id: UUID
    shift: ranges.Shift
    digest: str
    author: str
    reason: str
    applied_at: datetime
    moves: Mapping[ids.CaptureId, ids.StudentId]


class Ranges(Protocol):
    """The numbers of a desk, and the shifts of their photos."""

    async def lock(self, desk_id: ids.DeskId) -> None:
        """Let one shift at a time be done at a desk, until the transaction ends."""
        ...

    async def places(self, campaign_id: ids.CampaignId, desk_id: ids.DeskId) -> list[ranges.Place]:
        """All numbers of the desk, in order, with whose photo is whose."""
        ...

    async def add(self, done: RangeRebind) -> None: ...
    async def get(self, rebind_id: UUID) -> RangeRebind | None: ...
    async def of_desk(self, desk_id: ids.DeskId, after: UUID | None, limit: int) -> list[RangeRebind]:
        """In the order in which they were done, behind `after`."""
        ...


@dataclass(frozen=True)
class Derivative:
    """Where a composed picture comes from: which original, by which profile, made by which program."""

    capture_id: ids.CaptureId
    sha256: str
    object_key: str
    original_sha256: str
    profile: str
    maker: str
    made_at: datetime


@dataclass(frozen=True)
class AuditClaim:
    """A stretch of an audit taken by a worker, as the `number`-th of that audit."""

    audit: audits.Audit
    number: int


@dataclass(frozen=True)
class AuditStanding:
    """How a campaign stands: by its last full audit, and by what others have found since.

    `since` is when the last full audit began that has ended; else the first that has not.
    """

    campaign_id: ids.CampaignId
    open: bool
    since: datetime | None
    found: Mapping[audits.Kind, int]


class Audits(Protocol):
    """Audits and what they found."""

    async def count_expected(self, campaign_id: ids.CampaignId) -> int:
        """How many objects the rows name."""
        ...

    async def add(self, audit: audits.Audit) -> audits.Audit:
        """Begin it, unless one of the campaign runs: that one is the answer."""
        ...

    async def get(self, audit_id: UUID) -> audits.Audit | None: ...
    async def due(self, before: datetime, closed_before: datetime) -> Sequence[ids.CampaignId]:
        """Campaigns with photos, and what lies elsewhere, whose last full audit began before, and none runs."""
        ...

    async def claim(self, lease_s: float) -> AuditClaim | None:
        """Take the next stretch of a running audit."""
        ...

    async def release(self, claim: AuditClaim, wait_s: float) -> None:
        """Give a stretch back that could not be looked at, to be tried again after so many real seconds."""
        ...

    async def save(self, claim: AuditClaim, after: audits.Audit, findings: Sequence[audits.Finding]) -> bool:
        """Write what a stretch came to; False, and nothing written, when another worker has it now."""
        ...

    async def counts(self, audit_id: UUID) -> dict[str, int]:
        """Findings by kind."""
        ...

    async def findings(self, audit_id: UUID, after: int, limit: int) -> list[dict[str, Any]]: ...
    async def standing(self) -> Sequence["AuditStanding"]:
        """How each campaign stands, and what lies elsewhere."""
        ...

    async def expected(
        self, campaign_id: ids.CampaignId, section: audits.Section, after: str, limit: int
    ) -> Sequence[audits.Expected]:
        """What must lie in the object store, in the order of the names, behind `after`."""
        ...


class Doubles(Protocol):
    """Students taken at two desks."""

    async def lock(self, student_id: ids.StudentId) -> None:
        """Let one transaction at a time look at a student's check-ins."""
        ...

    async def live(self, student_id: ids.StudentId) -> list[checkins.Checkin]:
        """The check-ins that count: not released, and not come to nothing but refused photos."""
        ...

    async def in_force(self, student_id: ids.StudentId) -> photos.Photo | None:
        """The student's photo in force, locked."""
        ...

    async def get(self, student_id: ids.StudentId) -> doubles.Double | None: ...
    async def save(self, double: doubles.Double) -> None: ...


class Sessions(Protocol):
    """Seals and drifts."""

    async def seal(self, session_id: ids.SessionId) -> seals.Seal | None:
        """Locked, and so is the id that has none yet."""
        ...

    async def save_seal(self, seal: seals.Seal) -> None: ...
    async def note_settled(self, session_id: ids.SessionId, reason: str) -> None:
        """Keep why it was settled, sealed."""
        ...

    async def settled_reason(self, session_id: ids.SessionId) -> str | None:
        """Open why it was settled; whoever asks is on record."""
        ...

    async def frames(self, told: seals.Told) -> Sequence[seals.Stored]:
        """What is here of the frames that a session names, and of those that its cameras counted."""
        ...

    async def drift(self, drift_id: ids.DriftId) -> sessions.Drift | None:
        """Locked, and so is the id that has none yet."""
        ...

    async def save_drift(self, drift: sessions.Drift) -> None: ...


@dataclass(frozen=True)
class Head:
    """What is a desk's own in its pack. `number` grows with each change; the digests tell which part has changed."""

    number: int
    digest: str
    classes_digest: str
    classes: tuple[dict[str, Any], ...]
    next_ticket: int


class Packs(Protocol):
    """Desk packs: digests, class labels, ordinals. Entries come as JSON text: there are thousands of them."""

    async def students(self, campaign: floor.Campaign) -> packs.Students:
        """The state of the campaign's students now, after all that was noted has been worked in."""
        ...

    async def knows(self, campaign_id: ids.CampaignId, students: packs.Students) -> bool:
        """Whether the students ever were in that state, so that what has changed since can be told."""
        ...

    async def entries(self, campaign_id: ids.CampaignId, since: int | None = None) -> str:
        """A JSON array of all entries, or of those that have changed since that number."""
        ...

    async def gone(self, campaign_id: ids.CampaignId, since: int) -> list[str]:
        """Who has left the list since that number."""
        ...

    async def head(self, campaign: floor.Campaign, desk: floor.Desk) -> Head: ...


class Reports(Protocol):
    """Questions that staff ask. Rows come as they go out."""

    async def fleet(
        self, fleet: "Fleet", campaign_id: ids.CampaignId | None, after: UUID | None, limit: int
    ) -> list[dict[str, Any]]: ...
    async def hall(self, group_id: ids.GroupId) -> list[dict[str, Any]]:
        """The enrolled stations of a group's desks, in the order of the desks' codes."""
        ...

    async def doubles(
        self, campaign_id: ids.CampaignId, scope: "Scope", after: UUID | None, limit: int
    ) -> list[dict[str, Any]]: ...
    async def covers(self, scope: "Scope", class_id: ids.ClassId) -> bool:
        """Whether the class lies within the scope."""
        ...

    async def progress(self, campaign_id: ids.CampaignId, scope: "Scope") -> dict[str, Any]: ...
    async def captures(
        self, campaign_id: ids.CampaignId, scope: "Scope", after: UUID | None, limit: int, *, review: bool | None = None
    ) -> list[dict[str, Any]]: ...
    async def capture(self, capture_id: ids.CaptureId) -> dict[str, Any]: ...
    async def photos(
        self, campaign_id: ids.CampaignId, scope: "Scope", after: UUID | None, limit: int
    ) -> list[dict[str, Any]]: ...
    async def of_student(
        self, student_id: ids.StudentId, scope: "Scope", after: UUID | None, limit: int
    ) -> list[dict[str, Any]]:
        """The captures taken as this student's, or theirs now; of the former, those whose holder is within scope."""
        ...

    async def history(self, capture_id: ids.CaptureId) -> list[dict[str, Any]]:
        """What was done to a photo, with the words opened; whoever asks is on record."""
        ...

    async def let_in(self, student_id: ids.StudentId) -> list[dict[str, Any]]:
        """Who let a student in, with the words opened; whoever asks is on record."""
        ...

    async def derivatives(self, capture_id: ids.CaptureId) -> list[dict[str, Any]]: ...
    async def missing(
        self,
        campaign_id: ids.CampaignId,
        scope: "Scope",
        class_id: ids.ClassId | None,
        after: UUID | None,
        limit: int,
    ) -> list[dict[str, Any]]: ...
    async def campaigns(self) -> list[ids.CampaignId]: ...
    async def sessions(self, campaign_id: ids.CampaignId, after: UUID | None, limit: int) -> list[dict[str, Any]]: ...


@dataclass(frozen=True)
class Scope:
    """What of a campaign somebody may see: classes on these campuses, of these colleges, these ones. None is all."""

    campus_ids: tuple[UUID, ...] | None = None
    colleges: tuple[str, ...] | None = None
    class_ids: tuple[UUID, ...] | None = None


@dataclass(frozen=True)
class Fleet:
    """Over which desks somebody has a say: those of these campaigns, on these campuses. None is all."""

    campaign_ids: tuple[UUID, ...] | None = None
    campus_ids: tuple[UUID, ...] | None = None


#: What somebody opened: an image, the words with which people explained themselves, or a dead desk's keys.
What = Literal["photo", "original", "history", "range", "session", "student", "keys"]


@dataclass(frozen=True)
class View:
    """That somebody opened an image, or what people wrote about a photo, a desk's ranges, a session or a student."""

    subject_id: UUID
    viewer: str
    role: str
    what: What
    at: datetime


class Views(Protocol):
    """Who looked at what; only grows."""

    async def note(self, view: View) -> None: ...
    async def of_capture(self, capture_id: ids.CaptureId, after: int, limit: int) -> list[dict[str, Any]]:
        """Who opened a photo, its history, or the keys of the station that took it."""
        ...

    async def of_student(self, student_id: ids.StudentId, after: int, limit: int) -> list[dict[str, Any]]:
        """Who opened what is kept of a student, or any photo that was taken as theirs or is theirs now."""
        ...


class Figures(Protocol):
    """What the figures tell of the desks of open campaigns, each by campus and desk: one statement each."""

    async def plan(self) -> list[dict[str, Any]]: ...
    async def fleet(self) -> list[dict[str, Any]]:
        """How the enrolled stations are that were ever heard; the one heard last comes last."""
        ...

    async def refused(self) -> list[dict[str, Any]]:
        """How many sessions of each desk are refused."""
        ...


@dataclass(frozen=True)
class Found:
    """An object as it lies in the store: its length, and which version it is (None: no versions).

    `sha256` is the hash of its bytes; None where they were not read, since the length is another one than was said.
    """

    size: int
    sha256: str | None
    version: str | None


class Listed(Protocol):
    """An object as a listing tells of it."""

    @property
    def key(self) -> str: ...
    @property
    def modified_at(self) -> datetime: ...


class Objects(Protocol):
    """The object store."""

    async def put(self, key: str, data: bytes, content_type: str) -> None: ...
    async def get(self, key: str, version: str | None = None, *, at_most: int | None = None) -> bytes:
        """The bytes, as they are now or in a version; of what is longer than `at_most` only one byte more."""
        ...

    async def ready(self) -> bool:
        """Whether the store answers at all."""
        ...

    async def exists(self, key: str) -> bool: ...
    async def found(self, key: str, size_bytes: int) -> Found | None:
        """What truly lies there: its own bytes are read, where they are as many as was said. None: no such object."""
        ...

    async def keep(self, key: str, version: str | None) -> bool:
        """Put an original under object lock; False where the store has none. Again changes nothing."""
        ...

    def scan(self, prefix: str, after: str | None = None) -> AsyncIterator[Listed]:
        """Objects under a prefix, in the order of their keys, behind `after`."""
        ...

    async def presign_put(self, key: str, expires_s: int) -> str: ...
    async def presign_get(self, key: str, expires_s: int) -> str: ...


class Inspector(Protocol):
    """The photo standard as the authority applies it."""

    async def inspect(self, original: bytes, profile: str, *, compose_refused: bool) -> photos.Inspection:
        """Inspect, and compose the picture unless the verdict is `reject` and `compose_refused` is false."""
        ...


class Decoder(Protocol):
    """Tells pictures from bytes that are none."""

    async def readable(self, data: bytes) -> bool: ...


@dataclass(frozen=True)
class Work:
    """What one handler call may touch: one transaction."""

    floor: Floor
    stations: Stations
    checkins: Checkins
    consents: Consents
    photos: Photos
    ranges: Ranges
    doubles: Doubles
    sessions: Sessions
    audits: Audits
    packs: Packs
    reports: Reports
    views: Views
    figures: Figures
    events: Events
    inbox: Inbox
    now: datetime
    new_id: Callable[[], UUID]
    new_code: Callable[[], str]
    #: The keyed hash under which a one-time code is kept.
    code_index: Callable[[str], bytes]
    #: The key of a campaign's code digests, in hex: it goes into desk packs.
    campaign_code_key: Callable[[ids.CampaignId], str]
    #: The keyed mark by which words told again about the same thing are known, without being opened.
    mark: Callable[[str, UUID], str]
    #: The signature of a desk pack, and the public key (PEM) that stations check it with; and all that follow.
    sign_pack: Callable[[bytes], str]
    pack_key: str
    #: What signs the server's document over a sealed session, under the same key.
    countersign: Callable[[bytes], str]
    #: What signs the receipt of a frame, under the same key.
    sign_receipt: Callable[[bytes], str]
    #: For whom stations close their keys, and what opens such a box and closes it for the one who may have it.
    recovery_key: str
    open_box: Callable[[str, str, UUID], str]
    #: The signature of a hall's list, under the same key.
    sign_hall: Callable[[bytes], str]

    async def say(self, events: Iterable[Event]) -> None:
        """Add events to the outbox, in order."""
        for event in events:
            await self.events.add(event)


Unit = Callable[[], AbstractAsyncContextManager[Work]]
