"""What a desk may do next. Each rule reads the desk and returns the facts that would follow, or says why not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from gradphoto_contracts import ids
from kit.errors import Conflict, Invalid, NotFound
from station.domain import facts, signals
from station.domain.desk import Desk, Frame, Ticket

NewId = Callable[[], UUID]

#: How long after the server's receipt a desk pack may still not show that the photo was accepted or rejected.
INSPECTION_GRACE = timedelta(minutes=2)


def open_session(desk: Desk, new_id: NewId, now: datetime, camera_serial: str, camera_frames: int) -> list[facts.Fact]:
    """Begin a session unless one is open."""
    if desk.session:
        return []
    return [facts.SessionOpened(ids.SessionId(new_id()), now, camera_serial, camera_frames)]


def is_photographed(desk: Desk, student_id: ids.StudentId, by_pack: bool, pack_as_of: datetime) -> bool:
    """Whether the student has a photo: by the pack, or this desk kept one that the server may not have judged yet."""
    kept = desk.kept.get(student_id)
    if by_pack or kept is None:
        return by_pack
    received = desk.frames[kept].received
    return received is None or pack_as_of < received.at + INSPECTION_GRACE


def issue_ticket(
    desk: Desk,
    student_id: ids.StudentId,
    class_id: ids.ClassId | None,
    checkin_id: ids.CheckinId,
    now: datetime,
    *,
    next_known: int = 1,
    manual_reason: str | None = None,
    manual_role: facts.Role | None = None,
) -> facts.TicketIssued:
    """The next 拍摄号 of this desk. The caller has made sure that the student may be photographed.

    `next_known` is the first number of this desk that the server has not heard of: a replaced laptop goes on from it.
    """
    held = desk.open_ticket(student_id)
    if held:
        raise Conflict("desk-already-ticketed", ticket=held.number)
    ordinal = max(desk.last_ordinal + 1, next_known)
    number = f"{desk.code}-{ordinal:04d}"
    return facts.TicketIssued(
        number, ordinal, checkin_id, student_id, class_id, now, manual_reason, manual_role=manual_role
    )


def release(desk: Desk, number: str, reason: str, now: datetime) -> list[facts.Fact]:
    """Take a ticket out of the queue, or its holder off the chair. Again changes nothing."""
    ticket = _ticket(desk, number)
    if ticket.state == "released":
        return []
    if ticket.state in ("photographed", "elsewhere"):
        raise Conflict("desk-ticket-finished", ticket=number)
    if desk.undecided_of(number):
        raise Conflict("desk-decision-outstanding", count=1)
    return [facts.TicketReleased(number, reason, now)]


def seat(desk: Desk, number: str | None, new_id: NewId, now: datetime) -> list[facts.Fact]:
    """Seat the ticket that was shown, or call whoever is next. A number out of turn is suspected drift: nobody sits.

    Over whom another was let pass once, that one's turn is whenever they come: one alarm a queue-jump, not two.
    Asked again for the same ticket, nothing changes, but that whoever was called has now shown the number.
    """
    if number is None:
        return _call(desk, now)
    if desk.seated == number:
        return [] if desk.proven else [facts.TicketShown(number, now)]
    if desk.drift and desk.drift.seen == number:
        return []
    demand_still(desk)
    if desk.seated:
        raise Conflict("desk-seat-taken", ticket=desk.seated)
    ticket = _ticket(desk, number)
    if ticket.state in ("released", "elsewhere"):
        raise Conflict("desk-ticket-finished", ticket=number)
    if number == desk.due or number in desk.passed:
        return [facts.Seated(number, now, "shown")]
    sign: facts.Sign = "ticket_skipped" if ticket.state == "waiting" else "ticket_repeated"
    return [facts.DriftSuspected(ids.DriftId(new_id()), sign, desk.due or desk.expected or "-", number, now)]


def show(desk: Desk, number: str, new_id: NewId, now: datetime) -> list[facts.Fact]:
    """A number is scanned at the seat. Another than that of who sits is suspected drift."""
    _ticket(desk, number)
    if desk.seated and desk.seated != number and not desk.drift:
        return [facts.DriftSuspected(ids.DriftId(new_id()), "ticket_unlike", desk.seated, number, now)]
    return seat(desk, number, new_id, now)


def _call(desk: Desk, now: datetime) -> list[facts.Fact]:
    demand_still(desk)
    if desk.seated:
        raise Conflict("desk-seat-taken", ticket=desk.seated)
    if desk.expected is None:
        raise Conflict("desk-queue-empty")
    return [facts.Seated(desk.expected, now)]


def press(
    desk: Desk,
    new_id: NewId,
    now: datetime,
    terms: signals.Terms = signals.LENIENT,
    *,
    retake_limit: int | None = None,
) -> facts.ShutterPressed:
    """Bind the next frame to whoever sits. A press that never came to a frame is taken up again, as it was.

    Where the campaign demands it, no frame is anybody's before the number was shown at the seat. Whose last frame was
    given up beyond the limit leaves the seat without a photo.
    """
    demand_still(desk)
    if desk.seated is None:
        raise Conflict("desk-nobody-seated")
    _demand_proof(desk, terms)
    if desk.undecided:
        raise Conflict("desk-decision-outstanding", count=len(desk.undecided))
    if desk.pressed:
        return desk.pressed
    if used_up(desk, retake_limit):
        raise Conflict("desk-retakes-used-up", ticket=desk.seated)
    ticket = desk.tickets[desk.seated]
    capture_id = ids.CaptureId(new_id())
    return facts.ShutterPressed(capture_id, ticket.number, ticket.checkin_id, ticket.student_id, now)


def fail(desk: Desk, pressed: facts.ShutterPressed, now: datetime) -> list[facts.Fact]:
    """The camera says that no picture comes of a press. Again changes nothing."""
    return [facts.PressFailed(pressed.capture_id, now)] if desk.pressed == pressed and not desk.press_failed else []


def used_up(desk: Desk, retake_limit: int | None) -> bool:
    """Whether who sits has given up every frame that the campaign grants; None: it grants any number."""
    return bool(desk.seated and retake_limit is not None and desk.tickets[desk.seated].retakes > retake_limit)


def take_in(
    desk: Desk,
    frame: facts.FrameJournalled,
    new_id: NewId,
    *,
    terms: signals.Terms = signals.LENIENT,
    former: str | None = None,
    known_ns: int | None = None,
) -> list[facts.Fact]:
    """A frame is in the spool: journal it, and suspect drift if the camera's count or the time says that it is odd.

    A camera seen for the first time sets its own starting count. `former` is the ticket of whom a frame may show that
    was taken before the present sitter sat alone. `known_ns`: since when it is known who sits, by the machine's
    monotonic clock; None: since before a start, and the clock on the wall has to tell.
    """
    odd = signals.by_count(desk, frame, former) or signals.by_time(desk, frame, terms, known_ns)
    return [frame, *([_suspect(odd, frame.shutter_at, frame.capture_id, new_id)] if odd else [])]


def note_raw(desk: Desk, capture_id: ids.CaptureId, now: datetime) -> list[facts.Fact]:
    """A RAW lies beside a frame. What is known is not noted again."""
    return [] if desk.frames[capture_id].raw else [facts.RawFound(capture_id, now)]


def compare(desk: Desk, compared: facts.FaceCompared, new_id: NewId) -> list[facts.Fact]:
    """Note how alike two faces are, and suspect drift where they are and should not be, or the other way round.

    It refuses nothing by itself. What was noted once is not noted again.
    """
    frame = desk.frames.get(compared.capture_id)
    if frame is None:
        raise NotFound("desk-frame-unknown", capture_id=str(compared.capture_id))
    if any(known.against == compared.against for known in frame.faces):
        return []
    odd = signals.by_face(desk, frame, compared)
    return [compared, *([_suspect(odd, compared.at, compared.capture_id, new_id)] if odd else [])]


def decide(
    desk: Desk,
    capture_id: ids.CaptureId,
    decision: facts.Decision,
    reason: str | None,
    retake_limit: int,
    now: datetime,
    role: facts.Role | None = None,
    terms: signals.Terms = signals.LENIENT,
    *,
    damaged: bool = False,
) -> list[facts.Fact]:
    """What becomes of a frame. The same decision again changes nothing.

    A frame of the sitter's that is left to nobody counts as a retake, unless it was `damaged` on our disk.
    """
    frame = desk.frames.get(capture_id)
    if frame is None:
        raise NotFound("desk-frame-unknown", capture_id=str(capture_id))
    if frame.decided:
        if frame.decided.decision == decision:
            return []
        raise Conflict("desk-frame-decided", decision=frame.decided.decision)
    demand_still(desk)
    if decision == "override" and not (role and reason and reason.strip()):
        raise Invalid("desk-override-needs-reason")
    _allow(desk, frame, decision, retake_limit)
    if decision in ("keep", "override"):
        _demand_proof(desk, terms)
    of_sitter = frame.taken.ticket is not None and frame.taken.ticket == desk.seated
    given_up = decision == "unbound" and of_sitter and not damaged
    return [facts.FrameDecided(capture_id, decision, reason, now, role, given_up)]


def note_consent(
    desk: Desk, number: str, text: str, text_sha256: str, now: datetime, *, given: bool
) -> list[facts.FaceConsent]:
    """Whether the ticket's holder lets faces be compared, by this version of the text. Again changes nothing."""
    student_id = _ticket(desk, number).student_id
    if (desk.consents.get(student_id) == text) == given:
        return []
    return [facts.FaceConsent(student_id, given, text, text_sha256, now)]


