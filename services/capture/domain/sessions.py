"""Seals and drifts: whether a desk's frames are all here, and what made a desk stop."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from gradphoto_contracts import capture, ids

Sign = Literal["ticket_skipped", "ticket_repeated", "frame_missing", "frame_unexpected", "double_checkin"]
#: The desk's own, finer word for a sign.
DeskCue = Literal["ticket_unlike", "seat_stale", "frame_too_soon", "face_repeated", "face_changed", "face_unlike"]
#: The last is the server's own: a frame and the check-in that it names say two students.
Cue = Literal[DeskCue, "checkin_unlike"]
#: How the operator ended it: what was seen is right, what was expected is right, or neither.
Resolution = Literal["seen", "expected", "dismiss"]


@dataclass(frozen=True)
class Drift:
    """A sign that photos and students may be shifted. `resolution` is None while the desk stands still."""

    drift_id: ids.DriftId
    campaign_id: ids.CampaignId
    desk_id: ids.DeskId
    station_id: ids.StationId
    sign: Sign
    expected: str
    seen: str
    suspected_at: datetime
    resolution: Resolution | None = None
    cue: Cue | None = None
    version: int = 1


def drift_fault(told: Drift, before: Drift | None) -> str | None:
    """Why a drift cannot be told so, or None: only its resolution may come later, once."""
    if before is None:
        return None
    if replace(told, resolution=before.resolution, version=before.version) != before:
        return "drift-differs"
    changed = told.resolution is not None and before.resolution is not None and told.resolution != before.resolution
    return "drift-resolved-otherwise" if changed else None


def tell_drift(told: Drift, before: Drift | None) -> tuple[Drift, list[capture.DriftSuspectedV1]]:
    """Note a drift or its resolution. An older telling that comes late changes nothing."""
    if before is not None and (told.resolution is None or told.resolution == before.resolution):
        return before, []
    noted = replace(told, version=before.version + 1 if before else 1)
    event = capture.DriftSuspectedV1(
        drift_id=noted.drift_id,
        campaign_id=noted.campaign_id,
        desk_id=noted.desk_id,
        station_id=noted.station_id,
        sign=noted.sign,
        expected=noted.expected,
        seen=noted.seen,
        suspected_at=noted.suspected_at,
        resolution=noted.resolution,
        cue=noted.cue,
        version=noted.version,
    )
    return noted, [event]
