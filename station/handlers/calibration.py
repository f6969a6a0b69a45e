"""A test shot: a picture of the studio, or of a crew member, that belongs to no student and raises no alarm."""

import hashlib

from gradphoto_contracts import ids
from kit.errors import Conflict
from station.domain import facts
from station.handlers import recording
from station.ports import hardware, workplace

#: Why the frame is bound to nobody.
REASON = "test-shot"


async def take_test_shot(work: workplace.Work) -> tuple[facts.FrameJournalled, bytes]:
    """Take a picture while nobody sits. It is kept and uploaded like every frame, so that the counts agree."""
    async with work.lock:
        _demand_free(work)
        work.spool.demand_room()
        work.exposing = True
    try:
        async with work.camera_lock:
            exposure = await work.camera.shutter()
            frame = _frame(work, exposure)
            await work.spool.put(frame, exposure.jpeg)
            async with work.lock:
                await recording.record(work, [frame])
            await work.camera.acknowledge(exposure)
    finally:
        work.exposing = False
    async with work.lock:
        decided = facts.FrameDecided(frame.capture_id, "unbound", REASON, work.clock.now())
        await recording.record(work, [decided])
    return frame, exposure.jpeg


def _demand_free(work: workplace.Work) -> None:
    desk = work.desk
    if work.exposing:
        raise Conflict("desk-shutter-busy")
    if desk.drift:
        raise Conflict("desk-drift-open", sign=desk.drift.sign, expected=desk.drift.expected, seen=desk.drift.seen)
    if desk.seated:
        raise Conflict("desk-seat-taken", ticket=desk.seated)
    if desk.undecided:
        raise Conflict("desk-decision-outstanding", count=len(desk.undecided))


def _frame(work: workplace.Work, exposure: hardware.Exposure) -> facts.FrameJournalled:
    return facts.FrameJournalled(
        capture_id=ids.CaptureId(work.new_id()),
        sha256=hashlib.sha256(exposure.jpeg).hexdigest(),
        size_bytes=len(exposure.jpeg),
        ticket=None,
        checkin_id=None,
        student_id=None,
        camera_serial=exposure.camera_serial,
        frame_counter=exposure.frame_counter,
        monotonic_ns=exposure.monotonic_ns,
        shutter_at=work.clock.now(),
        clock_offset_s=work.clock.offset_s,
        raw=exposure.raw,
    )
