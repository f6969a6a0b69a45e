"""Rows of the camera: a tethered one without hardware, driven by the same driver, with faults ordered from it."""

import asyncio
import contextlib
import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cli.faults import agents, integrity, patience, pictures
from cli.faults.hall import Hall
from cli.faults.matrix import Fault, Seen
from station.cameras.tethered import faulty

_FAULTS = "gradphoto_device_faults_total"
_FOR_EVER = 100_000


def row(name: str, zh: str, en: str, code: str, fault: str, script: Sequence[Mapping[str, Any]], how: str) -> Fault:
    """A fault that the simulated camera is ordered to have until it is seen."""
    return Fault(
        name=name,
        zh=zh,
        en=en,
        simulator=how,
        code=code,
        metric=f'{_FAULTS}{{device="camera",fault="{fault}"}}',
        alert="DeviceTroubled",
        control="相机正常 camera well",
        trial=functools.partial(_trial, code, fault, tuple(script)),
    )


async def _trial(code: str, fault: str, script: Sequence[Mapping[str, Any]], hall: Hall) -> Seen:
    seen = Seen()
    async with hall.desk(camera="simulated") as desk:
        kept = await _without(desk, hall, code, fault, seen)
        place = hall.next_student()
        await desk.seat(place)
        before = await _count(desk, fault)
        faulty.write_script(desk.folder / "camera", *map(dict, script))
        told_of = asyncio.Event()
        press = asyncio.create_task(_press_until_it_comes(desk, told_of))
        seen.zh = await patience.until(f"message {code}", lambda: told(desk, code))
        seen.moved = (before, await patience.risen(f"metric {fault}", before, lambda: _count(desk, fault)))
        faulty.write_script(desk.folder / "camera")  # mended
        told_of.set()
        kept[await desk.keep(await press)] = place
        await _mended(desk, fault)
        await _again_whole(desk, hall, kept)
        seen.took(await integrity.compare(hall, desk, kept))
    return seen


async def _without(desk: agents.Desk, hall: Hall, code: str, fault: str, seen: Seen) -> dict[str, int]:
    """The control: a student at the same desk while nothing is wrong."""
    desk.sit_down(pictures.portrait(0))
    await patience.until("camera ready", lambda: _ready(desk))
    place = hall.next_student()
    kept = {await desk.photograph(place): place}
    moved = await _count(desk, fault)
    if code not in await desk.messages() and not moved:
        seen.control = "无提示，计数 0 no message, count 0"
    desk.sit_down(pictures.portrait(1))
    return kept


async def _count(desk: agents.Desk, fault: str) -> float:
    return await desk.metric(_FAULTS, device="camera", fault=fault)


async def _ready(desk: agents.Desk) -> bool:
    return bool((await desk.screen())["health"]["camera"]["ready"])


async def told(desk: agents.Desk, code: str) -> str:
    """The Chinese text of a message that the operator sees now; empty if they don't."""
    return (await desk.messages()).get(code, "")


async def _press_until_it_comes(desk: agents.Desk, told_of: asyncio.Event | None = None) -> dict[str, Any]:
    """As an operator does: what the desk gave back is pressed again, once it was read why."""
    while True:
        with contextlib.suppress(agents.Refused):
            await desk.resolve()
            return await desk.post("/v1/shutter")
        if told_of:
            await told_of.wait()
        await asyncio.sleep(0.2)


async def _mended(desk: agents.Desk, fault: str) -> None:
    async def recovered() -> float:
        # Said again: the camera's process counts its faults down in the same file.
        faulty.write_script(desk.folder / "camera")
        return await desk.metric("gradphoto_device_recoveries_total", device="camera", fault=fault)

    await patience.until(f"{fault} is over", recovered)


