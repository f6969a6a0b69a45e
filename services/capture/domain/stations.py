"""A station's life: invited by a one-time code, enrolled with its own key, heard, lost, revoked."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from gradphoto_contracts import capture, ids

#: How long a one-time enrolment code can be used.
CODE_LIFETIME = timedelta(hours=24)

#: Letters that no one confuses when read aloud or typed in a dim hall; 10 of 30 are 49 bits.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 10

State = Literal["invited", "enrolled", "revoked"]


@dataclass(frozen=True)
class Station:
    """A desk's computer. `code_index` is a keyed hash of its one-time code; the code itself is nowhere."""

    station_id: ids.StationId
    campaign_id: ids.CampaignId
    desk_id: ids.DeskId
    label: str
    state: State
    code_index: bytes
    code_expires_at: datetime
    created_at: datetime
    public_key_pem: str | None = None
    last_seen_at: datetime | None = None
    online: bool = False
    version: int = 1


@dataclass(frozen=True)
class Health:
    """What a station says of itself. Bytes and seconds; `skew_s` is the station's clock minus the server's."""

    backlog: int = 0
    disk_free_bytes: int | None = None
    camera: str | None = None
    skew_s: float | None = None
    pack_age_s: float | None = None
    queue: int | None = None
    mode: str | None = None
    hall_address: str | None = None
    hall_part: str | None = None
    hall_term: int | None = None
    hall_heard: int | None = None


def enrolment_fault(station: Station, public_key_pem: str, now: datetime) -> str | None:
    """Why this key cannot be taken for the code, or None. The same key again is no fault: our answer may be lost."""
    if station.state == "revoked":
        return "station-revoked"
    if station.state == "enrolled":
        return None if station.public_key_pem == public_key_pem else "enrolment-code-used"
    return "enrolment-code-expired" if now >= station.code_expires_at else None


def enrol(station: Station, public_key_pem: str) -> tuple[Station, list[capture.StationEnrolledV1]]:
    """Take the key; a station that has it already stays as it is and says nothing."""
    if station.state == "enrolled":
        return station, []
    enrolled = replace(station, state="enrolled", public_key_pem=public_key_pem, version=station.version + 1)
    event = capture.StationEnrolledV1(
        station_id=station.station_id,
        campaign_id=station.campaign_id,
        desk_id=station.desk_id,
        version=enrolled.version,
    )
    return enrolled, [event]


def hear(station: Station, now: datetime) -> tuple[Station, list[capture.StationSeenV1]]:
    """Note a heartbeat. Only the first one, and the first after a loss, is news."""
    if station.online:
        return replace(station, last_seen_at=now), []
    seen = replace(station, last_seen_at=now, online=True, version=station.version + 1)
    event = capture.StationSeenV1(
        station_id=station.station_id,
        campaign_id=station.campaign_id,
        desk_id=station.desk_id,
        seen_at=now,
        version=seen.version,
    )
    return seen, [event]


def lose(station: Station) -> tuple[Station, list[capture.StationLostV1]]:
    """Call a silent station lost; one that is lost already is no news."""
    if not station.online or station.last_seen_at is None:
        return station, []
    lost = replace(station, online=False, version=station.version + 1)
    event = capture.StationLostV1(
        station_id=station.station_id,
        campaign_id=station.campaign_id,
        desk_id=station.desk_id,
        last_seen_at=station.last_seen_at,
        version=lost.version,
    )
    return lost, [event]


def revoke(station: Station) -> Station:
    """Shut a station out. Its frames that are stored already stay."""
    return station if station.state == "revoked" else replace(station, state="revoked", version=station.version + 1)
