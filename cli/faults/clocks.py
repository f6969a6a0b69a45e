"""Rows of the clock: a desk's machine that is ten minutes ahead or behind, at its enrolment or all of a sudden."""

import functools
from datetime import UTC, datetime
from pathlib import Path

from cli.faults import agents, integrity, patience, pictures
from cli.faults.cameras import told
from cli.faults.hall import Hall
from cli.faults.matrix import Fault, Seen
from cli.stack import clock as clocks

_CODE = "console-clock-corrected"
_METRIC = "gradphoto_station_clock_skew_seconds"
#: Heartbeats measure; a second of request time on a busy machine is no error of the clock.
_NEAR_S = 30.0


async def _trial(offset_s: float, hall: Hall) -> Seen:
    """Right at first; then the clock jumps. It is measured, told and applied; nobody sets anything."""
    seen = Seen()
    file = hall.folder / f"clock-{offset_s:+g}.json"
    _set(hall, file, 0)
    async with hall.desk(environment={"CLOCK_FILE": str(file)}) as desk:
        desk.sit_down(pictures.portrait(0))
        first = hall.next_student()
        kept = {await desk.photograph(first): first}
        seen.demand(_CODE not in await desk.messages(), "时钟准时也提示 told of a right clock")
        before = await desk.metric(_METRIC)
        _set(hall, file, offset_s)
        seen.zh = await patience.until(f"message {_CODE}", lambda: told(desk, _CODE))
        measured = await patience.until("metric", lambda: desk.metric(_METRIC))
        seen.moved = (round(before), round(measured))
        seen.demand(abs(measured - offset_s) < _NEAR_S, f"量得 measured {measured:.0f} s")
        kept |= await _rightly_timed(hall, desk, seen, offset_s)
        await desk.again()
        kept |= await _rightly_timed(hall, desk, seen, offset_s)
        seen.took(await integrity.compare(hall, desk, kept))
    seen.control = await _deaf(hall, file, offset_s)
    return seen


async def _rightly_timed(hall: Hall, desk: agents.Desk, seen: Seen, offset_s: float) -> dict[str, int]:
    place = hall.next_student()
    began = datetime.fromtimestamp(hall.stack.now(), UTC)
    key = await desk.photograph(place)
    await desk.settle()
    row = (await hall.listed(desk.station_id))[key]
    late_s = (datetime.fromisoformat(row["shutter_at"]) - began).total_seconds()
    took_s = hall.stack.now() - began.timestamp()
    told_s = row["clock_offset_s"]
    seen.demand(abs(told_s - offset_s) < _NEAR_S, f"随照片记下的时差 offset recorded with the frame {told_s:.0f} s")
    seen.demand(-_NEAR_S < late_s < took_s + _NEAR_S, f"拍摄时间差 shutter time off by {late_s:.0f} s")
    return {key: place}


async def _deaf(hall: Hall, file: Path, offset_s: float) -> str:
    """The control: an agent that does not learn the server's time writes its own, wrong by the whole jump.

    Half of the jump: requests that are more than ten minutes off are refused, and nothing would be written at all.
    """
    jump_s = offset_s / 2
    _set(hall, file, 0)
    async with hall.desk(environment={"CLOCK_FILE": str(file)}, without=("skew",)) as desk:
        desk.sit_down(pictures.portrait(0))
        _set(hall, file, jump_s)
        began_s = hall.stack.now()
        key = await desk.photograph(hall.next_student())
        await desk.settle()
        row = (await hall.listed(desk.station_id))[key]
        late_s = datetime.fromisoformat(row["shutter_at"]).timestamp() - began_s
    return f"拍摄时间差 shutter time off by {late_s:.0f} s" if abs(late_s - jump_s) < _NEAR_S else ""


def _set(hall: Hall, file: Path, offset_s: float) -> None:
    clocks.set_to(file, hall.stack.now() + offset_s)


ROWS = tuple(
    Fault(
        name=f"clock-{word}",
        zh=f"时钟{zh} 10 分钟",
        en=f"clock 10 min {word}",
        simulator="台站自己的时钟文件跳变 the desk's own clock jumps",
        code=_CODE,
        metric=_METRIC,
        alert="DeskClockOff",
        control="不听服务器时间 deaf to the server's time",
        trial=functools.partial(_trial, offset_s),
    )
    for word, zh, offset_s in (("ahead", "快", 600.0), ("behind", "慢", -600.0))
)
