"""The desk as its operator sees it: one document, whole, sent again whenever something in it changes."""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gradphoto_contracts import ids
from kit import messages
from kit.errors import Problem
from station import agent as agents
from station import api, gear, ports, previews, settings
from station.domain import desk as desks
from station.domain import facts, likeness, rules
from station.domain.pack import Entry, Pack
from station.hall.joined import HallState
from station.handlers import calibration, comparing, queue

_QUEUE_SHOWN, _RECENT_SHOWN = 8, 3
#: Ages are shown in steps, or the page would be sent anew every second.
_AGE_STEP_S = 10
#: A day's frames of one desk need about this much.
_ENOUGH_BYTES = 5_000_000_000
_DISK_STEP_BYTES = 100_000_000
#: From here a corrected clock is worth telling.
_NOTABLE_SKEW_S = 5
_BEGAN_AGAIN_SHOWN_S = 120

Severity = Literal["stop", "warn", "info"]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class Document(_View):
    """What a page shows. Of two, the one with the greater `stamp` is the newer, whichever way it came."""

    stamp: int = Field(default_factory=time.monotonic_ns)


class Message(_View):
    """Something that is wrong, in words. `stop`: the desk cannot go on; `warn`: it can; `info`: to be known."""

    code: str
    severity: Severity
    zh: str
    en: str


class Person(_View):
    """Who holds a ticket, as far as the campaign's identity mode lets a desk know."""

    ticket: str
    class_label: str | None
    order_code: str | None
    ordinal: int | None
    name_masked: str | None
    retakes: int
    #: Whether faces may be compared, as far as this person is concerned.
    face_consent: bool


class Reason(_View):
    """A rule that the frame breaks, and what to say to the student."""

    rule: str
    severity: str
    zh: str
    en: str
    advice_zh: str
    advice_en: str
    measured: float | None
    unit: str
    limit: str


class Frame(_View):
    """A frame, with everything that is drawn over it."""

    capture_id: ids.CaptureId
    ticket: str | None
    state: str
    verdict: facts.Verdict | None
    decision: facts.Decision | None
    test_shot: bool
    damaged: bool
    shown: bool
    reasons: tuple[Reason, ...]
    for_a_person: tuple[Reason, ...]
    rules: tuple[str, ...]
    marks: ports.Marks | None
    #: What the comparison of faces says, where somebody should look.
    faces: tuple[Message, ...]


class Way(_View):
    """One answer to a suspected drift, and what it does."""

    resolution: facts.Resolution
    zh: str
    en: str


class Drift(_View):
    """A suspected drift, the first of `open` ones."""

    sign: facts.Sign
    expected: str
    seen: str
    capture_id: ids.CaptureId | None
    zh: str
    en: str
    ways: tuple[Way, ...]
    open: int


class Camera(_View):
    """The camera: well, or what is wrong with it."""

    serial: str
    ready: bool
    photographer_fires: bool
    live_view: bool
    trouble: Message | None
    details: dict[str, str | int]


class Gear(_View):
    """The card reader or the printer: well, being opened, or what is wrong with it."""

    ready: bool
    trouble: Message | None
    details: dict[str, str | int]


class Arrival(_View):
    """How the last swipe ended; a newer `stamp` is another swipe."""

    stamp: int
    outcome: str
    code: str
    zh: str
    en: str


class Health(_View):
    """What the operator should know beside the student: network, disk, clock, pack, camera, reader, printer."""

    online: bool
    backlog: int
    disk_free_bytes: int
    disk_low: bool
    skew_s: int
    pack_entries: int
    pack_age_s: int | None
    pack_expired: bool
    pack_old: bool
    camera: Camera
    reader: Gear | None
    printer: Gear | None
    hall: HallState | None


class Desk(Document):
    """The desk at work."""

    phase: Literal["work"] = "work"
    desk_code: str
    campus_code: str
    identity_mode: str | None
    embedded: bool
    mode: str
    seated: Person | None
    #: The campaign wants the number shown at the seat, and who sits has not shown it.
    unshown: bool
    retake_limit: int | None
    queue: tuple[Person, ...]
    queue_length: int
    frame: Frame | None
    undecided: int
    recent: tuple[Frame, ...]
    drift: Drift | None
    done: int
    session_frames: int
    session_checkins: int
    health: Health
    messages: tuple[Message, ...]
    studio: dict[str, Any] | None
    devices: settings.Devices
    #: What a student consents to before faces are compared; None where none are.
    face_consent: Message | None
    arrival: Arrival | None
    #: Somebody was turned away whom somebody in charge may let in.
    may_be_let_in: bool
    last_ticket: str | None


