"""Money is an integer number of fen (1 元 = 100 分). There is no other representation anywhere."""

from typing import Annotated

from pydantic import Field

#: An amount that is never negative, in fen.
AmountFen = Annotated[int, Field(ge=0, le=10**12, strict=True)]
