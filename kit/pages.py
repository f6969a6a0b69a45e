"""Lists over HTTP: some rows, and where the next ones begin."""

from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """Some rows of a list. `next`, given back as `?after=`, goes on behind them; none when there are no more."""

    items: list[T]
    next: UUID | int | None = None
