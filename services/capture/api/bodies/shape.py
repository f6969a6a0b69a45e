"""What all bodies have in common. An undeclared field is refused."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from kit import pages
from services.capture.domain import checkins


class Body(BaseModel):
    """A request or an answer; an undeclared field is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


#: The largest number that the database holds.
LARGEST = 2**63 - 1
#: What a camera may have counted: far beyond any camera, and the sum over all of a session's is still a number.
LARGEST_COUNT = 2**53


def of_our_time(at: datetime) -> datetime:
    """Neither the database nor a change of time zone holds every year; a laptop whose battery is dead lives in 1970."""
    if not 1970 <= at.year <= 2199:
        raise ValueError("not of our time")
    return at


Whole = Annotated[int, Field(ge=0, le=LARGEST)]
Bytes = Annotated[int, Field(ge=1, le=200_000_000)]
Seconds = Annotated[float, Field(allow_inf_nan=False, ge=-1e11, le=1e11)]
When = Annotated[AwareDatetime, AfterValidator(of_our_time)]
#: A time as a text: what was signed must come back to the letter.
WhenText = Annotated[
    str, Field(max_length=40, pattern=r"^((19[7-9]|20[0-9]|21[0-9])[0-9]-[0-9]{2}-[0-9]{2}T[0-9:.,+Z-]+)?$")
]
#: A 拍摄号.
Ticket = Annotated[str, Field(max_length=24, pattern=rf"^{checkins.TICKET.pattern}$")]
#: A short text from a desk's own machine, such as a camera's serial: printable ASCII. A name in pinyin would fit in, so
#: that it goes into no event.
Mark = Annotated[str, Field(max_length=64, pattern=r"^[ -~]*$")]
#: What staff call a thing by: one line.
Label = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
RuleId = Annotated[str, Field(pattern=r"^[A-Z][0-9]{1,2}['a-z]?(-[a-z]{1,12})?$")]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
Signature = Annotated[str, Field(max_length=400, pattern=r"^[A-Za-z0-9_.=-]*$")]


def page(kind: type[Any], found: list[dict[str, Any]], limit: int | None = None) -> pages.Page[Any]:
    """A page of one kind; the next begins behind its last row, by the kind's first field."""
    items = rows(kind, found)
    last = next(iter(kind.model_fields))
    return pages.Page(items=items, next=getattr(items[-1], last) if items and len(items) == limit else None)


def rows(kind: type[Any], found: list[dict[str, Any]]) -> list[Any]:
    """Answers of one kind from rows."""
    return [kind(**row) for row in found]
