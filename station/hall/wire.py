"""What desks say to each other: ids, tickets and times; no name, no number of a document, no picture."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gradphoto_contracts import ids
from station.domain import hub
from station.domain.hall import Called, Claimed, Entry

#: So many entries go in one message: a desk that joins late asks again at once.
BATCH = 500


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Told(_Body):
    """How far the speaker knows each log, and what it thinks the other lacks. `address`: where it listens."""

    heads: dict[ids.StationId, int]
    entries: Annotated[list[Entry], Field(max_length=BATCH)]
    address: str | None = None


class ClaimAsked(_Body):
    """Grant this check-in."""

    told: Told
    wish: hub.Wish


class CallAsked(_Body):
    """Let the speaker call this ticket's holder."""

    told: Told
    checkin_id: ids.CheckinId


class ClaimAnswered(_Body):
    """Granted, with what the asker must know to keep it; or who has the student."""

    told: Told
    granted: Claimed | None = None
    taken: hub.Taken | None = None


class CallAnswered(_Body):
    """As for a claim; neither: the ticket is not known here."""

    told: Told
    granted: Called | None = None
    taken: hub.Taken | None = None
