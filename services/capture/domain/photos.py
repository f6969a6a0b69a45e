"""A photo's life: received, accepted or rejected; an accepted one may be rebound or withdrawn. Nothing is deleted."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from gradphoto_contracts import capture, ids
from gradphoto_contracts.envelope import Event

#: What the operator decided. `unbound` is a test shot: kept, bound to nobody.
Decision = Literal["keep", "retake", "override", "unbound"]
State = Literal["received", "accepted", "rejected", "withdrawn", "unbound"]
Verdict = Literal["accept", "review", "reject"]
#: Who may let something pass at a desk, by what the operator says: there are no passwords at a desk.
Role = Literal["crew_lead", "registrar", "college_teacher"]
Cause = Literal["standard", "retaken", "duplicate", "unreadable"]
#: Why a photo is out of force; `checkin`: it and the check-in that it names say two students, and a person decides.
Why = Literal[Cause, "checkin"]

#: An image that this many workers could not get through is called unreadable.
ATTEMPTS = 5

#: The reasons that are codes: these alone go into events. Whatever else is typed stays in the history, sealed.
Reason = Literal["queue_drift", "slips_swapped", "wrong_shift", "wrong_person", "bad_photo", "test_shot"]
#: Why the server itself takes a photo out of force.
OwnReason = Literal["double", "checkin_unlike"]
_REASONS: frozenset[str] = frozenset((*get_args(Reason), *get_args(OwnReason)))


@dataclass(frozen=True)
class Shot:
    """One frame as its desk journalled it. It never changes."""

    capture_id: ids.CaptureId
    campaign_id: ids.CampaignId
    desk_id: ids.DeskId
    station_id: ids.StationId
    student_id: ids.StudentId | None
    checkin_id: ids.CheckinId | None
    ticket: str | None
    sha256: str
    size_bytes: int
    shutter_at: datetime
    camera_serial: str
    frame_counter: int
    monotonic_ns: int
    decision: Decision
    #: Who let it pass against the standard, and the keyed mark of why; the words lie sealed in the history.
    override_role: Role | None
    override_mark: str | None
    desk_verdict: Verdict | None
    desk_rules: tuple[str, ...]
    #: Seconds by which the desk's machine was ahead, as measured by then; `shutter_at` has them taken out.
    clock_offset_s: float = 0.0


@dataclass(frozen=True)
class Inspection:
    """The authority's finding about an image. `photo` is the composed picture; None where the image cannot be one."""

    verdict: Verdict
    rules: tuple[str, ...]
    profile: str
    photo: bytes | None
    readable: bool = True
    #: Which program inspected and composed.
    maker: str = ""


@dataclass(frozen=True)
class Photo:
    """A shot and what became of it. `student_id` is whose it is now, `class_id` None until roster named the class."""

    shot: Shot
    student_id: ids.StudentId | None
    class_id: ids.ClassId | None
    state: State
    received_at: datetime
    version: int = 1
    cause: Why | None = None
    rules: tuple[str, ...] = ()
    verdict: Verdict | None = None
    overridden: bool = False
    profile: str | None = None
    photo_key: str | None = None
    photo_sha256: str | None = None
    #: Which version of the object was verified; None where the store keeps none.
    original_version: str | None = None

    @property
    def original_key(self) -> str:
        return original_key(self.shot.campaign_id, self.shot.sha256)


def original_key(campaign_id: ids.CampaignId, sha256: str) -> str:
    """Where an original lies: named by its own hash, so that a repeat lands on itself."""
    return f"originals/{campaign_id}/{sha256}.jpg"


def photo_key(campaign_id: ids.CampaignId, capture_id: ids.CaptureId) -> str:
    """Where the composed picture of a capture lies."""
    return f"photos/{campaign_id}/{capture_id}.jpg"