def message(code: str, severity: Severity, params: Mapping[str, Any] | None = None) -> Message:
    """A code in words; one that we have no words for is shown as it is."""
    try:
        zh, en = messages.render(code, params or {})
    except (messages.UnknownCode, KeyError):
        zh = en = code
    return Message(code=code, severity=severity, zh=zh, en=en)


def desk(agent: agents.Agent, shown: previews.Previews, trouble: Problem | None, studio: dict[str, Any] | None) -> Desk:
    """The whole document. `trouble` is what the camera said last, if that was no picture."""
    work, desk = agent.work, agent.work.desk
    pack = agent.packs.current() if agent.packs.size else None
    seen = Seen(work, pack, shown)
    health = _health(agent, pack, trouble)
    session = desk.session
    return Desk(
        desk_code=desk.code,
        campus_code=agent.enrolled.campus_code,
        identity_mode=pack.identity_mode if pack else None,
        embedded=agent.embedded,
        mode=agents.mode(work),
        seated=seen.person(desk.seated) if desk.seated else None,
        unshown=bool(pack and pack.photo.seat_proof == "shown" and desk.seated and not desk.proven),
        retake_limit=pack.photo.retake_limit if pack else None,
        queue=tuple(seen.person(number) for number in list(desk.waiting)[:_QUEUE_SHOWN]),
        queue_length=len(desk.waiting),
        frame=seen.current(),
        undecided=len(desk.undecided),
        recent=tuple(seen.recent()),
        drift=_drift(desk, agent.clock.now()),
        done=len(desk.kept),
        session_frames=len(session.frames) if session else 0,
        session_checkins=session.checkins if session else 0,
        health=health,
        messages=tuple(_messages(agent, health)),
        studio=studio,
        devices=agent.enrolled.devices,
        face_consent=_consent(work) if pack else None,
        arrival=_arrival(agent.gear.arrival),
        may_be_let_in=work.turned_away is not None,
        last_ticket=next(reversed(desk.tickets), None),
    )


class Seen:
    """People and frames as this desk may show them."""

    def __init__(self, work: ports.Work, pack: Pack | None, shown: previews.Previews) -> None:
        self._work, self._desk, self._pack, self._shown = work, work.desk, pack, shown
        self._classes = {planned.class_id: planned for planned in pack.classes} if pack else {}

    def person(self, number: str) -> Person:
        """The holder of a ticket."""
        ticket = self._desk.tickets[number]
        entry = self._work.packs.entry(ticket.student_id)
        planned = self._classes.get(ticket.class_id) if ticket.class_id else None
        return Person(
            ticket=number,
            class_label=planned.label if planned else None,
            order_code=planned.order_code if planned else None,
            ordinal=entry.ordinal if entry else None,
            name_masked=self._name(entry),
            retakes=ticket.retakes,
            face_consent=ticket.student_id in self._desk.consents,
        )

    def current(self) -> Frame | None:
        """The frame that awaits its decision: of whoever sits, else the oldest."""
        desk = self._desk
        of_seated = desk.undecided_of(desk.seated) if desk.seated else None
        oldest = next((desk.frames[capture_id] for capture_id in desk.undecided), None)
        frame = of_seated or oldest
        return self._frame(frame) if frame else None

    def recent(self) -> Iterator[Frame]:
        """The last frames that were decided, newest first."""
        found = 0
        for frame in reversed(self._desk.frames.values()):
            if frame.decided and found < _RECENT_SHOWN:
                found += 1
                yield self._frame(frame)
            elif found == _RECENT_SHOWN:
                return

    def _name(self, entry: Entry | None) -> str | None:
        if entry is None or self._pack is None or self._pack.identity_mode == "capture_code":
            return None
        return entry.name_masked

    def _frame(self, frame: desks.Frame) -> Frame:
        capture_id = frame.taken.capture_id
        judgement = self._work.judgements.get(capture_id)
        return Frame(
            capture_id=capture_id,
            ticket=frame.taken.ticket,
            state=frame.state,
            verdict=frame.judged.verdict if frame.judged else None,
            decision=frame.decided.decision if frame.decided else None,
            test_shot=bool(frame.decided and frame.decided.reason == calibration.REASON),
            damaged=capture_id in self._work.damaged,
            shown=self._shown.has(capture_id) or frame.received is None,
            reasons=_reasons(judgement) if judgement else (),
            for_a_person=tuple(map(reason, judgement.for_a_person)) if judgement else (),
            rules=frame.judged.rules if frame.judged else (),
            marks=judgement.marks if judgement else None,
            faces=tuple(_compared(frame)),
        )


