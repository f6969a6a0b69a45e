"""The table of `gradphoto station list`: how each desk's station is, as capture knows it."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import rich.table

from cli import doors, screen

#: From here on a figure is coloured: it wants somebody's look.
_MANY, _LITTLE_BYTES, _SKEWED_S, _OLD_S = 50, 5_000_000_000, 60.0, 4 * 3600.0


def show(capture: doors.Door, campaign: str | None, *, as_json: bool) -> None:
    """Print the fleet of a campaign, or of all."""
    stations = sorted(_all(capture, campaign), key=lambda one: (one["desk_code"] or "", one["station_id"]))
    if as_json:
        screen.console.print_json(json.dumps(stations, ensure_ascii=False))
        return
    table = rich.table.Table(
        *("台 desk", "名称 label", "状态 state", "最近 last seen", "积压 backlog", "排队 queue"),
        *("磁盘 disk", "相机 camera", "时钟 clock", "名单包 pack", "工作 mode"),
    )
    for one in stations:
        table.add_row(*row(one))
    screen.console.print(table if stations else "没有台站 · no station")


def _all(capture: doors.Door, campaign: str | None) -> Iterator[dict[str, Any]]:
    path = "/v1/stations?limit=1000" + (f"&campaign_id={campaign}" if campaign else "")
    page = capture.ask("GET", path)
    yield from page["items"]
    while page["next"]:
        page = capture.ask("GET", f"{path}&after={page['next']}")
        yield from page["items"]


def row(one: dict[str, Any]) -> tuple[str, ...]:
    """A station's cells. What it never said is a dash."""
    return (
        screen.plain(one["desk_code"] or "-"),
        screen.plain(one["label"]),
        _state(one),
        datetime.fromisoformat(one["last_seen_at"]).astimezone().strftime("%m-%d %H:%M:%S")
        if one["last_seen_at"]
        else "-",
        _marked(one["backlog"], "{:d}", lambda value: value > _MANY),
        _marked(one["queue"], "{:d}", lambda _: False),
        _marked(one["disk_free_bytes"], "{:.1f} GB", lambda value: value < _LITTLE_BYTES, 1e9),
        screen.plain(one["camera"] or "-"),
        _marked(one["skew_s"], "{:+.1f} s", lambda value: abs(value) > _SKEWED_S),
        _marked(one["pack_age_s"], "{:.0f} min", lambda value: value > _OLD_S, 60),
        screen.plain(one["mode"] or "-"),
    )


def _state(one: dict[str, Any]) -> str:
    if one["state"] != "enrolled":
        return {"invited": "[dim]待登记 invited[/dim]", "revoked": "[dim]已吊销 revoked[/dim]"}[one["state"]]
    return "[green]在线 on[/green]" if one["online"] else "[red]失联 lost[/red]"


def _marked(value: Any, form: str, wants_a_look: Any, unit: float | None = None) -> str:
    if value is None:
        return "-"
    text = form.format(value / unit if unit else value)
    return f"[yellow]{text}[/yellow]" if wants_a_look(value) else text
