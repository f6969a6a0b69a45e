"""A session's seal: camera, journal and server counted against each other, frame by frame. Refused when they differ."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from gradphoto_contracts import capture, ids

#: Differences that are kept and shown; their whole number is told beside.
LISTED = 200

Kind = Literal[
    "frame_missing",
    "hash_differs",
    "not_journalled",
    "not_counted",
    "camera_went_back",
    "count_differs",
    "journal_altered",
]
State = Literal["sealed", "refused", "settled"]


Said = capture.SessionSealedV1 | capture.SessionRefusedV1


@dataclass(frozen=True)
class Frame:
    """A frame as the journal has it. Old agents tell no camera and no counter."""

    capture_id: ids.CaptureId
    sha256: str
    camera_serial: str = ""
    frame_counter: int | None = None


@dataclass(frozen=True)
class Camera:
    """What a camera itself counted: the frames `before`+1 to `after` belong to the session."""

    serial: str
    before: int
    after: int


@dataclass(frozen=True)
class Stored:
    """A frame of the station as the server has it."""

    capture_id: ids.CaptureId
    sha256: str
    camera_serial: str
    frame_counter: int
    received_at: datetime


@dataclass(frozen=True)
class Told:
    """What a station says of a session. `document` is what it signed, whole."""

    session_id: ids.SessionId
    campaign_id: ids.CampaignId
    desk_id: ids.DeskId
    station_id: ids.StationId
    camera_frames: int
    cameras: tuple[Camera, ...]
    journalled: tuple[Frame, ...]
    journal_intact: bool
    document: Mapping[str, Any]
    signature: str


def read(document: Mapping[str, Any], campaign_id: ids.CampaignId, desk_id: ids.DeskId, signature: str) -> Told:
    """What a document says. Its form has been checked at the door."""
    frames = [
        Frame(
            ids.CaptureId(UUID(one["capture_id"])),
            one["sha256"],
            one.get("camera_serial", ""),
            one.get("frame_counter"),
        )
        for one in document["journalled"]
    ]
    return Told(
        session_id=ids.SessionId(UUID(document["session_id"])),
        campaign_id=campaign_id,
        desk_id=desk_id,
        station_id=ids.StationId(UUID(document["station_id"])),
        camera_frames=document["camera_frames"],
        cameras=tuple(Camera(one["serial"], one["before"], one["after"]) for one in document.get("cameras", ())),
        journalled=tuple(frames),
        journal_intact=document.get("journal_intact", True),
        document=document,
        signature=signature,
    )


@dataclass(frozen=True)
class Difference:
    """One thing in which camera, journal and server differ; what is known of the frame in question."""

    kind: Kind
    capture_id: ids.CaptureId | None = None
    camera_serial: str | None = None
    frame_counter: int | None = None


@dataclass(frozen=True)
class Seal:
    """A session as the server has compared it, last. `settled_by`: who took the differences on themselves, and why."""

    told: Told
    state: State
    differences: tuple[Difference, ...]
    difference_count: int
    stored_frames: int
    receipts: str
    sealed_at: datetime
    version: int = 1
    settled_by: str | None = None
    settled_role: str | None = None

    @property
    def balanced(self) -> bool:
        return self.difference_count == 0

    @property
    def missing(self) -> list[ids.CaptureId]:
        """The journalled frames that the server has not, or not with their bytes."""
        lost = ("frame_missing", "hash_differs")
        return [one.capture_id for one in self.differences if one.kind in lost and one.capture_id]


def compare(told: Told, stored: Sequence[Stored]) -> tuple[tuple[Difference, ...], int]:
    """Where camera, journal and server differ: the first of it, and in how many places.

    `stored`: what the server has of the frames named or counted. Of numbers that nobody has there may be any number: a
    counter that jumped is counted, and not gone through.
    """
    found = list(_compare_frames(told, stored))
    gaps = [(camera.serial, gap) for camera in told.cameras for gap in _uncounted(camera, told, stored)]
    each = (Difference("not_counted", None, serial, number) for serial, gap in gaps for number in gap)
    listed = tuple(itertools.islice(itertools.chain(found, each), LISTED))
    return listed, len(found) + sum(gap.stop - gap.start for _, gap in gaps)


def _compare_frames(told: Told, stored: Sequence[Stored]) -> Iterator[Difference]:
    if not told.journal_intact:
        yield Difference("journal_altered")
    here = {one.capture_id: one for one in stored}
    for frame in told.journalled:
        known = here.get(frame.capture_id)
        if known is None or known.sha256 != frame.sha256:
            kind: Kind = "hash_differs" if known else "frame_missing"
            yield Difference(kind, frame.capture_id, frame.camera_serial or None, frame.frame_counter)
    if not told.cameras and told.camera_frames != len(told.journalled):
        yield Difference("count_differs")
    named = {frame.capture_id for frame in told.journalled}
    for camera in told.cameras:
        if camera.after < camera.before:
            yield Difference("camera_went_back", None, camera.serial, camera.after)
        theirs = [one for one in stored if one.camera_serial == camera.serial and one.frame_counter in _counted(camera)]
        for one in theirs:
            if one.capture_id not in named:
                yield Difference("not_journalled", one.capture_id, camera.serial, one.frame_counter)


def _uncounted(camera: Camera, told: Told, stored: Sequence[Stored]) -> Iterator[range]:
    """The runs of numbers that a camera counted and of which neither journal nor server has a frame."""
    counted = _counted(camera)
    journalled = {frame.frame_counter for frame in told.journalled if frame.camera_serial == camera.serial}
    numbers = journalled | {one.frame_counter for one in stored if one.camera_serial == camera.serial}
    following = counted.start
    for number in sorted(number for number in numbers if number is not None and number in counted):
        if following < number:
            yield range(following, number)
        following = number + 1
    if following < counted.stop:
        yield range(following, counted.stop)


def _counted(camera: Camera) -> range:
    return range(camera.before + 1, camera.after + 1)


def receipts(stored: Sequence[Stored]) -> str:
    """The digest of what the server has of a session: ids, hashes and times of receipt, in order."""
    lines = sorted(f"{one.capture_id} {one.sha256} {one.received_at.isoformat()}" for one in stored)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def seal(told: Told, stored: Sequence[Stored], before: Seal | None, now: datetime) -> tuple[Seal, list[Said]]:
    """Seal a session, or refuse it with its differences. The same counts again are no news."""
    found, count = compare(told, stored)
    named = {frame.capture_id: frame.sha256 for frame in told.journalled}
    own = [one for one in stored if named.get(one.capture_id) == one.sha256]
    counted = Seal(
        told=told,
        state="refused" if count else "sealed",
        differences=found,
        difference_count=count,
        stored_frames=len(own),
        receipts=receipts(own),
        sealed_at=now,
    )
    if before is not None and _same(counted, before):
        return before, []
    after = replace(counted, version=before.version + 1 if before else 1)
    return after, [_said(after)]


def seal_fault(told: Told, before: Seal | None) -> str | None:
    """Why a session cannot be sealed so, or None: what was sealed once stays as it is."""
    if before is None:
        return None
    if before.told.station_id != told.station_id:
        return "session-of-another-station"
    again = (before.told.cameras, before.told.journalled, before.told.camera_frames)
    same = again == (told.cameras, told.journalled, told.camera_frames)
    return "session-sealed" if before.state != "refused" and not same else None


def settle(before: Seal, author: str, role: str, now: datetime) -> tuple[Seal, list[Said]]:
    """Seal a refused session with its differences, by somebody who answers for it; again is no fault."""
    if before.state != "refused":
        return before, []
    settled = replace(
        before,
        state="settled",
        settled_by=author,
        settled_role=role,
        sealed_at=now,
        version=before.version + 1,
    )
    return settled, [_said(settled)]


def countersigned(seal: Seal, told_digest: str) -> dict[str, Any]:
    """What the server signs of a session that is sealed: the station's own document by its digest, and the receipts."""
    return {
        "session_id": str(seal.told.session_id),
        "station_id": str(seal.told.station_id),
        "document_sha256": told_digest,
        "station_signature": seal.told.signature,
        "state": seal.state,
        "stored_frames": seal.stored_frames,
        "receipts_sha256": seal.receipts,
        "differences": seal.difference_count,
        "sealed_at": seal.sealed_at.isoformat(),
        "version": seal.version,
    }


def _same(counted: Seal, before: Seal) -> bool:
    kept = ("state", "differences", "difference_count", "stored_frames", "receipts")
    if before.state != "refused" and counted.state == "sealed":
        return True
    return before.state == "settled" or all(getattr(counted, name) == getattr(before, name) for name in kept)


def _said(seal: Seal) -> Said:
    told = seal.told
    facts: dict[str, Any] = {
        "session_id": told.session_id,
        "campaign_id": told.campaign_id,
        "desk_id": told.desk_id,
        "station_id": told.station_id,
        "camera_frames": told.camera_frames,
        "journalled_frames": len(told.journalled),
        "stored_frames": seal.stored_frames,
        "version": seal.version,
    }
    if seal.state == "refused":
        return capture.SessionRefusedV1(**facts, differences=seal.difference_count, refused_at=seal.sealed_at)
    return capture.SessionSealedV1(**facts, balanced=seal.balanced, sealed_at=seal.sealed_at)