def _consent(work: ports.Work) -> Message | None:
    text = comparing.consent_text(work)
    return Message(code="face-consent", severity="info", zh=text.zh, en=text.en) if text else None


#: What is to be told of a comparison. The others are as they should be.
_TELLING: dict[tuple[facts.Against, likeness.Likeness], Severity] = {
    ("previous", "likely"): "warn",
    ("previous", "unclear"): "info",
    ("own", "unlike"): "warn",
    ("own", "unclear"): "info",
    ("reference", "unlike"): "warn",
    ("reference", "unclear"): "warn",
}


def _compared(frame: desks.Frame) -> Iterator[Message]:
    for compared in frame.faces:
        band = likeness.likeness(compared.similarity)
        if severity := _TELLING.get((compared.against, band)):
            yield message(f"face-{compared.against}-{band}", severity)


def _reasons(judgement: ports.Judgement) -> tuple[Reason, ...]:
    """What refuses the photo comes first: it is what the student is told."""
    worst_first = sorted(judgement.findings, key=lambda finding: finding.severity != "reject")
    return tuple(reason(finding) for finding in worst_first)


def reason(finding: ports.Finding) -> Reason:
    """A finding as the page shows it."""
    return Reason(**{name: getattr(finding, name) for name in Reason.model_fields})


def _drift(desk: desks.Desk, now: datetime) -> Drift | None:
    drift = desk.drift
    if drift is None:
        return None
    told = {"expected": drift.expected, "seen": drift.seen}
    words = message(api.drift_code(drift), "stop", told)
    ways = [(way, message(_way(desk, drift, way), "stop", told)) for way in rules.ways_out(desk, now)]
    return Drift(
        sign=drift.sign,
        expected=drift.expected,
        seen=drift.seen,
        capture_id=drift.capture_id,
        zh=words.zh,
        en=words.en,
        ways=tuple(Way(resolution=way, zh=said.zh, en=said.en) for way, said in ways),
        open=len(desk.drifts),
    )


def _way(desk: desks.Desk, drift: facts.DriftSuspected, way: facts.Resolution) -> str:
    """The code of what an answer does. A photo that was kept before the alarm stays, until staff put it right."""
    if way == "dismiss" and drift.sign in facts.LATE_SIGNS and drift.capture_id not in desk.undecided:
        return "console-drift-late-dismiss"
    return f"console-drift-{drift.sign.replace('_', '-')}-{way}"


