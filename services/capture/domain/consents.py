"""Consent to face comparison as a desk recorded it: each saying is kept, signed by the station; the last one holds."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gradphoto_contracts import ids


@dataclass(frozen=True)
class Consent:
    """A student said yes or took it back, to this text. `signature` is the station's over `document`."""

    consent_id: UUID
    campaign_id: ids.CampaignId
    student_id: ids.StudentId
    station_id: ids.StationId
    desk_id: ids.DeskId
    given: bool
    #: The version of the text and the digest of its words: what was agreed to, to the letter.
    text: str
    text_sha256: str
    #: As the desk wrote it: what was signed must come back to the letter.
    said_at: str
    at: datetime
    signature: str
    recorded_at: datetime


def document(consent: Consent) -> dict[str, Any]:
    """What the station signed."""
    return {
        "consent_id": str(consent.consent_id),
        "station_id": str(consent.station_id),
        "student_id": str(consent.student_id),
        "given": consent.given,
        "text": consent.text,
        "text_sha256": consent.text_sha256,
        "at": consent.said_at,
    }


def digest_of(zh: str, en: str) -> str:
    """The digest of a text in both its languages, as desks reckon it."""
    return hashlib.sha256(f"{zh}\n{en}".encode()).hexdigest()


def same(one: Consent, other: Consent) -> bool:
    """Whether both say the same, whenever it came and from whichever desk."""
    return replace(one, recorded_at=other.recorded_at, desk_id=other.desk_id) == other


def in_force(said: Sequence[Consent]) -> Consent | None:
    """The last word of a student; None while nothing was said, or where it was taken back.

    By the desks' times, none later than when it came here: a clock that is ahead outlives nothing said since. Of two
    at one moment the withdrawal holds.
    """
    last = max(
        said, key=lambda one: (min(one.at, one.recorded_at), one.at, not one.given, one.consent_id), default=None
    )
    return last if last is not None and last.given else None
