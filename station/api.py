"""The operator's door: on this machine alone, behind a token that lies in the station's directory."""

import asyncio
import hmac
import time
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from gradphoto_contracts import ids
from kit import auth, messages, web
from kit.errors import Refused, Unauthenticated
from station import agent as agents
from station import ports
from station.cameras import codes
from station.domain import facts
from station.hall import joined as hall_views
from station.handlers import comparing, frames, queue, sessions, slips
from station.readers import wedge

#: How long the operator waits for the server's answer to a seal; without it the seal is sent later.
_SEAL_PATIENCE_S = 20.0


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Scan(_Body):
    """What the scanner, the card reader or the keyboard gave."""

    scan: Annotated[str, Field(min_length=1, max_length=4096)]


class SlipAsked(_Body):
    """Whose slip is printed once more; without a ticket, that of whoever was checked in last."""

    ticket: Annotated[str, Field(min_length=1, max_length=24)] | None = None


class SlipAnswer(_Body):
    """Whose slip the printer has taken, and how many wait with it."""

    ticket: str
    waiting: int


class ByHand(_Body):
    """A student whom the registrar has identified."""

    student_id: UUID
    reason: Annotated[str, Field(min_length=1, max_length=200)]


class Reason(_Body):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class Seating(_Body):
    """Who sits down: a number that was shown, or what the seat's own scanner read; without either, whoever is next."""

    ticket: str | None = None
    scan: Annotated[str, Field(min_length=1, max_length=4096)] | None = None


class Decision(_Body):
    """What becomes of a frame."""

    capture_id: UUID
    decision: facts.Decision
    reason: Annotated[str, Field(max_length=200)] | None = None
    role: facts.Role | None = None


class Resolved(_Body):
    """How a suspected drift ends."""

    resolution: facts.Resolution
    note: Annotated[str, Field(max_length=200)] | None = None


class Reference(_Body):
    """A picture of the holder of a ticket, as the card or the admission has it: JPEG in base64. Never written down."""

    ticket: Annotated[str, Field(min_length=1, max_length=24)]
    picture: Annotated[Base64Bytes, Field(max_length=400_000, repr=False)]


class Held(_Body):
    """Whether there is a face in the picture, which is now remembered until the ticket is done."""

    face: bool


class Cable(_Body):
    """Whether the network cable is in; `lan`: whether the other desks of the hall are reached."""

    online: bool
    lan: bool | None = None


class CheckInAnswer(_Body):
    """How a check-in ended, with what to say."""

    outcome: str
    ticket: str | None
    student_id: UUID | None
    class_label: str | None
    code: str
    zh: str
    en: str


class ReasonAnswer(_Body):
    """A rule that the frame breaks, and what to tell the student."""

    rule: str
    severity: str
    zh: str
    en: str
    advice_zh: str
    advice_en: str


class ShotAnswer(_Body):
    """A frame that awaits its decision."""

    capture_id: UUID
    sha256: str
    ticket: str | None
    verdict: facts.Verdict
    reasons: list[ReasonAnswer]
    stages_ms: dict[str, float]


class DriftAnswer(_Body):
    """A suspected drift, with what to do."""

    drift_id: UUID
    sign: facts.Sign
    expected: str
    seen: str
    capture_id: UUID | None
    zh: str
    en: str


class UndecidedAnswer(_Body):
    """A frame that awaits its decision, as the desk's state shows it."""

    capture_id: UUID
    ticket: str | None
    verdict: facts.Verdict | None


class DeviceAnswer(_Body):
    """How one device is; `code` is its trouble."""

    device: ports.DeviceKind
    ready: bool
    code: str | None


class StateAnswer(_Body):
    """The desk at a glance."""

    mode: str
    desk_code: str
    queue: list[str]
    seated: str | None
    undecided: list[UndecidedAnswer]
    last_verdict: facts.Verdict | None
    drift: DriftAnswer | None
    backlog: int
    refused: dict[str, int]
    damaged: int
    online: bool
    pack_entries: int
    pack_codes: int
    pack_age_s: float | None
    pack_expires_at: str | None
    pack_expired: bool
    pack_version: int | None
    pack_old: bool
    pack_refused: str | None
    skew_s: float
    devices: list[DeviceAnswer]
    hall: hall_views.HallState | None


class JournalItem(_Body):
    """One journalled frame."""

    capture_id: UUID
    sha256: str
    size_bytes: int
    ticket: str | None
    state: Literal["journalled", "judged", "decided", "received"]
    decision: facts.Decision | None


class JournalAnswer(_Body):
    """All journalled frames, in order."""

    items: list[JournalItem]


