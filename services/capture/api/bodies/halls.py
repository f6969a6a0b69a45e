"""The hall's list, walk-offs, students whom two desks took."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from services.capture.api.bodies import shape


class HallGrant(shape.Body):
    """How the desks of the hall agreed: under which hub's term, or `apart`, where they could not all know."""

    term: Annotated[int, Field(ge=1, le=shape.LARGEST)] | None = None
    apart: bool = False


class Release(shape.Body):
    released_at: shape.When


class Released(shape.Body):
    state: Literal["released"] = "released"


class HallStation(shape.Body):
    station_id: UUID
    desk_code: str
    public_key_pem: str
    address: str | None


class HallList(shape.Body):
    """The stations of a hall, signed as a whole (header `gradphoto-signature`), in the order in which hubs follow."""

    campaign_id: UUID
    group_code: str
    stations: list[HallStation]


class ListedDouble(shape.Body):
    """A student whom two desks took: which check-ins, whether one was made apart, and what was decided."""

    student_id: UUID
    checkin_ids: list[UUID]
    capture_ids: list[UUID]
    apart: bool
    found_at: datetime
    kept_capture_id: UUID | None
    settled_by: Literal["policy", "released", "person"] | None
    settled_at: datetime | None
    version: int


class DoubleSettled(shape.Body):
    """Which photo is to be in force."""

    capture_id: UUID
    reason: shape.Reason
