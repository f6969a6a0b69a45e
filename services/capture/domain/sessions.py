"""Seals and drifts: whether a desk's frames are all here, and what made a desk stop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from gradphoto_contracts import capture, ids

Sign = Literal["ticket_skipped", "ticket_repeated", "frame_missing", "frame_unexpected", "double_checkin"]


@dataclass(frozen=True)
class Frame:
    """A frame by its id and its bytes' hash."""

    capture_id: ids.CaptureId
    sha256: str


@dataclass(frozen=True)
class Seal:
    """A session's three counts. `missing` names the journalled frames that are not in the store with their hash."""

    session_id: ids.SessionId
    campaign_id: ids.CampaignId
    desk_id: ids.DeskId
    station_id: ids.StationId
    camera_frames: int
    journalled: tuple[Frame, ...]
    stored_frames: int
    missing: tuple[ids.CaptureId, ...]
    sealed_at: datetime
    version: int = 1

    @property
    def balanced(self) -> bool:
        return not self.missing and self.camera_frames == len(self.journalled) == self.stored_frames


def missing_frames(journalled: Sequence[Frame], stored: Mapping[ids.CaptureId, str]) -> tuple[ids.CaptureId, ...]:
    """Which journalled frames the store does not hold with the same hash."""
    return tuple(frame.capture_id for frame in journalled if stored.get(frame.capture_id) != frame.sha256)


def seal(now_counted: Seal, before: Seal | None) -> tuple[Seal, list[capture.SessionSealedV1]]:
    """Seal a session, or seal it anew with what has come in since. The same counts again are no news."""
    if before is not None and replace(now_counted, sealed_at=before.sealed_at, version=before.version) == before:
        return before, []
    sealed = replace(now_counted, version=before.version + 1 if before else 1)
    event = capture.SessionSealedV1(
        session_id=sealed.session_id,
        campaign_id=sealed.campaign_id,
        desk_id=sealed.desk_id,
        station_id=sealed.station_id,
        camera_frames=sealed.camera_frames,
        journalled_frames=len(sealed.journalled),
        stored_frames=sealed.stored_frames,
        balanced=sealed.balanced,
        sealed_at=sealed.sealed_at,
        version=sealed.version,
    )
    return sealed, [event]


def seal_fault(now_counted: Seal, before: Seal | None) -> str | None:
    """Why a session cannot be sealed so, or None: what balanced once stays as it is."""
    if before is None:
        return None
    if before.station_id != now_counted.station_id:
        return "session-of-another-station"
    said_again = (before.camera_frames, before.journalled) == (now_counted.camera_frames, now_counted.journalled)
    return "session-sealed" if before.balanced and not said_again else None


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
    resolution: str | None = None
    cue: str | None = None
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