def router(agent: agents.Agent, token: str) -> APIRouter:
    """The operator's door of one agent."""
    doors = APIRouter(
        prefix="/v1", tags=["desk"], dependencies=[Depends(holder_of(token, str(agent.enrolled.station_id)))]
    )
    work = agent.work

    @doors.get("/state")
    async def state() -> StateAnswer:
        await agent.count_backlog()
        return _state(agent)

    @doors.post("/checkins")
    async def check_in(body: Scan) -> CheckInAnswer:
        return check_in_answer(await queue.check_in(work, wedge.plain(body.scan)))

    @doors.post("/checkins/picture")
    async def check_in_by_picture(request: Request) -> CheckInAnswer:
        return check_in_answer(await queue.check_in(work, await code_in(request)))

    @doors.post("/slips")
    async def print_slip(body: SlipAsked) -> SlipAnswer:
        return await reprint(agent, body)

    @doors.post("/checkins/manual")
    async def check_in_by_hand(body: ByHand) -> CheckInAnswer:
        return check_in_answer(await queue.check_in_by_hand(work, ids.StudentId(body.student_id), body.reason))

    @doors.post("/tickets/{ticket}/release")
    async def release(ticket: str, body: Reason) -> StateAnswer:
        await queue.release(work, ticket, body.reason)
        return _state(agent)

    @doors.post("/seat")
    async def seat(body: Seating) -> StateAnswer:
        await (queue.show(work, body.scan) if body.scan else queue.seat(work, body.ticket))
        return _state(agent)

    @doors.post("/shutter")
    async def shutter() -> ShotAnswer:
        return _shot(await shoot(agent))

    @doors.post("/decision")
    async def decide(body: Decision) -> StateAnswer:
        await frames.decide(work, ids.CaptureId(body.capture_id), body.decision, body.reason, body.role)
        return _state(agent)

    @doors.post("/drift/resolve")
    async def resolve(body: Resolved) -> StateAnswer:
        await queue.resolve_drift(work, body.resolution, body.note)
        return _state(agent)

    @doors.post("/sessions/seal")
    async def seal() -> dict[str, Any]:
        return await sessions.seal(work, _SEAL_PATIENCE_S)

    @doors.get("/journal")
    async def journal() -> JournalAnswer:
        return JournalAnswer(items=[_item(frame) for frame in work.desk.frames.values()])

    @doors.post("/references")
    async def expect(body: Reference) -> Held:
        return Held(face=await comparing.expect(work, body.ticket, body.picture))

    @doors.post("/network")
    async def network(body: Cable) -> StateAnswer:
        if not agent.embedded:
            raise Refused("station-drill-refused")
        agent.plug(online=body.online)
        if agent.hall and body.lan is not None:
            agent.hall.plug(lan=body.lan)
        return _state(agent)

    return doors


async def code_in(request: Request) -> str:
    """The one capture code in the picture that was sent: PNG or JPEG, kept nowhere."""
    return await asyncio.to_thread(codes.the_one_in, await request.body())


async def reprint(agent: agents.Agent, asked: SlipAsked) -> SlipAnswer:
    """Print a slip once more."""
    number = await slips.print_slip(agent.work, asked.ticket)
    return SlipAnswer(ticket=number, waiting=agent.gear.printer.waiting if agent.gear.printer else 0)


async def shoot(agent: agents.Agent) -> frames.Shot:
    """Press the shutter, and note how long the verdict took."""
    shot = await frames.press_shutter(agent.work)
    if "verdict" in shot.stages_ms:
        agent.measures.judged_in((time.monotonic_ns() - shot.frame.monotonic_ns) / 1e9)
    return shot


def holder_of(token: str, station: str) -> Any:
    """A dependency: whoever asks holds the token of this station's directory.

    Audit lines name the station whose door it was; who stands there without its token is unknown.
    """

    async def check(request: Request) -> None:
        web.identify(request, station, "unknown")
        given = auth.bearer(request.headers.get("authorization"))
        if not hmac.compare_digest(given.encode(), token.encode()):
            raise Unauthenticated("token-invalid")
        web.identify(request, station, "operator")

    return check


def told(answer: queue.CheckIn) -> dict[str, str]:
    """What the words of a check-in's answer name."""
    day = f"{answer.day:%m-%d}" if answer.day else ""
    return {"ticket": answer.ticket or "", "class_label": answer.class_label or "—", "day": day}


def check_in_answer(answer: queue.CheckIn) -> CheckInAnswer:
    """A check-in with its words."""
    zh, en = messages.render(answer.code, told(answer))
    return CheckInAnswer(
        outcome=answer.outcome,
        ticket=answer.ticket,
        student_id=answer.student_id,
        class_label=answer.class_label,
        code=answer.code,
        zh=zh,
        en=en,
    )


def _shot(shot: frames.Shot) -> ShotAnswer:
    return ShotAnswer(
        capture_id=shot.frame.capture_id,
        sha256=shot.frame.sha256,
        ticket=shot.frame.ticket,
        verdict=shot.judgement.verdict,
        reasons=[_reason(finding) for finding in shot.judgement.findings],
        stages_ms=shot.stages_ms,
    )


def _reason(finding: ports.Finding) -> ReasonAnswer:
    return ReasonAnswer(
        rule=finding.rule,
        severity=finding.severity,
        zh=finding.zh,
        en=finding.en,
        advice_zh=finding.advice_zh,
        advice_en=finding.advice_en,
    )


def _state(agent: agents.Agent) -> StateAnswer:
    work = agent.work
    desk, now = work.desk, agent.clock.now()
    pack = agent.packs.current() if agent.packs.size else None
    undecided = [desk.frames[capture_id] for capture_id in desk.undecided]
    last = next(reversed(desk.frames.values()), None)
    return StateAnswer(
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


def _device(health: ports.Health) -> DeviceAnswer:
    return DeviceAnswer(device=health.device, ready=health.ready, code=health.trouble.code if health.trouble else None)


def _undecided(taken: facts.FrameJournalled, judged: facts.FrameJudged | None) -> UndecidedAnswer:
    verdict = judged.verdict if judged else None
    return UndecidedAnswer(capture_id=taken.capture_id, ticket=taken.ticket, verdict=verdict)


def _drift(drift: facts.DriftSuspected | None) -> DriftAnswer | None:
    if drift is None:
        return None
    zh, en = messages.render(drift_code(drift), {"expected": drift.expected, "seen": drift.seen})
    return DriftAnswer(
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


def _item(frame: Any) -> JournalItem:
    return JournalItem(
        capture_id=frame.taken.capture_id,
        sha256=frame.taken.sha256,
        size_bytes=frame.taken.size_bytes,
        ticket=frame.taken.ticket,
        state=frame.state,
        decision=frame.decided.decision if frame.decided else None,
    )
