"""The desk in the words of its door: how a check-in ended, a shot, a drift, the desk at a glance."""

from kit import messages
from station import agent as agents
from station.api import bodies
from station.domain import desk as desks
from station.domain import facts
from station.handlers import frames, queue
from station.ports import hardware, verdicts


def told(answer: queue.CheckIn) -> dict[str, str]:
    """What the words of a check-in's answer name."""
    day = f"{answer.day:%m-%d}" if answer.day else ""
    return {"ticket": answer.ticket or "", "class_label": answer.class_label or "—", "day": day}


def checked_in(answer: queue.CheckIn) -> bodies.CheckInAnswer:
    """A check-in with its words."""
    zh, en = messages.render(answer.code, told(answer))
    return bodies.CheckInAnswer(
        outcome=answer.outcome,
        ticket=answer.ticket,
        student_id=answer.student_id,
        class_label=answer.class_label,
        code=answer.code,
        zh=zh,
        en=en,
    )


def shot(taken: frames.Shot) -> bodies.ShotAnswer:
    """A frame with its verdict and what to tell the student."""
    return bodies.ShotAnswer(
        capture_id=taken.frame.capture_id,
        sha256=taken.frame.sha256,
        ticket=taken.frame.ticket,
        verdict=taken.judgement.verdict,
        reasons=[_reason(finding) for finding in taken.judgement.findings],
        stages_ms=taken.stages_ms,
    )


def _reason(finding: verdicts.Finding) -> bodies.ReasonAnswer:
    return bodies.ReasonAnswer(
        rule=finding.rule,
        severity=finding.severity,
        zh=finding.zh,
        en=finding.en,
        advice_zh=finding.advice_zh,
        advice_en=finding.advice_en,
    )


def state(agent: agents.Agent) -> bodies.StateAnswer:
    """The desk at a glance."""
    work = agent.work
    desk, now = work.desk, agent.clock.now()
    pack = agent.packs.current() if agent.packs.size else None
    undecided = [desk.frames[capture_id] for capture_id in desk.undecided]
    last = next(reversed(desk.frames.values()), None)
    return bodies.StateAnswer(
        mode=agents.mode(work),
        desk_code=desk.code,
        queue=list(desk.waiting),
        seated=desk.seated,
        undecided=[_undecided(frame.taken, frame.judged) for frame in undecided],
        last_verdict=last.judged.verdict if last and last.judged else None,
        drift=_drift(desk.drift),
        backlog=agent.backlog,
        refused=agent.uplink.refused,
        damaged=len(work.damaged),
        online=agent.uplink.online and agent.server.plugged,
        pack_entries=agent.packs.size,
        pack_codes=agent.packs.codes,
        pack_age_s=queue.pack_age_s(work, now),
        pack_expires_at=pack.expires_at.isoformat() if pack else None,
        pack_expired=pack is not None and pack.is_expired(now),
        pack_version=pack.version if pack else None,
        pack_old=queue.pack_is_old(work, now),
        pack_refused=agent.packs.trouble.code if agent.packs.trouble else None,
        skew_s=agent.clock.skew.total_seconds(),
        devices=[_device(health) for health in (work.camera.health(), *agent.gear.health().values())],
        hall=agent.hall.state() if agent.hall else None,
    )


def _device(health: hardware.Health) -> bodies.DeviceAnswer:
    code = health.trouble.code if health.trouble else None
    return bodies.DeviceAnswer(device=health.device, ready=health.ready, code=code)


def _undecided(taken: facts.FrameJournalled, judged: facts.FrameJudged | None) -> bodies.UndecidedAnswer:
    verdict = judged.verdict if judged else None
    return bodies.UndecidedAnswer(capture_id=taken.capture_id, ticket=taken.ticket, verdict=verdict)


def _drift(drift: facts.DriftSuspected | None) -> bodies.DriftAnswer | None:
    if drift is None:
        return None
    zh, en = messages.render(drift_code(drift), {"expected": drift.expected, "seen": drift.seen})
    return bodies.DriftAnswer(
        drift_id=drift.drift_id,
        sign=drift.sign,
        expected=drift.expected,
        seen=drift.seen,
        capture_id=drift.capture_id,
        zh=zh,
        en=en,
    )


def drift_code(drift: facts.DriftSuspected) -> str:
    """The code of what the operator is told; a frame that may show the former sitter names that one's ticket."""
    if drift.sign == "frame_unexpected" and drift.expected != "-" and not drift.expected.isdecimal():
        return "drift-frame-early"
    return f"drift-{drift.sign.replace('_', '-')}"


def journalled(frame: desks.Frame) -> bodies.JournalItem:
    """One frame as the journal has it."""
    return bodies.JournalItem(
        capture_id=frame.taken.capture_id,
        sha256=frame.taken.sha256,
        size_bytes=frame.taken.size_bytes,
        ticket=frame.taken.ticket,
        state=frame.state,
        decision=frame.decided.decision if frame.decided else None,
        raw=frame.raw,
    )