def shot_fault(shot: Shot) -> str | None:
    """Why a desk's word about a frame does not hold together, or None."""
    if shot.student_id is None and shot.decision in ("keep", "override"):
        return "capture-without-student"
    if shot.student_id is not None and shot.ticket is not None and shot.checkin_id is None:
        return "capture-ticket-without-checkin"
    if shot.student_id is not None and shot.decision == "unbound":
        return "test-shot-with-student"
    if shot.decision == "override" and not (shot.override_role and shot.override_mark):
        return "override-needs-reason"
    if shot.decision != "override" and (shot.override_role or shot.override_mark):
        return "override-of-nothing"
    return None


def same_shot(one: Shot, other: Shot) -> bool:
    """Whether both say the same of one frame; another station may bring what a dead one had journalled."""
    return replace(one, station_id=other.station_id, desk_id=other.desk_id) == other


def receive(
    shot: Shot, class_id: ids.ClassId | None, now: datetime, version: str | None = None
) -> tuple[Photo, list[Event]]:
    """Take a frame in. One whose student is not known yet waits in silence; a retaken one is rejected at once."""
    state: State = "unbound" if shot.student_id is None else "received"
    photo = Photo(
        shot=shot, student_id=shot.student_id, class_id=None, state=state, received_at=now, original_version=version
    )
    return (photo, []) if class_id is None or shot.student_id is None else resolve(photo, class_id)


def resolve(photo: Photo, class_id: ids.ClassId) -> tuple[Photo, list[Event]]:
    """Name the class of a photo's student, and say that the photo is here."""
    if photo.class_id is not None or photo.state != "received":
        return photo, []
    known = replace(photo, class_id=class_id)
    received = capture.PhotoReceivedV1(
        **_subject(known),
        original_key=known.original_key,
        sha256=known.shot.sha256,
        size_bytes=known.shot.size_bytes,
        shutter_at=known.shot.shutter_at,
        received_at=known.received_at,
    )
    if known.shot.decision != "retake":
        return known, [received]
    rejected, events = reject(known, "retaken", known.shot.desk_rules)
    return rejected, [received, *events]


def judge(photo: Photo, inspection: Inspection) -> Cause | None:
    """Why an inspected photo cannot be accepted, or None. `review` is accepted and listed for a person to look at."""
    if not inspection.readable:
        return "unreadable"
    refused = inspection.verdict == "reject" and photo.shot.decision != "override"
    return "standard" if refused or inspection.photo is None else None


def inspected(photo: Photo, inspection: Inspection, key: str | None, sha256: str | None) -> Photo:
    """Note the authority's finding and the composed picture, before anything is decided by them."""
    return replace(
        photo,
        verdict=inspection.verdict,
        rules=inspection.rules,
        profile=inspection.profile,
        overridden=inspection.verdict == "reject" and photo.shot.decision == "override",
        photo_key=key,
        photo_sha256=sha256,
    )


def accept(photo: Photo) -> tuple[Photo, list[Event]]:
    """Put a photo in force. That no other of the student's is, the store's index sees to."""
    accepted = replace(photo, state="accepted", cause=None, version=photo.version + 1)
    return accepted, [_accepted(accepted)]


def reject(photo: Photo, cause: Cause, rules: tuple[str, ...]) -> tuple[Photo, list[Event]]:
    """Keep a photo out of force. It stays in the store with the cause."""
    rejected = replace(photo, state="rejected", cause=cause, rules=rules, overridden=False, version=photo.version + 1)
    return rejected, [capture.PhotoRejectedV1(**_subject(rejected), cause=cause, rules=rules)]


def rebind(photo: Photo, student_id: ids.StudentId, class_id: ids.ClassId, reason: str) -> tuple[Photo, list[Event]]:
    """Move a photo in force to another student."""
    if photo.student_id is None or photo.class_id is None:
        raise ValueError("a photo in force has a student")
    moved = replace(photo, student_id=student_id, class_id=class_id, version=photo.version + 1)
    event = capture.PhotoReboundV1(
        **_subject(moved),
        previous_student_id=photo.student_id,
        previous_class_id=photo.class_id,
        photo_key=moved.photo_key or "",
        photo_sha256=moved.photo_sha256 or "",
        shutter_at=moved.shot.shutter_at,
        reason=said_reason(reason),
    )
    return moved, [event]


