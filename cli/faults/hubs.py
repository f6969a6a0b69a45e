"""The row of the hub: three desks of a hall share one queue, and the one that grants is killed."""

import asyncio
import contextlib
import json

from cli.faults import agents, integrity, patience, pictures
from cli.faults.cameras import told
from cli.faults.hall import Hall
from cli.faults.matrix import Fault, Seen

_CODE = "hall-desks-silent"
_METRIC = "gradphoto_hall_takeovers_total"
_DESKS = 3
#: A lease so long that a busy machine's stalls are not taken for a desk's death; a dead one is known at once.
_LEASE_S = "60"


async def hub_lost(hall: Hall) -> Seen:
    """Without a server, the hub dies: another desk takes over, one queue goes on, and nobody is taken twice."""
    seen = Seen()
    async with contextlib.AsyncExitStack() as at_work:
        lease = {"STATION_HALL_LEASE_S": _LEASE_S}
        desks = [await at_work.enter_async_context(hall.desk(environment=lease, start=False)) for _ in range(_DESKS)]
        for desk in desks:
            (desk.folder / "hall.json").write_text(json.dumps({"listen": "127.0.0.1:0"}))
            desk.sit_down(pictures.portrait(0))
            await desk.start()
        hub = await patience.until("three desks and one hub", lambda: _hub(desks))
        others = [desk for desk in desks if desk is not hub]
        at_first = await _takeovers(others)
        for desk in desks:
            desk.line.plug(online=False)
        kept: dict[str, dict[str, int]] = {desk.station_id: {} for desk in desks}
        for desk in desks:
            await _one(hall, desk, kept)
        before = await _takeovers(others)
        if before == at_first and not any([await told(desk, _CODE) for desk in desks]):
            seen.control = "无提示，无接管 no message, no takeover"
        held = await _ticket(others[0], place := hall.next_student())
        await hub.kill()
        await patience.until("a desk takes over", lambda: _hub(others))
        seen.zh = await patience.until(f"message {_CODE}", lambda: told(others[0], _CODE))
        seen.moved = (before, await patience.risen("metric", before, lambda: _takeovers(others)))
        seen.demand(await _ticket(others[1], place) == held, "同一学生两个拍摄号 one student, two tickets")
        await _shoot(others[1], place, kept)
        await _one(hall, others[0], kept)
        await hub.start()
        for desk in desks:
            desk.line.plug(online=True)
        for desk in desks:
            await desk.settle()
            seen.took(await integrity.compare(hall, desk, kept[desk.station_id]))
    return seen


async def _hub(desks: list[agents.Desk]) -> agents.Desk | None:
    """The hub, once every one of these desks hears each other one that is here."""
    halls = [(desk, (await desk.state())["hall"]) for desk in desks]
    if any(len(hall["heard"]) < len(desks) - 1 for _, hall in halls):
        return None
    hubs = [desk for desk, hall in halls if hall["part"] == "hub"]
    members = [desk for desk, hall in halls if hall["part"] == "member"]
    return hubs[0] if len(hubs) == 1 and len(members) == len(desks) - 1 else None


async def _takeovers(desks: list[agents.Desk]) -> float:
    return sum([await desk.metric(_METRIC) for desk in desks])


async def _ticket(desk: agents.Desk, place: int) -> str:
    return str((await desk.post("/v1/checkins", {"scan": f"code-{place}"}))["ticket"])


async def _one(hall: Hall, desk: agents.Desk, kept: dict[str, dict[str, int]]) -> None:
    place = hall.next_student()
    await _shoot(desk, place, kept)


async def _shoot(desk: agents.Desk, place: int, kept: dict[str, dict[str, int]]) -> None:
    ticket = await _ticket(desk, place)
    await patience.until("the number is called", lambda: _seated(desk, ticket))
    kept[desk.station_id][await desk.keep(await desk.post("/v1/shutter"))] = place


async def _seated(desk: agents.Desk, ticket: str) -> bool:
    """The hall may be changing its hub: asked again, as an operator does."""
    with contextlib.suppress(agents.Refused):
        return bool((await desk.post("/v1/seat", {"ticket": ticket}))["seated"] == ticket)
    await asyncio.sleep(0.2)
    return False


ROWS = (
    Fault(
        name="hub-lost",
        zh="枢纽台丢失",
        en="hub lost",
        simulator="断网，三台共用队列，杀死主机 offline, three desks, the hub killed",
        code=_CODE,
        metric=_METRIC,
        alert="HallHubLost",
        control="主机在时 with the hub",
        trial=hub_lost,
    ),
)
