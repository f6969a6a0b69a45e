"""Shutter → spool → journal → verdict → decision. The lock is held for journal writes only."""

import hashlib
import time
from dataclasses import dataclass, field

from gradphoto_contracts import ids
from kit import crypto, logs
from kit.errors import Conflict, NotFound, Problem, Unavailable
from station.domain import facts, rules, signals
from station.handlers import comparing, pairs, recording
from station.ports import hardware, verdicts, workplace


@dataclass(frozen=True, slots=True)
class Shot:
    """A frame that awaits the operator's decision, and how long each stage took (milliseconds)."""

    frame: facts.FrameJournalled
    judgement: verdicts.Judgement
    stages_ms: dict[str, float] = field(default_factory=dict)


class _Watch:
    def __init__(self) -> None:
        self.stages_ms: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.stages_ms[stage] = round((now - self._last) * 1000, 2)
        self._last = now


async def press_shutter(work: workplace.Work) -> Shot:
    """Photograph whoever sits. While a frame of theirs awaits its decision, that frame is the answer.

    When the camera fails the press stands: pressed again, it is the same one.
    """
    watch = _Watch()
    async with work.lock:
        pressed = _awaiting_decision(work) or await _press(work)
    if isinstance(pressed, facts.FrameJournalled):
        return Shot(pressed, await _judgement_of(work, pressed))
    watch.lap("intent")
    try:
        async with work.camera_lock:
            frame, jpeg = await _expose(work, pressed, watch)
    finally:
        work.exposing = False
    judgement = await judge(work, frame, jpeg)
    watch.lap("verdict")
    return Shot(frame, judgement, watch.stages_ms)


async def judge(work: workplace.Work, frame: facts.FrameJournalled, jpeg: bytes) -> verdicts.Judgement:
    """Hold the standard against a frame, once, and journal the verdict."""
    profile = work.packs.current().photo.profile
    work.judging.add(frame.capture_id)
    try:
        judgement = await work.inspector.inspect(jpeg, profile)
        await _note_judgement(work, frame.capture_id, judgement)
        await comparing.look(work, frame, jpeg)
    finally:
        work.judging.discard(frame.capture_id)
    return judgement


async def decide(
    work: workplace.Work,
    capture_id: ids.CaptureId,
    decision: facts.Decision,
    reason: str | None,
    role: facts.Role | None = None,
) -> None:
    """What becomes of a frame. An override wants both reason and role."""
    async with work.lock:
        limit = work.packs.current().photo.retake_limit
        now = work.clock.now()
        damaged = capture_id in work.damaged
        happened = rules.decide(work.desk, capture_id, decision, reason, limit, now, role, work.terms, damaged=damaged)
        await recording.record(work, happened)
        work.judgements.pop(capture_id, None)


async def take_in_waiting(work: workplace.Work, *, live: bool) -> None:
    """Journal the frames that the camera holds and nobody has fetched.

    One that carries on the camera's count after a journalled press of the shutter is that press's frame. Where the
    photographer fires, and `live`, whoever sat when it was taken is bound as if the operator had pressed, provided that
    they sit there still. Any other belongs to nobody, and is suspected.
    """
    if work.exposing:
        return
    async with work.camera_lock:
        for exposure in await work.camera.waiting():
            if _journalled(work, exposure) is None:
                work.spool.demand_room()
            sitter = _sitter(work, exposure, live=live)
            if live and sitter and work.camera.photographer_fires:
                await _press_for_photographer(work, sitter)
            await _take_in(work, exposure, _Watch(), sitter)


async def finish_interrupted(work: workplace.Work) -> None:
    """After a start: journal what was only spooled, wipe what the server has, fetch what the camera holds."""
    await journal_spooled(work)
    await take_in_waiting(work, live=False)


async def journal_spooled(work: workplace.Work) -> None:
    """Journal what was only spooled, and wipe what the server has. Again changes nothing."""
    async with work.camera_lock:  # a frame that is being taken in lies in the spool before it is journalled
        held = await work.spool.held()
        for capture_id in held:
            frame = work.desk.frames.get(capture_id)
            if frame is None:
                await _journal_spooled(work, capture_id, held)
            elif frame.received:
                await work.spool.wipe(capture_id)


