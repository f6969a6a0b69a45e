"""What all bodies have in common. An undeclared field is refused."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from kit import pages


class Body(BaseModel):
    """A request or an answer; an undeclared field is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


#: A short code or number from a desk: printable ASCII, so that no person's name fits in.
Mark = Annotated[str, Field(max_length=64, pattern=r"^[ -~]*$")]
RuleId = Annotated[str, Field(pattern=r"^[A-Za-z0-9'_.-]{1,40}$")]
Reason = Annotated[str, Field(min_length=1, max_length=500)]


def page(kind: type[Any], found: list[dict[str, Any]], limit: int | None = None) -> pages.Page[Any]:
    """A page of one kind; the next begins behind its last row, by the kind's first field."""
    items = rows(kind, found)
    last = next(iter(kind.model_fields))
    return pages.Page(items=items, next=getattr(items[-1], last) if items and len(items) == limit else None)


def rows(kind: type[Any], found: list[dict[str, Any]]) -> list[Any]:
    """Answers of one kind from rows."""
    return [kind(**row) for row in found]
