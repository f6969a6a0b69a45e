"""Rows of card reader and printer: a simulated reader and a simulated printer on the cables of a real agent."""

from cli.faults import agents, integrity, patience, pictures
from cli.faults.hall import Hall
from cli.faults.matrix import Fault, Seen
from station.printers import simulator as paper
from station.readers import simulator as plastic

_FAULTS = "gradphoto_device_faults_total"
_RECOVERIES = "gradphoto_device_recoveries_total"
_FOR_EVER = 1_000_000


async def reader_hangs(hall: Hall) -> Seen:
    """The reader says nothing: the desk tells, goes on by code, and knows when it is back."""
    seen = Seen()
    with plastic.simulated() as simulated:
        async with hall.desk(reader=f"serial:{simulated.path}") as desk:
            kept = dict([await _well(desk, hall, seen, "card_reader", "silent")])
            before = await _count(desk, "card_reader", "silent")
            simulated.fault("silent", _FOR_EVER)
            seen.zh = await _told(desk, "card_reader", "reader-silent")
            seen.moved = (before, await _risen(desk, "card_reader", "silent", before))
            kept |= dict([await _one(desk, hall)])
            simulated.fault("silent", 0)
            await _over(desk, "card_reader", "silent")
            kept |= dict([await _one(desk, hall)])
            await desk.settle()
            seen.took(await integrity.compare(hall, desk, kept))
    return seen


async def paper_out(hall: Hall) -> Seen:
    """The roll ends within a slip: the desk tells, goes on, and after the change every number has its slip."""
    seen = Seen()
    with paper.simulated() as roll:
        async with hall.desk(printer=roll.address) as desk:
            kept = dict([await _well(desk, hall, seen, "printer", "paper_out")])
            await patience.until("the first slip", lambda: _printed(roll, 1))
            before = await _count(desk, "printer", "paper_out")
            roll.sheets = 1
            for _ in range(3):
                kept |= dict([await _one(desk, hall)])
            seen.zh = await _told(desk, "printer", "printer-paper-out")
            seen.moved = (before, await _risen(desk, "printer", "paper_out", before))
            seen.demand(not await _printed(roll, 4), "缺纸仍打印 printed without paper")
            roll.sheets = 1000
            await patience.until("every slip", lambda: _printed(roll, 4))
            await _over(desk, "printer", "paper_out")
            await desk.settle()
            seen.took(await integrity.compare(hall, desk, kept))
    return seen


async def _well(desk: agents.Desk, hall: Hall, seen: Seen, device: str, fault: str) -> tuple[str, int]:
    """The control: a student at the same desk while nothing is wrong."""
    desk.sit_down(pictures.portrait(0))
    first = await _one(desk, hall)
    trouble = await _trouble(desk, device)
    if not trouble and not await _count(desk, device, fault):
        seen.control = "无提示，计数 0 no message, count 0"
    return first


async def _told(desk: agents.Desk, device: str, code: str) -> str:
    async def said() -> str:
        trouble = await _trouble(desk, device)
        return str(trouble["zh"]) if trouble and trouble["code"] == code else ""

    return await patience.until(f"message {code}", said)


async def _count(desk: agents.Desk, device: str, fault: str) -> float:
    return await desk.metric(_FAULTS, device=device, fault=fault)


async def _risen(desk: agents.Desk, device: str, fault: str, before: float) -> float:
    return await patience.risen(f"metric {fault}", before, lambda: _count(desk, device, fault))


async def _over(desk: agents.Desk, device: str, fault: str) -> None:
    await patience.until(f"{fault} is over", lambda: desk.metric(_RECOVERIES, device=device, fault=fault))


async def _trouble(desk: agents.Desk, device: str) -> dict[str, str] | None:
    health = (await desk.screen())["health"]
    found: dict[str, str] | None = (health["reader" if device == "card_reader" else device] or {}).get("trouble")
    return found


async def _one(desk: agents.Desk, hall: Hall) -> tuple[str, int]:
    place = hall.next_student()
    return await desk.photograph(place), place


async def _printed(roll: paper.SimulatedPrinter, slips: int) -> bool:
    return len({one.qr for one in roll.printed if one.whole}) >= slips


ROWS = (
    Fault(
        name="reader-hang",
        zh="读卡器无响应",
        en="reader hangs",
        simulator="伪终端上不应答 silent on a pseudo-terminal",
        code="reader-silent",
        metric=f'{_FAULTS}{{device="card_reader",fault="silent"}}',
        alert="DeviceTroubled",
        control="读卡器正常 reader well",
        trial=reader_hangs,
    ),
    Fault(
        name="printer-paper-out",
        zh="打印机缺纸",
        en="printer out of paper",
        simulator="纸卷在小票中用完 the roll ends within a slip",
        code="printer-paper-out",
        metric=f'{_FAULTS}{{device="printer",fault="paper_out"}}',
        alert="DeviceTroubled",
        control="有纸时 with paper",
        trial=paper_out,
    ),
)
