"""Since when a picture may have been taken, whatever connection told of it and whichever hands it over.

One life of the agent. The camera's own dates are not asked: they are of whole seconds, and some bodies write them when
the file is closed.
"""

from dataclasses import dataclass

from station.ports import hardware

#: Between two looks for events the driver does other things; in less than this nobody changes seats.
_USUAL_BLIND_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """When a picture was first told of (monotonic), and how long before that it was taken at most."""

    told_ns: int
    lag_ns: int


class Sightings:
    """What is known of pictures that the desk has not, and when each body was listened to last."""

    def __init__(self) -> None:
        self._seen: dict[hardware.FrameKey, Sighting] = {}
        self._listened_ns: dict[str, int] = {}

    def listened(self, serial: str, at_ns: int) -> None:
        """What this body took before, but for its own delay, was told of."""
        self._listened_ns[serial] = at_ns

    def found(self, key: hardware.FrameKey, now_ns: int, delay_ns: int) -> None:
        """A picture lay on the card as the camera was opened: taken since it was listened to last, if ever."""
        lag_ns = now_ns - self._listened_ns.get(key[0], 0) + delay_ns
        self._seen.setdefault(key, Sighting(now_ns, lag_ns))

    def told(self, key: hardware.FrameKey, told_ns: int, looked_ns: int, delay_ns: int) -> None:
        """The camera tells of a picture; `looked_ns`: when the driver had looked for one before."""
        blind_ns = told_ns - looked_ns
        lag_ns = delay_ns + (blind_ns if blind_ns > _USUAL_BLIND_NS else 0)
        self._seen.setdefault(key, Sighting(told_ns, lag_ns))

    def of(self, key: hardware.FrameKey) -> Sighting:
        """Of a picture that was told of, however often it is handed over."""
        return self._seen[key]
