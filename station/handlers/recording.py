"""Writing down what happened: journal first, then memory, then everybody who listens."""

import asyncio
from collections.abc import Sequence

from station.domain import facts, outgoing
from station.ports import workplace


async def record(work: workplace.Work, happened: Sequence[facts.Fact]) -> None:
    """Make facts true. The caller holds the lock; on return they are on the disk, with what follows for the server.

    Once begun it is finished, even if the caller is cancelled: memory and disk must not part.
    """
    if not happened:
        return
    writing = asyncio.create_task(_record(work, happened))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait({writing})
        raise


async def _record(work: workplace.Work, happened: Sequence[facts.Fact]) -> None:
    now_ns = work.monotonic_ns()
    messages = outgoing.messages(work.desk, happened)
    await work.journal.append(happened, messages)
    for fact in happened:
        work.desk.apply(fact)
        work.happened(fact)
        _let_go(work, fact)
    work.chair.follow(work.sitter, now_ns)
    if any(isinstance(fact, facts.Seated | facts.TicketShown) for fact in happened):
        work.chair.known_ns = now_ns
    if messages:
        work.wake_uplink()


def _let_go(work: workplace.Work, fact: facts.Fact) -> None:
    """No face is remembered for longer than it is needed."""
    if work.faces is None:
        return
    match fact:
        case facts.SessionSealed():
            work.faces.forget()
        case facts.TicketReleased():
            work.faces.drop(fact.ticket)
        case facts.FrameDecided(decision="keep" | "override"):
            work.faces.drop(work.desk.frames[fact.capture_id].taken.ticket or "")
