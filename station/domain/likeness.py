"""The word for how alike two faces are: for the operator and the drift rules, never a verdict on the photo."""

from typing import Literal

#: `likely`: probably one person. `unlike`: probably two. `unclear`: a person looks.
Likeness = Literal["likely", "unclear", "unlike"]

#: Cosines of SFace from which faces are called alike, and below which they are called unlike (docs/faces.md).
ALIKE, UNLIKE = 0.45, 0.30


def likeness(similarity: float) -> Likeness:
    """The band in which a cosine lies."""
    if similarity >= ALIKE:
        return "likely"
    return "unlike" if similarity < UNLIKE else "unclear"