async def judge_unjudged(work: workplace.Work) -> None:
    """Judge the frames that await a decision without a verdict: nobody asked for them, or the agent died in between."""
    for capture_id in list(work.desk.undecided):
        frame = work.desk.frames[capture_id]
        if frame.judged or capture_id in work.judging or capture_id in work.damaged:
            continue
        try:
            await judge(work, frame.taken, await work.spool.get(capture_id))
        except (crypto.Tampered, NotFound) as problem:
            _note_damage(work, capture_id, problem)


def _awaiting_decision(work: workplace.Work) -> facts.FrameJournalled | None:
    frame = work.desk.undecided_of(work.desk.seated) if work.desk.seated else None
    return frame.taken if frame else None


async def _press(work: workplace.Work) -> facts.ShutterPressed:
    if work.exposing:
        raise Conflict("desk-shutter-busy")
    limit = work.packs.current().photo.retake_limit
    work.spool.demand_room()
    pressed = rules.press(work.desk, work.new_id, work.clock.now(), work.terms, retake_limit=limit)
    if work.desk.press_failed and pressed == work.left_pressed:
        work.left_pressed = None
    if pressed != work.desk.pressed or work.desk.press_failed:
        await recording.record(work, [pressed])
    work.exposing = True
    return pressed


async def _press_for_photographer(work: workplace.Work, sitter: str) -> None:
    async with work.lock:
        desk = work.desk
        spent = rules.used_up(desk, _retake_limit(work))
        if work.sitter == sitter and not spent and not desk.drift and not desk.undecided:
            pressed = rules.press(desk, work.new_id, work.clock.now())
            if pressed != desk.pressed:
                await recording.record(work, [pressed])


async def _expose(
    work: workplace.Work, pressed: facts.ShutterPressed, watch: _Watch
) -> tuple[facts.FrameJournalled, bytes]:
    arrived = work.desk.frames.get(pressed.capture_id)
    if arrived:  # the photographer was faster than the operator
        return arrived.taken, await work.spool.get(pressed.capture_id)
    try:
        exposure = await work.camera.shutter()
    except Problem as problem:
        # What waits in the camera may be the picture of a press that a former life left.
        if problem.code != "camera-frames-waiting" or pressed != work.left_pressed:
            async with work.lock:
                await recording.record(work, rules.fail(work.desk, pressed, work.clock.now()))
        raise
    watch.lap("camera")
    return await _take_in(work, exposure, watch, _sitter(work, exposure, live=True)), exposure.jpeg


async def _note_judgement(work: workplace.Work, capture_id: ids.CaptureId, judgement: verdicts.Judgement) -> None:
    broken = tuple(finding.rule for finding in judgement.findings)
    async with work.lock:
        known = work.desk.frames[capture_id]
        if known.decided:
            return
        work.judgements[capture_id] = judgement
        if known.judged is None:
            now = work.clock.now()
            judged = facts.FrameJudged(capture_id, judgement.verdict, broken, judgement.profile, now)
            await recording.record(work, [judged])


async def _journal_spooled(work: workplace.Work, capture_id: ids.CaptureId, held: list[ids.CaptureId]) -> None:
    try:
        label = await work.spool.label(capture_id)
    except crypto.Tampered as problem:
        _note_damage(work, capture_id, problem)
        return
    if _is_copy(work, label, held):
        await work.spool.wipe(capture_id)
        logs.get().warning("frame.copy-dropped", capture_id=str(capture_id))
        return
    async with work.lock:
        await recording.record(work, rules.take_in(work.desk, label, work.new_id))
    logs.get().warning("frame.recovered", capture_id=str(capture_id))


def _is_copy(work: workplace.Work, label: facts.FrameJournalled, held: list[ids.CaptureId]) -> bool:
    """Whether this very picture is journalled under another id, and lies here or at the server."""
    known_id = work.desk.exposures.get((label.camera_serial, label.frame_counter))
    known = work.desk.frames[known_id] if known_id else None
    if known_id is None or known is None or known.taken.sha256 != label.sha256:
        return False
    return known_id in held or known.received is not None


