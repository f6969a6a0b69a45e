"""What verify's handlers need of the world outside."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gradphoto_contracts import ids
from gradphoto_contracts.capture import Sha256
from gradphoto_contracts.envelope import Event
from services.verify.domain import batches, chsi, copies, journey


class Campaigns(Protocol):
    """Copies of roster's campaigns, and the campaign's lock, which is taken first; then captures, then cases."""

    async def share(self, campaign_id: ids.CampaignId) -> None:
        """Keep the policy as it is until the transaction ends; others may do the same."""

    async def hold(self, campaign_id: ids.CampaignId) -> None:
        """Keep everybody else out of the campaign until the transaction ends."""

    async def get(self, campaign_id: ids.CampaignId) -> copies.Campaign | None: ...
    async def save(self, campaign: copies.Campaign) -> bool:
        """Keep the copy if it is newer; whether it was."""
        ...

    async def close(self, campaign_id: ids.CampaignId) -> None:
        """Remember that roster takes no more changes, also when the campaign is not known yet."""

    async def all(self) -> list[copies.Campaign]: ...


class Classes(Protocol):
    """Copies of roster's classes."""

    async def save(self, known: copies.Class) -> bool:
        """Keep the copy if it is newer; whether it was."""
        ...


class Photos(Protocol):
    """Copies of capture's photos."""

    async def keep(self, photo: copies.Photo) -> tuple[bool, copies.Photo | None]:
        """Keep the copy if it is newer: whether it was, and the copy before.

        Shares the campaign, and keeps this capture to this transaction, also when there was no copy yet.
        """
        ...

    async def in_force(self, student_id: ids.StudentId) -> copies.Photo | None: ...
    async def undelivered(self, campaign_id: ids.CampaignId) -> list[copies.Photo]:
        """Photos in force that are in no batch, of students on the roster; by capture."""
        ...


class Cases(Protocol):
    """One case a student. Every method that loads for a change keeps the cases to this transaction."""

    async def lock(self, student_id: ids.StudentId, campaign_id: ids.CampaignId, class_id: ids.ClassId) -> journey.Case:
        """The student's case, made when it is new. Lock several in the order of their students."""
        ...

    async def get(self, student_id: ids.StudentId, within: "Within | None" = None) -> journey.Case | None:
        """The case as it is, not kept; None also where it lies outside of `within`."""
        ...

    async def of_captures(self, capture_ids: Collection[ids.CaptureId]) -> dict[ids.CaptureId, journey.Case]:
        """Cases by the photo that is in force for them."""
        ...

    async def of_campaign(self, campaign_id: ids.CampaignId) -> list[journey.Case]: ...
    async def due(self, now: datetime, limit: int) -> list[journey.Case]:
        """Cases whose deadline has passed; those that another transaction works on are left out."""
        ...

    async def without_photo_since(self, moment: datetime, limit: int) -> list[journey.Case]:
        """Cases that lost their photo before `moment` and got no other."""
        ...

    async def save(self, cases: Sequence[journey.Case]) -> None: ...
    async def page(
        self,
        campaign_id: ids.CampaignId,
        state: str | None,
        within: "Within",
        after: ids.StudentId | None,
        limit: int,
    ) -> list[journey.Case]: ...
    async def counts(self, campaign_id: ids.CampaignId, within: "Within") -> dict[str, int]: ...
    async def waiting(self, campaign_id: ids.CampaignId) -> list["Waiting"]:
        """How many cases wait for which deadline, soonest first."""
        ...


@dataclass(frozen=True)
class Within:
    """The part of a campaign that the asker may see; None: all of it."""

    colleges_zh: tuple[str, ...] | None = None
    class_ids: tuple[UUID, ...] | None = None
    student_ids: tuple[UUID, ...] | None = None


@dataclass(frozen=True)
class Waiting:
    """Cases that wait for the same deadline."""

    deadline: journey.Deadline
    due_at: datetime | None
    owner: str
    students: int


