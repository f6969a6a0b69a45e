"""Portraits, drawn once: a trial is not about drawing."""

import functools

from station.cameras import portraits


@functools.cache
def portrait(seed: int) -> bytes:
    """A small portrait that the photo standard accepts."""
    return portraits.draw(seed, width_px=800, height_px=1200)
