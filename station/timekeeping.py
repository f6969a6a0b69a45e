"""The station's time: nobody is told to set a clock; the difference to the server's is measured and applied."""

import json
from datetime import datetime, timedelta
from pathlib import Path

from kit import clock as clocks
from kit import logs
from station import settings

#: A smaller difference is not worth a correction: it is the length of a request.
_NOTABLE = timedelta(seconds=5)


class StationClock:
    """A clock with a correction that is kept over restarts in a file."""

    def __init__(self, clock: clocks.Clock, path: Path) -> None:
        self._clock, self._path = clock, path
        self.skew = _read(path)

    def now(self) -> datetime:
        """The server's time as far as we know it."""
        return self._clock.now() + self.skew

    @property
    def offset_s(self) -> float:
        """How far this machine's clock is from the server's, as measured; positive when it is ahead."""
        return -self.skew.total_seconds()

    def learn(self, server_time: datetime, before: datetime, after: datetime) -> None:
        """The server read `server_time` at some moment between our `before` and `after` (as `now` gave them)."""
        difference = server_time - (before + (after - before) / 2)
        if abs(difference) <= max(_NOTABLE, after - before):
            return
        self.skew += difference
        settings.write_whole(self._path, json.dumps({"skew_s": self.skew.total_seconds()}).encode())
        logs.get().warning("clock.corrected", skew_s=self.skew.total_seconds())


def _read(path: Path) -> timedelta:
    try:
        return timedelta(seconds=float(json.loads(path.read_bytes())["skew_s"]))
    except FileNotFoundError:
        return timedelta()