def withdraw(photo: Photo, reason: str) -> tuple[Photo, list[Event]]:
    """Take a photo out of force."""
    withdrawn = replace(photo, state="withdrawn", version=photo.version + 1)
    return withdrawn, [capture.PhotoWithdrawnV1(**_subject(withdrawn), reason=said_reason(reason))]


def hold(photo: Photo, reason: str) -> tuple[Photo, list[Event]]:
    """Keep a photo out of force until a person decides. Nothing is withdrawn of one that was never in force."""
    withdrawn, events = withdraw(photo, reason)
    return replace(withdrawn, cause="checkin"), events if photo.state == "accepted" else []


def is_held(photo: Photo) -> bool:
    """Whether a person has still to say whose it is, since it contradicts its check-in."""
    return (photo.state, photo.cause) == ("withdrawn", "checkin")


def put_aside(photo: Photo) -> Photo:
    """A held photo that is nobody's; that it is out of force is known."""
    return replace(photo, cause=None, version=photo.version + 1)


def reinstate_fault(photo: Photo) -> str | None:
    """Why a photo cannot be put in force after all, or None."""
    lost = photo.state == "withdrawn" or (photo.state == "rejected" and photo.cause == "duplicate")
    return None if lost and photo.photo_key is not None else "capture-cannot-return"


def inspect_again(photo: Photo) -> Photo:
    """Let the authority look anew at what it could not read; raises ValueError for any other."""
    if inspect_again_fault(photo):
        raise ValueError("only what was called unreadable is inspected again")
    return replace(photo, state="received", cause=None, rules=(), verdict=None, profile=None, version=photo.version + 1)


def inspect_again_fault(photo: Photo) -> str | None:
    """Why the authority does not look at a photo again, or None."""
    return None if (photo.state, photo.cause) == ("rejected", "unreadable") else "capture-not-unreadable"


def compare_verdicts(photo: Photo) -> list[capture.VerdictDifferedV1]:
    """What is to be said where desk and authority judged differently; the authority's word holds."""
    desk, verdict = photo.shot.desk_verdict, photo.verdict
    if desk is None or verdict is None or desk == verdict:
        return []
    return [
        capture.VerdictDifferedV1(
            capture_id=photo.shot.capture_id,
            campaign_id=photo.shot.campaign_id,
            desk_id=photo.shot.desk_id,
            station_id=photo.shot.station_id,
            desk_verdict=desk,
            desk_rules=photo.shot.desk_rules,
            verdict=verdict,
            rules=photo.rules,
            profile=photo.profile or "",
            refusal=(desk == "reject") != (verdict == "reject"),
            version=photo.version,
        )
    ]


def said_reason(reason: str) -> str:
    """The reason as an event may carry it: a code stays, a person's own words stay in the history alone."""
    return reason if reason in _REASONS else "other"


def _subject(photo: Photo) -> dict[str, object]:
    return {
        "capture_id": photo.shot.capture_id,
        "campaign_id": photo.shot.campaign_id,
        "student_id": photo.student_id,
        "class_id": photo.class_id,
        "desk_id": photo.shot.desk_id,
        "version": photo.version,
    }


def _accepted(photo: Photo) -> capture.PhotoAcceptedV1:
    return capture.PhotoAcceptedV1(
        **_subject(photo),
        photo_key=photo.photo_key or "",
        photo_sha256=photo.photo_sha256 or "",
        profile=photo.profile or "",
        overridden=photo.overridden,
        shutter_at=photo.shot.shutter_at,
    )
