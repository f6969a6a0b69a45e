"""How the desk's devices, network, disk, pack and hall are, and what of it the operator is told."""

import time
from collections.abc import Iterator

from kit.errors import Problem
from station import agent as agents
from station import gear
from station.api import answers
from station.console import views
from station.domain.pack import Pack
from station.hall.joined import HallState
from station.handlers import queue
from station.ports import hardware

#: Ages are shown in steps, or the page would be sent anew every second.
_AGE_STEP_S = 10
#: A day's frames of one desk need about this much.
_ENOUGH_BYTES = 5_000_000_000
_DISK_STEP_BYTES = 100_000_000
#: From here a corrected clock is worth telling.
_NOTABLE_SKEW_S = 5
_BEGAN_AGAIN_SHOWN_S = 120


def health(agent: agents.Agent, pack: Pack | None, trouble: Problem | None) -> views.Health:
    """All that the chips show. `trouble` is what the camera said last, if that was no picture."""
    now = agent.clock.now()
    age_s = queue.pack_age_s(agent.work, now)
    free = agent.spool.free_bytes() // _DISK_STEP_BYTES * _DISK_STEP_BYTES
    return views.Health(
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


def _hall_messages(hall: HallState | None) -> Iterator[views.Message]:
    if hall is None:
        return
    silent = {"silent": ", ".join(hall.silent)}
    if hall.door_trouble:
        yield views.message("hall-door-closed", "warn", {"listen": hall.door_trouble})
    match hall.part:
        case "alone":
            yield views.message("hall-split", "warn", silent)
        case "waiting":
            yield views.message("hall-waiting", "info")
        case "member" if hall.via:
            yield views.message("hall-relayed", "warn", {"hub": hall.hub or "?", "via": hall.via})
        case "hub" | "member" if hall.silent:
            yield views.message("hall-desks-silent", "warn", silent)
    if hall.gave_up:
        yield views.message("hall-gave-up", "warn", {"heard": ", ".join(hall.heard)})
    if hall.doubles:
        yield views.message("hall-doubles", "warn", {"count": hall.doubles})


#: What a press was told, and what is over as soon as the camera's own health does not say it any more.
_MENDED_WHEN_READY = frozenset({"camera-unplugged", "camera-busy", "camera-frozen", "camera-connection-lost"})


def _camera(camera: hardware.Camera, trouble: Problem | None) -> views.Camera:
    health = camera.health()
    told = views.message(health.trouble.code, "stop", health.trouble.params) if health.trouble else None
    if told is None and trouble and trouble.code not in _MENDED_WHEN_READY:
        told = views.message(trouble.code, "stop", trouble.params)
    return views.Camera(
        serial=camera.serial,
        ready=health.ready and told is None,
        photographer_fires=camera.photographer_fires,
        live_view=camera.live_view,
        trouble=told,
        details=dict(health.details),
    )


def _gear(agent: agents.Agent, kind: hardware.DeviceKind) -> views.Gear | None:
    health = agent.gear.health().get(kind)
    if health is None:
        return None
    details = dict(health.details)
    told = views.message(health.trouble.code, "warn", {**health.trouble.params, **details}) if health.trouble else None
    return views.Gear(ready=health.ready, trouble=told, details=details)


def arrival(arrival: gear.Arrival | None) -> views.Arrival | None:
    """How the last swipe ended, in words."""
    if arrival is None:
        return None
    if arrival.problem or arrival.answer is None:
        code = arrival.problem.code if arrival.problem else "unknown"
        said = views.message(code, "stop", arrival.problem.params if arrival.problem else {})
        return views.Arrival(stamp=arrival.stamp, outcome="problem", code=code, zh=said.zh, en=said.en)
    said = views.message(arrival.answer.code, "info", answers.told(arrival.answer))
    late = views.message("checkin-card-expired", "info") if arrival.expired else None
    return views.Arrival(
        stamp=arrival.stamp,
        outcome=arrival.answer.outcome,
        code=said.code,
        zh=f"{said.zh}{late.zh}" if late else said.zh,
        en=f"{said.en} {late.en}" if late else said.en,
    )


def told(agent: agents.Agent, health: views.Health) -> Iterator[views.Message]:
    """What is wrong, the worst first."""
    if health.camera.trouble:
        yield health.camera.trouble
    yield from (one.trouble for one in (health.reader, health.printer) if one and one.trouble)
    if not health.pack_entries:
        yield views.message("desk-pack-missing", "stop")
    try:
        agent.work.spool.demand_room()
    except Problem as problem:
        yield views.message(problem.code, "stop", problem.params)
    else:
        if health.disk_low:
            yield views.message("console-disk-low", "warn", {"gigabytes": f"{health.disk_free_bytes / 1e9:.1f}"})
    if agent.work.damaged:
        yield views.message("console-frames-damaged", "warn", {"count": len(agent.work.damaged)})
    for waiting in agent.uplink.kept_waiting.values():
        yield views.message(waiting.code, "warn", waiting.params)
    if agent.uplink.refused:
        yield views.message("console-messages-refused", "warn", {"codes": ", ".join(sorted(agent.uplink.refused))})
    if agent.packs.trouble:
        yield views.message(agent.packs.trouble.code, "warn", agent.packs.trouble.params)
    if health.pack_expired:
        yield views.message("console-pack-expired", "warn")
    elif health.pack_old and health.pack_age_s:
        yield views.message("console-pack-old", "warn", {"minutes": health.pack_age_s // 60})
    yield from _hall_messages(health.hall)
    if not health.online:
        lost = agent.uplink.lost
        yield views.message(lost.code if lost else "server-unreachable", "warn")
    if agent.after_kill and time.monotonic() - agent.began < _BEGAN_AGAIN_SHOWN_S:
        yield views.message("console-began-again", "info")
    if abs(health.skew_s) >= _NOTABLE_SKEW_S:
        yield views.message("console-clock-corrected", "info", {"seconds": health.skew_s})
