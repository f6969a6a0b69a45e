"""A seeded stand-in for face comparison, drawn from the distributions that were measured on real pictures.

Simulated students have no faces, and drawn portraits all look alike to SFace. The quantiles are those measured with
SFace (`docs/binding.md` quotes them): between two of them the line is straight, beyond the outermost there is nothing.
"""

import random
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum

Quantiles = tuple[tuple[float, float], ...]


class Signal(StrEnum):
    """What is compared: nothing; frames of one session among themselves; and a reference picture as well."""

    NONE = "none"
    SESSION = "session"
    REFERENCE = "reference"


@dataclass(frozen=True)
class Source:
    """How alike a pair of the same person is, and one of strangers: (share, cosine), ascending."""

    genuine: Quantiles
    strangers: Quantiles


#: One session, whole pictures: 102 people, 10,302 pairs of strangers; .35 % of them at .363 or above, none above .59.
SESSION = Source(
    genuine=((0, 0.83), (0.05, 0.86), (0.5, 0.92), (1, 0.98)),
    strangers=((0, -0.2), (0.5, 0.05), (0.9965, 0.363), (1, 0.59)),
)
#: Pictures of another day (38 pairs), strangers as in the chip test (.2 % at .363 or above, none above .43).
ADMISSION = Source(
    genuine=((0, 0.53), (0.05, 0.67), (0.5, 0.79), (1, 0.95)),
    strangers=((0, -0.2), (0.5, 0.05), (0.998, 0.363), (1, 0.43)),
)
#: A picture as small as a card's chip holds, other day, quality 20, and session pictures at quality 15.
CHIP_20 = Source(
    genuine=((0, 0.42), (0.05, 0.48), (0.5, 0.64), (1, 0.9)),
    strangers=((0, -0.2), (0.5, 0.05), (0.998, 0.33), (1, 0.36)),
)
CHIP_15 = Source(
    genuine=((0, 0.11), (0.05, 0.45), (0.5, 0.64), (1, 0.9)),
    strangers=((0, -0.2), (0.5, 0.05), (0.9987, 0.363), (1, 0.42)),
)
REFERENCES = {"admission": ADMISSION, "chip-q20": CHIP_20, "chip-q15": CHIP_15}


class Faces:
    """Says how alike two people's pictures are."""

    def __init__(self, seed: int, signal: Signal, reference: str = "admission") -> None:
        self._dice = random.Random(f"faces-{seed}")
        self.signal = signal
        self._reference = REFERENCES[reference]

    def of_session(self, one: int, other: int) -> float:
        """Two frames of this session."""
        return self._draw(SESSION, one, other)

    def of_reference(self, one: int, other: int) -> float:
        """A frame against the reference of a ticket's holder."""
        return self._draw(self._reference, one, other)

    def _draw(self, source: Source, one: int, other: int) -> float:
        quantiles = source.genuine if one == other else source.strangers
        share = self._dice.random()
        place = min(bisect_right(quantiles, (share, 2.0)), len(quantiles) - 1)
        (low, at_low), (high, at_high) = quantiles[place - 1], quantiles[place]
        return at_low + (at_high - at_low) * (share - low) / (high - low)
