"""A session begins with the first work and ends with a seal: the counts of camera, journal and server are compared."""

import asyncio
from typing import Any
from uuid import UUID

from kit.errors import Conflict
from station import ports
from station.domain import rules
from station.handlers import recording

_LOOK_AGAIN_S = 0.1


async def open_session(work: ports.Work) -> None:
    """Begin a session unless one is open."""
    counted = await work.camera.frames_taken()
    async with work.lock:
        opened = rules.open_session(work.desk, work.new_id, work.clock.now(), work.camera.serial, counted)
        await recording.record(work, opened)


async def seal(work: ports.Work, patience_s: float) -> dict[str, Any]:
    """Seal the session and open the next; the server's answer, if it comes within `patience_s`.

    Sealing again when nothing happened since gives the answer for the session sealed last.
    """
    session_id, camera_frames, journalled = await _seal(work)
    counts = {
        "session_id": str(session_id),
        "camera_frames": camera_frames,
        "journalled_frames": journalled,
    }
    answer = await _answer(work, session_id, patience_s)
    if answer is None:
        return {**counts, "state": "waiting", "stored_frames": None, "missing": [], "balanced": False}
    return {**counts, "state": "sealed", **answer}


async def _seal(work: ports.Work) -> tuple[UUID, int, int]:
    counted = await work.camera.frames_taken()
    async with work.lock:
        if work.exposing:
            raise Conflict("desk-shutter-busy")
        sealed_before = len(work.desk.sessions) > 1
        if not (work.desk.session and work.desk.session.empty and sealed_before):
            await recording.record(work, rules.seal(work.desk, counted, work.clock.now()))
            opened = rules.open_session(work.desk, work.new_id, work.clock.now(), work.camera.serial, counted)
            await recording.record(work, opened)
        session = next(session for session in reversed(work.desk.sessions) if session.sealed)
    counted = session.sealed.camera_frames if session.sealed else 0
    return session.session_id, counted, len(session.frames)


async def _answer(work: ports.Work, session_id: UUID, patience_s: float) -> dict[str, Any] | None:
    deadline = asyncio.get_running_loop().time() + patience_s
    answer = await work.journal.answer("session", session_id)
    while answer is None and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(_LOOK_AGAIN_S)
        answer = await work.journal.answer("session", session_id)
    return answer
