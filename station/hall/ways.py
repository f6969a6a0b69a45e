"""How this desk reaches the hub: by itself, or through a desk that hears it, by what each said last."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from gradphoto_contracts import ids
from station.domain import hall as halls
from station.hall import wire


@dataclass(frozen=True, slots=True)
class Way:
    """To the hub, over `hops` cables; `via` is the first desk on it, None where the hub is heard itself."""

    hub: ids.StationId
    hops: int
    via: ids.StationId | None


class Ways:
    """What the other desks said of whom they hear. `lease_s` is how long that holds."""

    def __init__(self, me: ids.StationId, lease_s: float) -> None:
        self._me, self._lease_s = me, lease_s
        self._heard_at: dict[ids.StationId, float] = {}
        self._said: dict[ids.StationId, wire.Told] = {}

    @property
    def heard(self) -> frozenset[ids.StationId]:
        """The desks that were heard within the lease."""
        since = time.monotonic() - self._lease_s
        return frozenset(peer for peer, at in self._heard_at.items() if at >= since)

    def hear(self, peer: ids.StationId, told: wire.Told) -> None:
        """A desk said something, without anybody between."""
        self._heard_at[peer] = time.monotonic()
        self._said[peer] = told

    def lose(self, peer: ids.StationId) -> bool:
        """A desk did not answer; whether it was heard until now."""
        return self._heard_at.pop(peer, None) is not None

    def lose_way(self, peer: ids.StationId) -> None:
        """A desk answered, and did not reach the hub: what it said of its way holds no longer."""
        if peer in self._said:
            self._said[peer] = self._said[peer].model_copy(update={"hops": None})

    def beyond(self, heard: Collection[ids.StationId]) -> frozenset[ids.StationId]:
        """Whom the desks hear that are heard here."""
        return frozenset(far for peer in heard for far in self._said[peer].hears) - {self._me}

    def to_hub(self, term: halls.Term | None, heard: Collection[ids.StationId]) -> Way | None:
        """The shortest way to the hub of the term; none through a desk whose own way leads back here."""
        if term is None or term.hub == self._me:
            return None
        if term.hub in heard:
            return Way(term.hub, 1, None)
        ways = [
            (said.hops + 1, peer)
            for peer in heard
            if (said := self._said[peer]).term == term and said.hops is not None and said.via != self._me
        ]
        hops, via = min(ways, default=(wire.MOST_HOPS + 1, None))
        return Way(term.hub, hops, via) if hops <= wire.MOST_HOPS else None

    def known(self, others: Collection[ids.StationId]) -> Mapping[ids.StationId, wire.Told] | None:
        """What every one of these desks said last; None while one of them never spoke."""
        return {peer: self._said[peer] for peer in others} if all(peer in self._said for peer in others) else None


def oldest_pack(said: Collection[datetime | None]) -> datetime | None:
    """The time of the oldest of these packs; None while one desk has none."""
    known = [at for at in said if at is not None]
    return min(known) if known and len(known) == len(said) else None
