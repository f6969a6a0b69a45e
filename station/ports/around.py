"""What is around a desk: the time, and the other desks of its hall."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from gradphoto_contracts import ids
from station.domain import hall as halls
from station.domain import hub


class Clock(Protocol):
    """The station's time: its machine's clock, corrected by what the server's clock says."""

    def now(self) -> datetime: ...

    @property
    def offset_s(self) -> float:
        """How far the machine's clock was ahead of the server's when last measured; `now` has it taken out."""
        ...


class Hall(Protocol):
    """The desks of one hall, which share a queue. With nobody to be heard, this desk grants to itself, apart."""

    @property
    def me(self) -> ids.StationId: ...

    @property
    def known(self) -> halls.Hall:
        """What this desk knows of the hall."""
        ...

    @property
    def codes(self) -> Mapping[ids.StationId, str]:
        """The desks' codes by their stations."""
        ...

    async def claim(self, wish: hub.Wish) -> halls.Claimed | hub.Taken:
        """Have a student checked in at this desk. On return it is on the disk. May take as long as a takeover."""
        ...

    async def call(self, checkin_id: ids.CheckinId) -> halls.Called | hub.Taken | hub.Unknown:
        """Call a ticket's holder to this desk; only when it is `Called` the hall lets them sit here."""
        ...

    async def catch_up(self) -> Sequence[ids.CheckinId]:
        """Ask the hub what is new; the check-ins of which something may still come."""
        ...

    async def note(self, told: Sequence[halls.Fact]) -> None:
        """Write facts of this desk into its log."""
        ...

    async def reserve(self, ordinal: int) -> None:
        """This number may be asked for: on the disk on return, so that it is never asked for another student."""
        ...

    @property
    def next_ordinal(self) -> int:
        """The first number that was never asked for."""
        ...