class Outcomes(Protocol):
    """How cases left their deadlines: written once, never changed."""

    async def add(self, outcomes: Sequence[journey.Outcome], now: datetime) -> None: ...
    async def counts(
        self, campaign_id: ids.CampaignId
    ) -> dict[tuple[journey.Deadline, datetime], Mapping[str, int]]: ...


class Announcements(Protocol):
    """Deadlines that were announced as near."""

    async def add(self, campaign_id: ids.CampaignId, deadline: journey.Deadline, due_at: datetime) -> bool:
        """Note one; False when it was noted before."""
        ...

    async def count(self, campaign_id: ids.CampaignId) -> int: ...


class Batches(Protocol):
    """Deliveries. A photo is in at most one batch."""

    async def gathering(self, campaign_id: ids.CampaignId) -> batches.Batch | None:
        """The batch that was begun and is not delivered."""
        ...

    async def begin(self, batch_id: ids.BatchId, campaign_id: ids.CampaignId) -> batches.Batch:
        """A new batch with the campaign's next number."""
        ...

    async def put(self, batch_id: ids.BatchId, photos: Sequence[copies.Photo]) -> None:
        """Choose these photos for the batch, and no others."""

    async def photos(self, batch_id: ids.BatchId) -> list[copies.Photo]:
        """What was chosen, as the photos are now; by capture."""
        ...

    async def finish(self, batch: batches.Batch) -> None: ...
    async def get(self, batch_id: ids.BatchId) -> batches.Batch | None: ...
    async def of(self, campaign_id: ids.CampaignId) -> list[batches.Batch]: ...
    async def stuck(self, before: datetime) -> list[batches.Batch]:
        """Batches begun before that moment and not delivered: their process died."""
        ...

    async def verdicts(self, campaign_id: ids.CampaignId) -> dict[ids.CaptureId, bool | None]:
        """Every delivered photo and CHSI's last word on it: shown, sent back, or nothing yet."""
        ...

    async def judge(self, verdicts: Sequence[chsi.Verdict]) -> None:
        """Keep CHSI's word."""


class Results(Protocol):
    """Result files taken."""

    async def get(self, campaign_id: ids.CampaignId, file_sha256: Sha256) -> "Taken | None": ...
    async def add(self, campaign_id: ids.CampaignId, file_sha256: Sha256, taken: "Taken") -> None: ...


@dataclass(frozen=True)
class Taken:
    """What a result file did."""

    rows: int
    published: int
    refused: int
    #: Rows that say what is known already, or speak of a photo that another one has replaced.
    unchanged: int


class Views(Protocol):
    """Who opened which archive."""

    async def add(self, batch_id: ids.BatchId, viewer: str) -> None: ...


class Events(Protocol):
    """The outbox."""

    async def add(self, event: Event) -> None: ...
    async def add_all(self, events: Iterable[Event]) -> None: ...


class Inbox(Protocol):
    """Events handled already."""

    async def unseen(self, event_ids: Sequence[UUID]) -> set[UUID]: ...


@dataclass(frozen=True)
class Work:
    """What one handler call may touch: one transaction."""

    campaigns: Campaigns
    classes: Classes
    photos: Photos
    cases: Cases
    outcomes: Outcomes
    announcements: Announcements
    batches: Batches
    results: Results
    views: Views
    events: Events
    inbox: Inbox
    now: datetime
    new_id: Callable[[], UUID]


Unit = Callable[[], AbstractAsyncContextManager[Work]]


class Archive(Protocol):
    """Where deliveries are packed. Not part of a transaction: packing takes minutes."""

    async def pack(self, key: str, photos: Sequence[copies.Photo]) -> Sha256:
        """Write a zip of the photos and a manifest to `key`, over whatever lies there; its hash.

        The same photos give the same bytes.

        Raises:
            errors.Conflict: a picture in the store is not the one that was accepted.
            errors.Unavailable: the store is away.
        """
        ...