def seal(desk: Desk, camera_frames: int, now: datetime) -> list[facts.Fact]:
    """Close the session. Refused while somebody sits, a frame is undecided or drift is open; who waits may stay."""
    demand_still(desk)
    if desk.seated:
        raise Conflict("desk-seat-taken", ticket=desk.seated)
    if desk.undecided:
        raise Conflict("desk-decision-outstanding", count=len(desk.undecided))
    session = desk.session
    if session is None:
        raise Conflict("desk-no-session")
    return [facts.SessionSealed(session.session_id, camera_frames - session.camera_frames_before, now)]


def demand_still(desk: Desk) -> None:
    """Raises Conflict while drift is suspected: the desk stands still."""
    if desk.drift:
        raise Conflict("desk-drift-open", sign=desk.drift.sign, expected=desk.drift.expected, seen=desk.drift.seen)


def _demand_proof(desk: Desk, terms: signals.Terms) -> None:
    if terms.proof == "shown" and not desk.proven:
        raise Conflict("desk-ticket-unshown", ticket=desk.seated or "-")


def _ticket(desk: Desk, number: str) -> Ticket:
    ticket = desk.tickets.get(number)
    if ticket is None:
        raise NotFound("desk-ticket-unknown", ticket=number)
    return ticket


def _suspect(odd: signals.Odd, at: datetime, capture_id: ids.CaptureId | None, new_id: NewId) -> facts.DriftSuspected:
    return facts.DriftSuspected(ids.DriftId(new_id()), odd.sign, odd.expected, odd.seen, at, capture_id)


def _allow(desk: Desk, frame: Frame, decision: facts.Decision, retake_limit: int) -> None:
    if decision == "unbound":
        return
    number = frame.taken.ticket
    if number is None:
        raise Conflict("desk-frame-unbound")
    ticket = desk.tickets[number]
    if ticket.state != "seated":
        raise Conflict("desk-ticket-finished", ticket=number)
    if decision == "retake" and ticket.retakes >= retake_limit:
        raise Conflict("desk-retake-limit", limit=retake_limit)
    if decision == "keep" and (frame.judged is None or frame.judged.verdict == "reject"):
        raise Conflict("desk-keep-refused", rules=" ".join(frame.judged.rules) if frame.judged else "-")
