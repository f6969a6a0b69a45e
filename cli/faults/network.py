"""Rows of the network: a Wi-Fi that comes and goes, capture that answers 5xx, a store that answers 5xx."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from cli.faults import agents, integrity, patience, pictures
from cli.faults.cameras import told
from cli.faults.hall import Hall
from cli.faults.matrix import Fault, Seen

_METRIC = "gradphoto_uplink_failures_total"
_STUDENTS = 4
Bad = Callable[[agents.Desk], Awaitable[None]]


def row(name: str, zh: str, en: str, code: str, how: str, begin: Bad, end: Bad) -> Fault:
    """Bad weather on a desk's line while students are photographed."""

    async def trial(hall: Hall) -> Seen:
        seen = Seen()
        async with hall.desk() as desk:
            desk.sit_down(pictures.portrait(0))
            kept = dict([await _one(desk, hall)])
            await desk.settle()
            before = await desk.metric(_METRIC, code=code)
            await begin(desk)
            for _ in range(_STUDENTS):
                key, place = await _one(desk, hall)
                kept[key] = place
            seen.zh = await patience.until(f"message {code}", lambda: told(desk, code))
            seen.moved = (before, await patience.risen("metric", before, lambda: desk.metric(_METRIC, code=code)))
            await end(desk)
            await desk.settle()
            seen.took(await integrity.compare(hall, desk, kept))
        seen.control = await _believing(hall, begin, end)
        return seen

    metric = f'{_METRIC}{{code="{code}"}}'
    control = "不等回执就清除 wiped without a receipt"
    return Fault(name, zh, en, how, code, metric, "UplinkFails", control, trial)


async def _one(desk: agents.Desk, hall: Hall) -> tuple[str, int]:
    place = hall.next_student()
    return await desk.photograph(place), place


async def _believing(hall: Hall, begin: Bad, end: Bad) -> str:
    """The control: an agent that takes every request for received loses frames, and the comparison says so."""
    async with hall.desk(without=("receipt",)) as desk:
        desk.sit_down(pictures.portrait(0))
        await begin(desk)
        for _ in range(_STUDENTS):
            await _one(desk, hall)
        await asyncio.sleep(0.5)
        await end(desk)
        await desk.settle()
        found = await integrity.compare(hall, desk)
    return f"查出 {len(found.wrong)} 处 found {len(found.wrong)} faults" if found.wrong else ""


async def _flap(desk: agents.Desk) -> None:
    """The Wi-Fi goes and comes back at moments drawn by chance, cuts uploads in their middle, and then stays away."""
    dice = random.Random(desk.station_id)
    weather = desk.line.store.weather
    weather.cut_after_bytes, weather.cuts = 20_000, 3

    async def come_and_go() -> None:
        for _ in range(6):
            desk.line.plug(online=False)
            await asyncio.sleep(dice.uniform(0.05, 0.4))
            desk.line.plug(online=True)
            await asyncio.sleep(dice.uniform(0.1, 0.6))
        desk.line.plug(online=False)

    desk.weather = asyncio.create_task(come_and_go())


async def _wifi_back(desk: agents.Desk) -> None:
    if desk.weather:
        await desk.weather
    desk.line.plug(online=True)
    desk.line.calm()


async def _calm(desk: agents.Desk) -> None:
    desk.line.calm()


async def _server_fails(desk: agents.Desk) -> None:
    desk.line.api.weather.failing = 0.9


async def _store_fails(desk: agents.Desk) -> None:
    desk.line.store.weather.failing = 0.9


ROWS = (
    row(
        "wifi-flap", "无线时断时续", "Wi-Fi flaps", "server-unreachable",
        "代理随机断开，上传中途截断 a proxy drops out at random and cuts uploads", _flap, _wifi_back,
    ),
    row(
        "server-5xx", "服务 5xx", "server 5xx", "server-busy",
        "九成请求答 503，半数在办完之后 90 % answered 503, half of them after the work", _server_fails, _calm,
    ),
    row(
        "store-5xx", "存储 5xx", "store 5xx", "object-store-unavailable",
        "九成上传答 503 90 % of uploads answered 503", _store_fails, _calm,
    ),
)  # fmt: skip
