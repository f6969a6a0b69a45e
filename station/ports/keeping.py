"""What a desk keeps: journal, spool and desk pack."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from gradphoto_contracts import ids
from kit.errors import Problem
from station.domain import facts
from station.domain.outgoing import Kind, Message
from station.domain.pack import Entry, Pack


@dataclass(frozen=True, slots=True)
class Pending:
    """A message not yet received by the server. `blocked` while another one must go first."""

    seq: int
    revision: int
    message: Message
    blocked: bool


class Journal(Protocol):
    """What happened at the desk and what the server must still be told: durable when `append` returns."""

    async def history(self) -> list[facts.Fact]: ...

    async def append(self, happened: Sequence[facts.Fact], messages: Sequence[Message]) -> None:
        """All of it or nothing, on the disk when this returns."""
        ...

    async def ready(
        self, limit: int, refused: Collection[int], resting: Collection[int], held: Collection[str]
    ) -> list[Pending]:
        """The oldest messages that may go now, one of each lane that is not `held`, and none of `resting`.

        One that must wait for all before it does not wait for the `refused`.
        """
        ...

    @property
    def unreadable(self) -> int:
        """How many messages were met that do not open."""
        ...

    async def received(
        self, pending: Pending, answer: dict[str, Any], at: datetime, happened: Sequence[facts.Fact]
    ) -> bool:
        """The server has the message. False when a newer revision waits to be sent."""
        ...

    async def answer(self, kind: Kind, key: UUID) -> dict[str, Any] | None:
        """What the server answered, or None while it has not."""
        ...

    async def backlog(self) -> int: ...

    async def head(self) -> tuple[int, str, bool]:
        """How many facts there are, the head of their hash chain, and whether the chain held when it was read."""
        ...


class Spool(Protocol):
    """Frames on the station's disk, encrypted, until the server has them."""

    def demand_room(self) -> None:
        """Raise Unavailable when the disk is too full for another frame."""
        ...

    async def put(self, frame: facts.FrameJournalled, jpeg: bytes) -> None:
        """Fsynced when this returns; nothing is left when it fails."""
        ...

    async def get(self, capture_id: ids.CaptureId) -> bytes:
        """The frame's bytes. Raises Tampered when they are not what was put, or not to be read."""
        ...

    async def held(self) -> list[ids.CaptureId]: ...

    async def label(self, capture_id: ids.CaptureId) -> facts.FrameJournalled:
        """What was put beside the bytes: enough to journal a frame whose writer died before it could."""
        ...

    async def wipe(self, capture_id: ids.CaptureId) -> None: ...


class Packs(Protocol):
    """The desk pack in force."""

    def current(self) -> Pack:
        """Raises Unavailable while none has come."""
        ...

    def find(self, scan: str) -> Entry | None: ...

    def entry(self, student_id: ids.StudentId) -> Entry | None: ...

    @property
    def as_of(self) -> datetime | None:
        """When the server last said that this pack is the newest."""
        ...

    @property
    def trouble(self) -> Problem | None:
        """Why the pack that came last was refused; None when it was taken."""
        ...

    def hurry(self) -> None:
        """Ask for a newer pack soon: somebody came whom this one does not know."""
        ...