def _note_damage(work: workplace.Work, capture_id: ids.CaptureId, problem: Problem) -> None:
    work.damaged.add(capture_id)
    logs.get().error("spool.frame-damaged", capture_id=str(capture_id), code=problem.code)


def _sitter(work: workplace.Work, exposure: hardware.Exposure, *, live: bool) -> str | None:
    """Whose ticket it can only be. A press of before a restart is answered by the camera's count, not by the time.

    Unless the camera had refused it: then somebody else fired.
    """
    pressed = work.desk.pressed
    if pressed and not work.desk.press_failed and (not live or pressed == work.left_pressed):
        return pressed.ticket
    return work.chair.sitter(exposure.monotonic_ns, exposure.lag_ns) if live else None


async def _take_in(
    work: workplace.Work, exposure: hardware.Exposure, watch: _Watch, sitter: str | None
) -> facts.FrameJournalled:
    known = _journalled(work, exposure)
    if known is None:
        known = _frame(work, exposure, sitter)
        former = None if known.ticket else work.chair.another(exposure.monotonic_ns, exposure.lag_ns)
        await work.spool.put(known, exposure.jpeg)
        watch.lap("spool")
        await _record_taken(work, known, former)
        watch.lap("journal")
    elif exposure.raw:
        await pairs.note(work, [known.capture_id])
    await work.camera.acknowledge(exposure)
    return known


async def _record_taken(work: workplace.Work, taken: facts.FrameJournalled, former: str | None) -> None:
    """A frame that is not journalled goes: the camera has it still, and the next try may give it another id."""
    try:
        async with work.lock:
            known_ns = work.chair.known_ns
            happened = rules.take_in(
                work.desk, taken, work.new_id, terms=_terms(work), former=former, known_ns=known_ns
            )
            await recording.record(work, happened)
    except Problem:
        if taken.capture_id not in work.desk.frames:
            await work.spool.wipe(taken.capture_id)
        raise


def _journalled(work: workplace.Work, exposure: hardware.Exposure) -> facts.FrameJournalled | None:
    capture_id = work.desk.exposures.get(exposure.key)
    return work.desk.frames[capture_id].taken if capture_id else None


def _frame(work: workplace.Work, exposure: hardware.Exposure, sitter: str | None) -> facts.FrameJournalled:
    pressed = work.desk.pressed
    if pressed and not (pressed.ticket == sitter and (work.exposing or _follows(work, exposure))):
        pressed = None
    return facts.FrameJournalled(
        capture_id=pressed.capture_id if pressed else ids.CaptureId(work.new_id()),
        sha256=hashlib.sha256(exposure.jpeg).hexdigest(),
        size_bytes=len(exposure.jpeg),
        ticket=pressed.ticket if pressed else None,
        checkin_id=pressed.checkin_id if pressed else None,
        student_id=pressed.student_id if pressed else None,
        camera_serial=exposure.camera_serial,
        frame_counter=exposure.frame_counter,
        monotonic_ns=exposure.monotonic_ns,
        shutter_at=work.clock.now(),
        clock_offset_s=work.clock.offset_s,
        raw=exposure.raw,
    )


def _terms(work: workplace.Work) -> signals.Terms:
    """A frame is taken in with or without a pack."""
    try:
        return work.terms
    except Unavailable:
        return signals.LENIENT


def _retake_limit(work: workplace.Work) -> int | None:
    try:
        return work.packs.current().photo.retake_limit
    except Unavailable:
        return None


def _follows(work: workplace.Work, exposure: hardware.Exposure) -> bool:
    return exposure.frame_counter == work.desk.last_frame_counter.get(exposure.camera_serial, 0) + 1


async def _judgement_of(work: workplace.Work, frame: facts.FrameJournalled) -> verdicts.Judgement:
    known = work.judgements.get(frame.capture_id)
    return known or await judge(work, frame, await work.spool.get(frame.capture_id))
