"""Stations: invited, enrolled, heard; the fleet."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.capture.api.bodies import shape


class NewStation(shape.Body):
    campaign_id: UUID
    desk_id: UUID
    label: shape.Label


class Invitation(shape.Body):
    """The one-time code is in this answer and nowhere else."""

    station_id: UUID
    enrolment_code: str
    expires_at: datetime


class FleetStation(shape.Body):
    station_id: UUID
    campaign_id: UUID
    desk_id: UUID
    desk_code: str | None
    group_code: str | None
    campus_id: UUID | None
    label: str
    state: Literal["invited", "enrolled", "revoked"]
    online: bool
    last_seen_at: datetime | None
    backlog: int | None = None
    disk_free_bytes: int | None = None
    camera: str | None = None
    skew_s: float | None = None
    pack_age_s: float | None = None
    queue: int | None = None
    mode: str | None = None
    #: Where the desk listens for the others of its hall, what it is to them, and how many of them it hears.
    hall_address: str | None = None
    hall_part: str | None = None
    hall_term: int | None = None
    hall_heard: int | None = None


class StationState(shape.Body):
    station_id: UUID
    state: Literal["invited", "enrolled", "revoked"]


class Enrolment(shape.Body):
    code: Annotated[str, Field(min_length=1, max_length=40)]
    public_key_pem: Annotated[str, Field(min_length=1, max_length=400)]


class Enrolled(shape.Body):
    station_id: UUID
    campaign_id: UUID
    desk_id: UUID
    desk_code: str
    group_code: str
    campus_id: UUID
    campus_code: str
    #: The public key (PEM) under whose signature this station takes desk packs, and under no other.
    pack_key: str
    #: For whom the station closes its keys when its work is carried away on a stick (X25519, hex).
    recovery_key: str
    server_time: datetime


class Heartbeat(BaseModel):
    """What a station says of itself. What an agent says beyond this is left unread."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    backlog: shape.Whole = 0
    disk_free_bytes: shape.Whole | None = None
    camera: shape.Mark | None = None
    skew_s: shape.Seconds | None = None
    pack_age_s: shape.Seconds | None = None
    queue: shape.Whole | None = None
    mode: shape.Mark | None = None
    hall_address: shape.Mark | None = None
    hall_part: shape.Mark | None = None
    hall_term: shape.Whole | None = None
    hall_heard: shape.Whole | None = None


class ServerTime(shape.Body):
    server_time: datetime
