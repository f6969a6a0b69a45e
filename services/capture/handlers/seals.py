"""Sessions are sealed: compared, refused with what differs, countersigned, settled by somebody who answers for it."""

from gradphoto_contracts import ids
from kit import documents, errors
from services.capture import ports
from services.capture.domain import seals
from services.capture.handlers import measures


async def seal_session(work: ports.Work, told: seals.Told) -> seals.Seal:
    """Compare camera, journal and store. A session that was refused may be told anew; the answer says what differs."""
    before = await work.sessions.seal(told.session_id)
    if fault := seals.seal_fault(told, before):
        measures.CONFLICTS.labels(subject="session").inc()
        raise errors.Conflict(fault)
    sealed, events = seals.seal(told, await work.sessions.frames(told), before, work.now)
    if events:
        await work.sessions.save_seal(sealed)
    await work.say(events)
    return sealed


async def settle_session(
    work: ports.Work, session_id: ids.SessionId, author: str, role: str, reason: str
) -> seals.Seal:
    """Seal a refused session with its differences, on the word of somebody who answers for it."""
    before = await sealed_session(work, session_id)
    if before.state == "sealed":
        raise errors.Conflict("session-sealed")
    settled, events = seals.settle(before, author, role, work.now)
    if events:
        await work.sessions.save_seal(settled)
        await work.sessions.note_settled(session_id, reason)
    await work.say(events)
    return settled


async def sealed_session(work: ports.Work, session_id: ids.SessionId) -> seals.Seal:
    """A session as it was compared last."""
    seal = await work.sessions.seal(session_id)
    if seal is None:
        raise errors.NotFound("session-not-known")
    return seal


def countersign(work: ports.Work, seal: seals.Seal) -> tuple[dict[str, object], str] | None:
    """The server's own document over a seal, with its signature; None while the session is refused.

    Made anew whenever it is asked for: the key is derived, and the signature of the same document is the same.
    """
    if seal.state == "refused":
        return None
    document = seals.countersigned(seal, documents.digest(seal.told.document))
    return document, work.countersign(documents.canonical(document))


async def show_refused(work: ports.Work) -> None:
    """Show how many sessions of each desk wait to be balanced, from the database."""
    refused = await work.figures.refused()
    measures.SESSIONS_REFUSED.clear()
    for row in refused:
        measures.SESSIONS_REFUSED.labels(campus=row["campus"], desk=row["desk"]).set(row["sessions"])
