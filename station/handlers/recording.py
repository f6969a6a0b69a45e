"""Writing down what happened: journal first, then memory, then everybody who listens."""

from collections.abc import Sequence

from station import ports
from station.domain import facts, outgoing


async def record(work: ports.Work, happened: Sequence[facts.Fact]) -> None:
    """Make facts true. The caller holds the lock; on return they are on the disk, with what follows for the server."""
    if not happened:
        return
    messages = outgoing.messages(work.desk, happened)
    await work.journal.append(happened, messages)
    for fact in happened:
        work.desk.apply(fact)
        work.happened(fact)
    if messages:
        work.wake_uplink()
