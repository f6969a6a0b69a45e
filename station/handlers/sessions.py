"""A session begins with the first work and ends with a seal: the counts of camera, journal and server are compared."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

from kit.errors import Conflict
from station.domain import facts, rules, sealing
from station.domain.desk import Session
from station.handlers import recording
from station.ports import hardware, workplace

_LOOK_AGAIN_S = 0.1


async def open_session(work: workplace.Work) -> None:
    """Begin a session unless one is open."""
    counted = await work.camera.frames_taken()
    async with work.lock:
        opened = rules.open_session(work.desk, work.new_id, work.clock.now(), work.camera.serial, counted)
        await recording.record(work, opened)


async def seal(work: workplace.Work, patience_s: float) -> dict[str, Any]:
    """Seal the session and open the next; the server's answer, if it comes within `patience_s`, and its paper.

    A session that the server refused is sealed anew with it. Again, when nothing happened since, it gives the answer
    for the session sealed last.
    """
    session = await _seal(work)
    sealed = session.sealed
    if sealed is None:
        raise ValueError("a session that was sealed has its seal")
    counts = {
        "session_id": str(session.session_id),
        "camera_frames": sealed.camera_frames,
        "journalled_frames": len(sealing.document(work.desk, sealed)["journalled"]),
        "journal_head": sealed.journal_head,
        "signature": sealed.signature,
        "differences": [],
        "difference_count": 0,
    }
    answer = await _answer(work, session.session_id, patience_s)
    if answer is None:
        answer = {"state": "waiting", "stored_frames": None, "missing": [], "balanced": False}
    whole = {**counts, "state": "sealed", **answer}
    paper = sealing.paper(work.desk.code, whole)
    if work.printer is not None:
        await work.printer.print(hardware.Slip("", "", work.desk.code, work.clock.now(), paper))
    return {**whole, "paper": list(paper)}


async def _seal(work: workplace.Work) -> Session:
    counted = await work.camera.frames_taken()
    async with work.lock:
        if work.exposing:
            raise Conflict("desk-shutter-busy")
        desk = work.desk
        for session in await _refused(work):
            await _sign(work, facts.SessionSealed(session.session_id, 0, work.clock.now()), session, counted)
        sealed_before = len(desk.sessions) > 1
        if not (desk.session and desk.session.empty and sealed_before):
            for fact in rules.seal(desk, counted, work.clock.now()):
                if isinstance(fact, facts.SessionSealed) and desk.session:
                    await _sign(work, fact, desk.session, counted)
            opened = rules.open_session(desk, work.new_id, work.clock.now(), work.camera.serial, counted)
            await recording.record(work, opened)
        return next(session for session in reversed(desk.sessions) if session.sealed)


async def _refused(work: workplace.Work) -> list[Session]:
    """The sessions that are closed here and that the server did not seal."""
    found = []
    for session in work.desk.sessions:
        answer = await work.journal.answer("session", session.session_id) if session.sealed else None
        if answer is not None and answer.get("state") == "refused":
            found.append(session)
    return found


async def _sign(work: workplace.Work, fact: facts.SessionSealed, session: Session, counted: int) -> None:
    # What the cameras counted is what they had counted when the session was closed.
    known = session.sealed.cameras if session.sealed else None
    cameras = known or sealing.count_cameras(work.desk, session, work.camera.serial, counted)
    unsigned = sealing.complete(fact, cameras, await work.journal.head())
    signature = work.sign_seal(session.session_id, sealing.document(work.desk, unsigned))
    await recording.record(work, [replace(unsigned, signature=signature)])


async def _answer(work: workplace.Work, session_id: UUID, patience_s: float) -> dict[str, Any] | None:
    deadline = asyncio.get_running_loop().time() + patience_s
    answer = await work.journal.answer("session", session_id)
    while answer is None and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(_LOOK_AGAIN_S)
        answer = await work.journal.answer("session", session_id)
    return answer