def _health(agent: agents.Agent, pack: Pack | None, trouble: Problem | None) -> Health:
    now = agent.clock.now()
    age_s = queue.pack_age_s(agent.work, now)
    free = agent.spool.free_bytes() // _DISK_STEP_BYTES * _DISK_STEP_BYTES
    return Health(
        online=agent.uplink.online and agent.server.plugged,
        backlog=agent.backlog,
        disk_free_bytes=free,
        disk_low=free < _ENOUGH_BYTES,
        skew_s=round(agent.clock.offset_s),
        pack_entries=agent.packs.size,
        pack_age_s=None if age_s is None else int(age_s // _AGE_STEP_S * _AGE_STEP_S),
        pack_expired=pack is not None and pack.is_expired(now),
        pack_old=queue.pack_is_old(agent.work, now),
        camera=_camera(agent.work.camera, trouble),
        reader=_gear(agent, "card_reader"),
        printer=_gear(agent, "printer"),
        hall=agent.hall.state() if agent.hall else None,
    )


def _hall_messages(hall: HallState | None) -> Iterator[Message]:
    if hall is None:
        return
    silent = {"silent": ", ".join(hall.silent)}
    if hall.door_trouble:
        yield message("hall-door-closed", "warn", {"listen": hall.door_trouble})
    match hall.part:
        case "alone":
            yield message("hall-split", "warn", silent)
        case "waiting":
            yield message("hall-waiting", "info")
        case "member" if hall.via:
            yield message("hall-relayed", "warn", {"hub": hall.hub or "?", "via": hall.via})
        case "hub" | "member" if hall.silent:
            yield message("hall-desks-silent", "warn", silent)
    if hall.gave_up:
        yield message("hall-gave-up", "warn", {"heard": ", ".join(hall.heard)})
    if hall.doubles:
        yield message("hall-doubles", "warn", {"count": hall.doubles})


#: What a press was told, and what is over as soon as the camera's own health does not say it any more.
_MENDED_WHEN_READY = frozenset({"camera-unplugged", "camera-busy", "camera-frozen", "camera-connection-lost"})


def _camera(camera: ports.Camera, trouble: Problem | None) -> Camera:
    health = camera.health()
    told = message(health.trouble.code, "stop", health.trouble.params) if health.trouble else None
    if told is None and trouble and trouble.code not in _MENDED_WHEN_READY:
        told = message(trouble.code, "stop", trouble.params)
    return Camera(
        serial=camera.serial,
        ready=health.ready and told is None,
        photographer_fires=camera.photographer_fires,
        live_view=camera.live_view,
        trouble=told,
        details=dict(health.details),
    )


def _gear(agent: agents.Agent, kind: ports.DeviceKind) -> Gear | None:
    health = agent.gear.health().get(kind)
    if health is None:
        return None
    details = dict(health.details)
    told = message(health.trouble.code, "warn", {**health.trouble.params, **details}) if health.trouble else None
    return Gear(ready=health.ready, trouble=told, details=details)


def _arrival(arrival: gear.Arrival | None) -> Arrival | None:
    if arrival is None:
        return None
    if arrival.problem or arrival.answer is None:
        code = arrival.problem.code if arrival.problem else "unknown"
        said = message(code, "stop", arrival.problem.params if arrival.problem else {})
        return Arrival(stamp=arrival.stamp, outcome="problem", code=code, zh=said.zh, en=said.en)
    said = message(arrival.answer.code, "info", api.told(arrival.answer))
    late = message("checkin-card-expired", "info") if arrival.expired else None
    return Arrival(
        stamp=arrival.stamp,
        outcome=arrival.answer.outcome,
        code=said.code,
        zh=f"{said.zh}{late.zh}" if late else said.zh,
        en=f"{said.en} {late.en}" if late else said.en,
    )


def _messages(agent: agents.Agent, health: Health) -> Iterator[Message]:
    """What is wrong, the worst first."""
    if health.camera.trouble:
        yield health.camera.trouble
    yield from (one.trouble for one in (health.reader, health.printer) if one and one.trouble)
    if not health.pack_entries:
        yield message("desk-pack-missing", "stop")
    try:
        agent.work.spool.demand_room()
    except Problem as problem:
        yield message(problem.code, "stop", problem.params)
    else:
        if health.disk_low:
            yield message("console-disk-low", "warn", {"gigabytes": f"{health.disk_free_bytes / 1e9:.1f}"})
    if agent.work.damaged:
        yield message("console-frames-damaged", "warn", {"count": len(agent.work.damaged)})
    for waiting in agent.uplink.kept_waiting.values():
        yield message(waiting.code, "warn", waiting.params)
    if agent.uplink.refused:
        yield message("console-messages-refused", "warn", {"codes": ", ".join(sorted(agent.uplink.refused))})
    if agent.packs.trouble:
        yield message(agent.packs.trouble.code, "warn", agent.packs.trouble.params)
    if health.pack_expired:
        yield message("console-pack-expired", "warn")
    elif health.pack_old and health.pack_age_s:
        yield message("console-pack-old", "warn", {"minutes": health.pack_age_s // 60})
    yield from _hall_messages(health.hall)
    if not health.online:
        yield message("server-unreachable", "warn")
    if agent.after_kill and time.monotonic() - agent.began < _BEGAN_AGAIN_SHOWN_S:
        yield message("console-began-again", "info")
    if abs(health.skew_s) >= _NOTABLE_SKEW_S:
        yield message("console-clock-corrected", "info", {"seconds": health.skew_s})