async def _again_whole(desk: agents.Desk, hall: Hall, kept: dict[str, int]) -> None:
    """The next student is photographed as if nothing had been; a file that was empty is asked for at a connection."""
    desk.sit_down(pictures.portrait(2))
    place = hall.next_student()
    await desk.seat(place)
    kept[await desk.keep(await _press_until_it_comes(desk))] = place
    await desk.again()
    await patience.until("camera ready", lambda: _ready(desk))
    await patience.until("all that lies on the card is taken in", lambda: _all_taken_in(desk))
    await desk.settle()


async def _all_taken_in(desk: agents.Desk) -> bool:
    card = desk.folder / "camera" / "card"
    return len(await desk.journal()) == len(list(card.glob("*.JPG")))


async def raw_and_jpeg(hall: Hall) -> Seen:
    """A pair is one frame, its RAW stays on the card, late or not; a RAW alone is told, and the next pair counts."""
    seen = Seen()
    async with hall.desk(camera="simulated") as desk:
        card = desk.folder / "camera" / "card"
        kept = await _without(desk, hall, "camera-raw-only", "raw_only", seen)
        seen.demand([row["raw"] for row in await desk.journal()] == [True], "一对文件不是一张 a pair is not one frame")
        seen.demand(list(card.glob("*.NEF")), "RAW 不在卡上 the RAW is not on the card")
        place = hall.next_student()
        await desk.seat(place)
        before = await _count(desk, "raw_only")
        (card / "DRA_9000.NEF").write_bytes(b"MM\x00\x2a\x00\x00\x00\x08")
        seen.zh = await patience.until("message camera-raw-only", lambda: told(desk, "camera-raw-only"))
        seen.moved = (before, await patience.risen("metric raw_only", before, lambda: _count(desk, "raw_only")))
        (desk.folder / "camera" / "body.json").write_text(json.dumps({"raw": False}))
        kept[await desk.keep(await _press_until_it_comes(desk))] = place
        await _mended(desk, "raw_only")
        seen.demand([row["raw"] for row in await desk.journal()] == [True, False], "多记了 RAW a RAW too many is noted")
        (card / "DRA_0002.NEF").write_bytes(b"MM\x00\x2a\x00\x00\x00\x08")
        await patience.until("a RAW that came after its JPEG is noted", lambda: _all_paired(desk))
        await _again_whole(desk, hall, kept)
        seen.took(await integrity.compare(hall, desk, kept))
    return seen


async def _all_paired(desk: agents.Desk) -> bool:
    return all(row["raw"] for row in await desk.journal())


ROWS = (
    row(
        "camera-unplugged", "拔掉相机", "camera unplugged", "camera-unplugged", "unplugged",
        [{"fault": "cable", "step": "trigger"}, {"fault": "unplugged", "step": "open", "times": _FOR_EVER}],
        "线断于快门，再无相机 cable broken at the shutter, then no camera",
    ),
    row(
        "camera-busy", "相机被占用", "camera busy", "camera-busy", "busy",
        [{"fault": "cable", "step": "trigger"}, {"fault": "busy", "step": "open", "times": _FOR_EVER}],
        "别的程序占住相机 another program claims it",
    ),
    row(
        "camera-frozen", "相机无响应", "camera frozen", "camera-frozen", "frozen",
        [{"fault": "frozen", "step": "trigger", "times": _FOR_EVER}],
        "调用不再返回 a call that never returns",
    ),
    row(
        "camera-empty", "空文件", "empty file", "camera-file-empty", "empty",
        [{"fault": "empty", "step": "fetch", "times": 4}],
        "相机给出 0 字节 the camera gives no bytes",
    ),
    Fault(
        name="camera-raw",
        zh="RAW+JPEG",
        en="RAW+JPEG",
        simulator="成对文件；只有 RAW pairs; a RAW alone",
        code="camera-raw-only",
        metric=f'{_FAULTS}{{device="camera",fault="raw_only"}}',
        alert="DeviceTroubled",
        control="成对时 with pairs",
        trial=raw_and_jpeg,
    ),
)  # fmt: skip
