"""Check-ins: a student holds a 拍摄号 of one desk."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from gradphoto_contracts import capture, ids
from services.capture.domain import photos

#: A 拍摄号: the desk's code, a dash, four digits.
TICKET = re.compile(r"(?P<desk>[0-9A-Za-z][0-9A-Za-z-]{0,15})-(?P<number>[0-9]{4})")


@dataclass(frozen=True)
class Checkin:
    """A student checked in. `class_id` is None until roster's word about the student has come."""

    checkin_id: ids.CheckinId
    campaign_id: ids.CampaignId
    student_id: ids.StudentId
    class_id: ids.ClassId | None
    desk_id: ids.DeskId
    station_id: ids.StationId
    ticket: str
    checked_in_at: datetime
    recorded_at: datetime
    #: The number of the hub's term under which the desks of the hall agreed to it; `apart`: they could not all know.
    hall_term: int | None = None
    apart: bool = False
    released_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True)
class LetIn:
    """Whom the plan would have sent elsewhere, or who had no code, was checked in by hand: by whom, why, and when."""

    role: photos.Role
    reason: str
    at: datetime


def ticket_desk(ticket: str) -> str | None:
    """The code of the desk whose 拍摄号 this is; None when it is none."""
    match = TICKET.fullmatch(ticket)
    return match["desk"] if match else None


def release(checkin: Checkin, at: datetime) -> Checkin:
    """The student walked off. The first time stays."""
    return checkin if checkin.released_at else replace(checkin, released_at=at, version=checkin.version + 1)


def same(one: Checkin, other: Checkin) -> bool:
    """Whether both say the same, whoever recorded it and whenever."""
    facts = ("checkin_id", "campaign_id", "student_id", "desk_id", "ticket", "checked_in_at")
    return all(getattr(one, fact) == getattr(other, fact) for fact in facts)


def contradicts(checkin: Checkin, shot: photos.Shot) -> bool:
    """Whether a frame that names this check-in says another student, or another number, than it.

    A desk takes both from the check-in of whoever sits: they never differ by rebinding, letting in or taking over.
    """
    other_number = shot.ticket is not None and shot.ticket != checkin.ticket
    return other_number or (shot.campaign_id, shot.student_id) != (checkin.campaign_id, checkin.student_id)


def announce(checkin: Checkin) -> list[capture.CheckinRecordedV1]:
    """What is said about a check-in: nothing before its student's class is known."""
    if checkin.class_id is None:
        return []
    return [
        capture.CheckinRecordedV1(
            checkin_id=checkin.checkin_id,
            campaign_id=checkin.campaign_id,
            student_id=checkin.student_id,
            class_id=checkin.class_id,
            desk_id=checkin.desk_id,
            station_id=checkin.station_id,
            ticket=checkin.ticket,
            checked_in_at=checkin.checked_in_at,
            version=checkin.version,
        )
    ]


def resolve(checkin: Checkin, class_id: ids.ClassId) -> tuple[Checkin, list[capture.CheckinRecordedV1]]:
    """Complete a check-in whose student was not known when it came."""
    if checkin.class_id is not None:
        return checkin, []
    resolved = replace(checkin, class_id=class_id)
    return resolved, announce(resolved)
