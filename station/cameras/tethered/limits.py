"""How long things may take at a tethered camera, in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The library's own limit for one answer is 20 s."""

    #: Opening lists the card: thousands of pictures take a while.
    opening_s: float = 60.0
    #: A camera that is driven says something five times a second, except while it focuses or sends a file.
    silence_s: float = 12.0
    #: From the shutter until its file is on the card.
    no_frame_s: float = 8.0
    #: How long a press is kept before it is given back.
    patience_s: float = 25.0
    #: A camera that was frozen or cut off is well by a picture, or when it has answered for so long again.
    believed_s: float = 20.0
    raw_alone_s: float = 6.0
    first_pause_s: float = 0.25
    longest_pause_s: float = 5.0
