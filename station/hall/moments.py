"""Which requests are new: one that is repeated, or was said to a desk before it started anew, changes nothing.

Clocks tell nothing here, since those of desks without network differ by anything; each desk counts what it says, and
names the start of the listener's that it heard of last.
"""

import itertools
import secrets

from gradphoto_contracts import ids
from station.hall import wire


class Moments:
    """What this desk has said since it started, and how far it heard the others."""

    def __init__(self) -> None:
        self._life = secrets.token_urlsafe(12)
        self._count = itertools.count(1)
        self._lives: dict[ids.StationId, str] = {}
        self._last: dict[tuple[ids.StationId, str], int] = {}

    def following(self, listener: ids.StationId | None) -> wire.Moment:
        """The next moment, for this listener."""
        return wire.Moment(
            life=self._life, count=next(self._count), listener=self._lives.get(listener) if listener else None
        )

    def learn(self, peer: ids.StationId, moment: wire.Moment) -> None:
        """A desk speaks in this life of its own."""
        self._lives[peer] = moment.life

    def is_new(self, peer: ids.StationId, moment: wire.Moment) -> bool:
        """Whether it was said to this life of ours, and after all that was heard of that life of theirs; once."""
        if moment.listener != self._life or moment.count <= self._last.get((peer, moment.life), 0):
            return False
        self._last[peer, moment.life] = moment.count
        return True
