"""What the server must be told about each fact: journalled in the fact's own transaction, sent when possible."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from station.domain import facts, sealing
from station.domain.desk import Desk, Frame, Ticket

Kind = Literal["checkin", "release", "consent", "capture", "drift", "session"]


@dataclass(frozen=True, slots=True)
class Message:
    """One idempotent PUT. A later message with the same kind and key replaces one not yet sent.

    Messages of a lane go one after the other; `after` names another message that must be received first, and
    `after_all` waits for everything before it.
    """

    kind: Kind
    key: UUID
    body: dict[str, Any]
    lane: str
    after: tuple[Kind, UUID] | None = None
    after_all: bool = field(default=False)


#: How the event's words tell the signs that it has no word for; the sign itself goes along as `cue`.
_TOLD: dict[facts.Sign, facts.ToldSign] = {
    "ticket_unlike": "ticket_skipped",
    "seat_stale": "frame_unexpected",
    "frame_too_soon": "frame_unexpected",
    "face_repeated": "ticket_repeated",
    "face_changed": "frame_unexpected",
    "face_unlike": "frame_unexpected",
}


def messages(desk: Desk, happened: Iterable[facts.Fact]) -> list[Message]:
    """The messages that follow from these facts; `desk` has not yet taken them in."""
    return [message for fact in happened for message in _messages(desk, fact)]


def _messages(desk: Desk, fact: facts.Fact) -> list[Message]:
    match fact:
        case facts.TicketIssued():
            return [_checkin(fact)]
        case facts.Seated():
            return _checkin_of_another(desk.tickets[fact.ticket])
        case facts.TicketReleased():
            return _release(desk.tickets[fact.ticket], fact)
        case facts.FaceConsent():
            return _consent(fact)
        case facts.FrameDecided():
            return [_capture(desk.frames[fact.capture_id], fact)]
        case facts.DriftSuspected():
            return [_drift(fact, None)]
        case facts.DriftResolved():
            suspected = next(drift for drift in desk.drifts if drift.drift_id == fact.drift_id)
            return [_drift(suspected, fact.resolution)]
        case facts.SessionSealed():
            return [_session(desk, fact)]
        case _:
            return []


def _checkin(fact: facts.TicketIssued) -> Message:
    body = {"student_id": str(fact.student_id), "ticket": fact.ticket, "checked_in_at": fact.at.isoformat()}
    return Message("checkin", fact.checkin_id, {**body, **_hall(fact.hall), **_let_in(fact)}, lane="checkins")


def _let_in(fact: facts.TicketIssued) -> dict[str, Any]:
    """Only the desk that made the check-in knows; who takes the ticket over tells of it without."""
    if fact.manual_reason is None or fact.manual_role is None:
        return {}
    return {"let_in": {"role": fact.manual_role, "reason": fact.manual_reason, "at": fact.at.isoformat()}}


def _checkin_of_another(ticket: Ticket) -> list[Message]:
    """Who is taken over from another desk is told of by both: the other one may be dead."""
    if ticket.home is None:
        return []
    body = {
        "student_id": str(ticket.student_id),
        "ticket": ticket.number,
        "checked_in_at": ticket.issued_at.isoformat(),
    }
    return [Message("checkin", ticket.checkin_id, {**body, **_hall(ticket.hall)}, lane="checkins")]


def _hall(grant: facts.Grant | None) -> dict[str, Any]:
    return {"hall": {"term": grant.term, "apart": grant.apart}} if grant else {}


def _release(ticket: Ticket, fact: facts.TicketReleased) -> list[Message]:
    body = {"released_at": fact.at.isoformat()}
    release = Message("release", ticket.checkin_id, body, "checkins", ("checkin", ticket.checkin_id))
    return [*_checkin_of_another(ticket), release]


def _capture(frame: Frame, decided: facts.FrameDecided) -> Message:
    taken = frame.taken
    checkin_id = None if decided.decision == "unbound" else taken.checkin_id
    bound = checkin_id is not None
    body = {
        "student_id": str(taken.student_id) if bound else None,
        "checkin_id": str(checkin_id) if bound else None,
        "ticket": taken.ticket if bound else None,
        "sha256": taken.sha256,
        "size_bytes": taken.size_bytes,
        "shutter_at": taken.shutter_at.isoformat(),
        "camera_serial": taken.camera_serial,
        "frame_counter": taken.frame_counter,
        "monotonic_ns": taken.monotonic_ns,
        "clock_offset_s": round(taken.clock_offset_s, 3),
        "decision": decided.decision,
        "override": _override(decided),
        "desk_verdict": frame.judged.verdict if frame.judged else None,
        "desk_rules": list(frame.judged.rules) if frame.judged else [],
    }
    lane = f"ticket {taken.ticket}" if bound else f"frame {taken.capture_id}"
    return Message("capture", taken.capture_id, body, lane, ("checkin", checkin_id) if checkin_id else None)


def _override(decided: facts.FrameDecided) -> dict[str, Any] | None:
    if decided.decision != "override":
        return None
    return {"role": decided.role, "reason": decided.reason, "at": decided.at.isoformat()}


def consent_document(fact: facts.FaceConsent) -> dict[str, Any]:
    """What is signed and told of a student's word, but for the station."""
    return {
        "student_id": str(fact.student_id),
        "given": fact.given,
        "text": fact.text,
        "text_sha256": fact.text_sha256,
        "at": fact.at.isoformat(),
    }


def _consent(fact: facts.FaceConsent) -> list[Message]:
    if fact.consent_id is None:  # a journal of before consents were told
        return []
    body = {**consent_document(fact), "signature": fact.signature}
    return [Message("consent", fact.consent_id, body, lane="consents")]


def _drift(suspected: facts.DriftSuspected, resolution: facts.Resolution | None) -> Message:
    told = _TOLD.get(suspected.sign)
    body = {
        "sign": told or suspected.sign,
        **({"cue": suspected.sign} if told else {}),
        "expected": suspected.expected,
        "seen": suspected.seen,
        "suspected_at": suspected.at.isoformat(),
        "resolution": resolution,
    }
    return Message("drift", suspected.drift_id, body, lane="drifts")


def _session(desk: Desk, sealed: facts.SessionSealed) -> Message:
    body = {**sealing.document(desk, sealed), "signature": sealed.signature}
    return Message("session", sealed.session_id, body, lane="sessions", after_all=True)
