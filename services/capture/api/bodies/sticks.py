"""A dead desk's work on a stick."""

from typing import Annotated, Literal

from pydantic import Field

from services.capture.api.bodies import shape


class KeysAsked(shape.Body):
    """A stick's list of contents as its station signed it, and for whom its keys are to be closed again."""

    manifest: Annotated[str, Field(max_length=20_000_000)]
    signature: shape.Signature
    recipient: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Keys(shape.Body):
    box: str


class Brought(shape.Body):
    """A message of another station, to the letter, with that station's signature."""

    text: Annotated[str, Field(max_length=20_000_000)]
    signature: shape.Signature


class BroughtIn(shape.Body):
    state: Literal["received"] = "received"
