"""The desk as its operator sees it, whole."""

from typing import Any

from kit.errors import Problem
from station import agent as agents
from station import previews
from station.console import conditions, drifts, sights, views

_QUEUE_SHOWN = 8


def desk(
    agent: agents.Agent, shown: previews.Previews, trouble: Problem | None, studio: dict[str, Any] | None
) -> views.Desk:
    """The whole document. `trouble` is what the camera said last, if that was no picture."""
    work, desk = agent.work, agent.work.desk
    pack = agent.packs.current() if agent.packs.size else None
    seen = sights.Seen(work, pack, shown)
    health = conditions.health(agent, pack, trouble)
    session = desk.session
    return views.Desk(
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
        drift=drifts.asked(desk, agent.clock.now()),
        done=len(desk.kept),
        session_frames=len(session.frames) if session else 0,
        session_checkins=session.checkins if session else 0,
        health=health,
        messages=tuple(conditions.told(agent, health)),
        studio=studio,
        devices=agent.enrolled.devices,
        face_consent=sights.consent(work) if pack else None,
        arrival=conditions.arrival(agent.gear.arrival),
        turned_away=work.turned_away.stamp if work.turned_away else None,
        last_ticket=next(reversed(desk.tickets), None),
    )
