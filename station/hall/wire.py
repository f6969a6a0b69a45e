"""What desks say to each other: ids, tickets and times; no name, no number of a document, no picture."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gradphoto_contracts import ids
from station.domain import hub
from station.domain.hall import Called, Claimed, Entry, Term

#: So many entries go in one message: a desk that joins late asks again at once.
BATCH = 500
#: Over so many cables a hub is still asked: a hall is one switch, and a relay is for the day on which part of it fails.
MOST_HOPS = 4


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Moment(_Body):
    """When something was said: as the `count`-th message of this life of the speaker's, to this one of the listener's.

    A life is from one start to the next; `listener` None: the speaker has not heard of any.
    """

    life: Annotated[str, Field(min_length=1, max_length=40)]
    count: Annotated[int, Field(ge=1)]
    listener: Annotated[str, Field(max_length=40)] | None = None


class Told(_Body):
    """How far the speaker knows each log, and what it thinks the other lacks. `address`: where it listens."""

    heads: dict[ids.StationId, int]
    entries: Annotated[list[Entry], Field(max_length=BATCH)]
    moment: Moment
    #: Who is to hand this on; None: it is said to the listener itself, who hears the speaker by that.
    through: ids.StationId | None = None
    address: str | None = None
    #: Whom the speaker hears itself, and how it reaches the hub of the newest term it knows.
    hears: tuple[ids.StationId, ...] = ()
    term: Term | None = None
    hops: int | None = None
    via: ids.StationId | None = None
    #: How new the speaker's desk pack is: what the server said by then, each desk knows by its own pack.
    pack_as_of: datetime | None = None


class ClaimAsked(_Body):
    """Grant this check-in."""

    told: Told
    wish: hub.Wish


class CallAsked(_Body):
    """Let the speaker call this ticket's holder."""

    told: Told
    checkin_id: ids.CheckinId


class Relayed(_Body):
    """A request for the hub as its asker signed it, handed on by a desk that hears both. `hops`: how far it may go."""

    path: Literal["/v1/hall/claims", "/v1/hall/calls", "/v1/hall/exchanges"]
    authorization: Annotated[str, Field(max_length=4000)]
    content: Annotated[str, Field(max_length=2_000_000)]
    hops: Annotated[int, Field(ge=1, le=MOST_HOPS)]


class RelayAnswered(_Body):
    """What the hub answered, to the letter, with its signature for the asker."""

    status: int
    content: str
    signature: str | None = None


class ClaimAnswered(_Body):
    """Granted, with what the asker must know to keep it; or who has the student. Neither: ask again, now."""

    told: Told
    granted: Claimed | None = None
    taken: hub.Taken | None = None


class CallAnswered(_Body):
    """As for a claim; or the hub knows no such ticket. None of them: ask again, now."""

    told: Told
    granted: Called | None = None
    taken: hub.Taken | None = None
    unknown: hub.Unknown | None = None
