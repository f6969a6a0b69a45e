"""How a suspected drift ends: the operator's answer, and what follows from it."""

from datetime import datetime
from typing import get_args

from gradphoto_contracts import ids
from kit.errors import Conflict
from station.domain import facts, rules
from station.domain.desk import Desk


def resolve(
    desk: Desk, drift_id: ids.DriftId, resolution: facts.Resolution, note: str | None, now: datetime
) -> list[facts.Fact]:
    """End the suspected drift that is shown, which is the oldest one, with what follows from the answer.

    The same answer to the same drift again changes nothing; an answer to another than the one shown is refused.
    """
    if desk.resolutions.get(drift_id) == resolution:
        return []
    drift = desk.drift
    if drift is None:
        raise Conflict("desk-no-drift")
    if drift.drift_id != drift_id:
        rules.demand_still(desk)
    end = facts.DriftResolved(drift.drift_id, resolution, note, now)
    return [end, *_consequences(desk, drift, resolution, now)]


def ways_out(desk: Desk, now: datetime) -> tuple[facts.Resolution, ...]:
    """The answers that `resolve` would take for the drift that is shown."""
    if desk.drift is None:
        return ()
    fit: list[facts.Resolution] = []
    for resolution in get_args(facts.Resolution):
        try:
            resolve(desk, desk.drift.drift_id, resolution, None, now)
        except Conflict:
            continue
        fit.append(resolution)
    return tuple(fit)


def _consequences(
    desk: Desk, drift: facts.DriftSuspected, resolution: facts.Resolution, now: datetime
) -> list[facts.Fact]:
    match drift.sign, resolution:
        case "ticket_skipped", "seen":
            return _seat_if_waiting(desk, drift.seen, now, "shown")
        case "ticket_skipped" | "ticket_repeated", "expected":
            return _seat_if_waiting(desk, drift.expected, now, "called")
        case "double_checkin", "expected":
            return _seat_if_waiting(desk, drift.expected, now, "called")
        case "double_checkin", "seen" if drift.expected in desk.waiting:
            return [facts.TicketReleased(drift.expected, "double_checkin", now)]
        case "frame_unexpected" | "frame_missing", "dismiss" if drift.capture_id in desk.undecided:
            return [facts.FrameDecided(drift.capture_id, "unbound", None, now)]
        case "frame_missing" | "face_repeated", "seen" | "expected":
            return []
        case "frame_unexpected", "seen" if _bound(desk, drift.capture_id):
            return []
        case "ticket_unlike", "seen":
            return [*_vacate(desk, now), *_seat_waiting(desk, drift.seen, now)]
        case "ticket_unlike", "expected" if desk.seated == drift.expected:
            return []
        case "ticket_unlike", "dismiss":
            return _vacate(desk, now)
        case "seat_stale" | "frame_too_soon" | "face_changed" | "face_unlike", "seen":
            return []
        case "seat_stale" | "frame_too_soon" | "face_changed" | "face_unlike" | "face_repeated", "dismiss" if (
            drift.capture_id in desk.undecided
        ):
            return _vacate(desk, now)
        case _, "dismiss":
            return []
        case _:
            raise Conflict("desk-resolution-unfit", sign=drift.sign, resolution=resolution)


def _bound(desk: Desk, capture_id: ids.CaptureId | None) -> bool:
    return capture_id is not None and desk.frames[capture_id].taken.ticket is not None


def _seat_if_waiting(desk: Desk, number: str, now: datetime, proof: facts.Proof) -> list[facts.Fact]:
    if desk.seated:
        raise Conflict("desk-resolution-unfit", sign="ticket", resolution=number)
    return _seat_waiting(desk, number, now, proof)


def _seat_waiting(desk: Desk, number: str, now: datetime, proof: facts.Proof = "shown") -> list[facts.Fact]:
    ticket = desk.tickets.get(number)
    if ticket is None or ticket.state != "waiting":
        raise Conflict("desk-resolution-unfit", sign="ticket", resolution=number)
    return [facts.Seated(number, now, proof)]


def _vacate(desk: Desk, now: datetime) -> list[facts.Fact]:
    """Whoever sits is not who we thought: undecided frames are nobody's, the number waits again."""
    number = desk.seated
    if number is None:
        return []
    theirs = [capture_id for capture_id in desk.undecided if desk.frames[capture_id].taken.ticket == number]
    unbound = [facts.FrameDecided(capture_id, "unbound", None, now) for capture_id in theirs]
    return [*unbound, facts.TicketReturned(number, now)]
