"""Who sat before the camera when: what decides whose a picture is that comes without having been asked for."""

from dataclasses import dataclass


@dataclass(slots=True)
class Chair:
    """The present sitter and the one before, in nanoseconds of the machine's monotonic clock; one life of the agent.

    A picture is heard of after it was taken, up to `lag_ns` later; it is somebody's only if in all that time nobody
    else can have sat there.
    """

    seated: str | None
    since_ns: int
    #: When the `former` one left by our count, who may stay on until the next one sits; nobody knows who sat before.
    left_ns: int
    former: str | None = None
    #: When who sits was called, or has shown the number; None: before this life of the agent.
    known_ns: int | None = None

    def follow(self, seated: str | None, now_ns: int) -> None:
        """Take in who sits now. The same one again changes nothing."""
        if seated == self.seated:
            return
        if self.seated is not None:
            self.former, self.left_ns = self.seated, now_ns
        self.seated, self.since_ns = seated, now_ns

    def sitter(self, heard_ns: int, lag_ns: int) -> str | None:
        """Whose picture it is; None when nobody sat there, or when it may be another's."""
        if self.seated is None or heard_ns < self.since_ns or heard_ns - lag_ns < self._alone_since_ns:
            return None
        return self.seated

    def another(self, heard_ns: int, lag_ns: int) -> str | None:
        """The former sitter, when the picture may be theirs."""
        late = self.seated is not None and heard_ns >= self.since_ns
        return self.former if heard_ns - lag_ns < (self._alone_since_ns if late else self.left_ns) else None

    @property
    def _alone_since_ns(self) -> int:
        """Nobody but the present sitter has sat there since."""
        return self.left_ns if self.former in (None, self.seated) else self.since_ns
