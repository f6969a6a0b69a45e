"""What the photo standard says of a picture, and who compares faces."""

from dataclasses import dataclass
from typing import Protocol

from station.domain import facts


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a picture breaks, with what to tell the student."""

    rule: str
    severity: str
    zh: str
    en: str
    advice_zh: str
    advice_en: str
    measured: float | None = None
    unit: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the head is, for an overlay: shares of the upright picture's width and height, 0 to 1. No template.

    `crop` is what the photo would be cut from: left, top, width, height. `left_eye` is the one at the picture's left.
    """

    crown_y: float
    eyes_y: float
    chin_y: float
    left_x: float
    right_x: float
    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    crop: tuple[float, float, float, float] | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the photo standard says of a picture."""

    verdict: facts.Verdict
    profile: str
    findings: tuple[Finding, ...]
    marks: Marks | None = None
    #: What no machine judges: the operator looks.
    for_a_person: tuple[Finding, ...] = ()


class Inspector(Protocol):
    """Holds the photo standard against a picture, without network."""

    async def inspect(self, jpeg: bytes, profile: str) -> Judgement: ...


class Faces(Protocol):
    """Says how alike two faces are (cosine, -1 to 1). Remembers the last two seats, in memory alone."""

    async def compare(self, ticket: str, jpeg: bytes) -> dict[facts.Against, float]:
        """With what the frame's face can be compared, and how alike they are. May be empty."""
        ...

    async def expect(self, ticket: str, picture: bytes) -> bool:
        """Remember the face on a reference picture for this ticket. False: there is none in it."""
        ...

    def drop(self, ticket: str) -> None:
        """Forget the ticket's reference."""
        ...

    def forget(self) -> None:
        """Forget the seats."""
        ...

    def close(self) -> None:
        """Forget everybody."""
        ...
