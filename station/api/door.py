"""The operator's door: on this machine alone, behind a token that lies in the station's directory."""

import asyncio
import hmac
import time
from typing import Any

from fastapi import APIRouter, Depends, Request

from gradphoto_contracts import ids
from kit import auth, web
from kit.errors import Refused, Unauthenticated
from station import agent as agents
from station.api import answers, bodies
from station.cameras import codes
from station.handlers import comparing, frames, queue, sessions, slips
from station.readers import wedge

#: How long the operator waits for the server's answer to a seal; without it the seal is sent later.
_SEAL_PATIENCE_S = 20.0


def router(agent: agents.Agent, token: str) -> APIRouter:
    """The operator's door of one agent."""
    doors = APIRouter(
        prefix="/v1", tags=["desk"], dependencies=[Depends(holder_of(token, str(agent.enrolled.station_id)))]
    )
    work = agent.work

    @doors.get("/state")
    async def state() -> bodies.StateAnswer:
        await agent.count_backlog()
        return answers.state(agent)

    @doors.post("/checkins")
    async def check_in(body: bodies.Scan) -> bodies.CheckInAnswer:
        return answers.checked_in(await queue.check_in(work, wedge.plain(body.scan)))

    @doors.post("/checkins/picture")
    async def check_in_by_picture(request: Request) -> bodies.CheckInAnswer:
        return answers.checked_in(await queue.check_in(work, await code_in(request)))

    @doors.post("/slips")
    async def print_slip(body: bodies.SlipAsked) -> bodies.SlipAnswer:
        return await reprint(agent, body)

    @doors.post("/checkins/manual")
    async def check_in_by_hand(body: bodies.ByHand) -> bodies.CheckInAnswer:
        return answers.checked_in(await queue.check_in_by_hand(work, ids.StudentId(body.student_id), body.reason))

    @doors.post("/tickets/{ticket}/release")
    async def release(ticket: str, body: bodies.Reason) -> bodies.StateAnswer:
        await queue.release(work, ticket, body.reason)
        return answers.state(agent)

    @doors.post("/seat")
    async def seat(body: bodies.Seating) -> bodies.StateAnswer:
        await (queue.show(work, body.scan) if body.scan else queue.seat(work, body.ticket))
        return answers.state(agent)

    @doors.post("/shutter")
    async def shutter() -> bodies.ShotAnswer:
        return answers.shot(await shoot(agent))

    @doors.post("/decision")
    async def decide(body: bodies.Decision) -> bodies.StateAnswer:
        await frames.decide(work, ids.CaptureId(body.capture_id), body.decision, body.reason, body.role)
        return answers.state(agent)

    @doors.post("/drift/resolve")
    async def resolve(body: bodies.Resolved) -> bodies.StateAnswer:
        await queue.resolve_drift(work, ids.DriftId(body.drift_id), body.resolution, body.note)
        return answers.state(agent)

    @doors.post("/sessions/seal")
    async def seal() -> dict[str, Any]:
        return await sessions.seal(work, _SEAL_PATIENCE_S)

    @doors.get("/journal")
    async def journal() -> bodies.JournalAnswer:
        return bodies.JournalAnswer(items=[answers.journalled(frame) for frame in work.desk.frames.values()])

    @doors.post("/references")
    async def expect(body: bodies.Reference) -> bodies.Held:
        return bodies.Held(face=await comparing.expect(work, body.ticket, body.picture))

    @doors.post("/network")
    async def network(body: bodies.Cable) -> bodies.StateAnswer:
        if not agent.embedded:
            raise Refused("station-drill-refused")
        agent.plug(online=body.online)
        if agent.hall and body.lan is not None:
            agent.hall.plug(lan=body.lan)
        return answers.state(agent)

    return doors


async def code_in(request: Request) -> str:
    """The one capture code in the picture that was sent: PNG or JPEG, kept nowhere."""
    return await asyncio.to_thread(codes.the_one_in, await request.body())


async def reprint(agent: agents.Agent, asked: bodies.SlipAsked) -> bodies.SlipAnswer:
    """Print a slip once more."""
    number = await slips.print_slip(agent.work, asked.ticket)
    return bodies.SlipAnswer(ticket=number, waiting=agent.gear.printer.waiting if agent.gear.printer else 0)


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
