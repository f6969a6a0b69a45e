"""`gradphoto audit`: every photo row against the object store. Exit status 1 when something is wrong."""

import json
import time
from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

import rich.progress
import rich.table
import typer

from cli import doors, screen

#: How often a running audit is asked how far it is.
_LOOK_S = 0.5
_KINDS = {
    "missing": "缺失 missing",
    "wrong_hash": "哈希不符 wrong hash",
    "undecodable": "无法解码 undecodable",
    "unreadable": "读不出 unreadable",
    "orphan": "无主 orphan",
}


def audit(
    directory: screen.Dir = None,
    campaign: Annotated[str | None, typer.Option(help="批次编号,默认全部 · one campaign; all by default.")] = None,
    decode: Annotated[bool, typer.Option(help="逐张解码 · decode every picture, which takes its time.")] = True,
    grace: Annotated[
        int, typer.Option(min=0, max=86_400, help="无主对象至少多少秒才算 · an orphan is at least so many seconds old.")
    ] = 3600,
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 · for programs.")] = False,
    server: doors.Server = None,
    token: doors.Token = None,
) -> None:
    """完整性核查:每条照片记录对照对象存储 · Every photo row against the object store; goes on where it was cut off."""
    capture = doors.capture(directory, server, token, role="auditor")
    asked = {"campaign_id": campaign, "decode": decode, "grace_s": grace}
    begun = capture.ask("POST", "/v1/audits", asked)
    with _bars(quiet=as_json) as bars:
        ended = [_followed(capture, one, bars) for one in begun]
    findings = {one["audit_id"]: list(_findings(capture, one["audit_id"])) for one in ended}
    if as_json:
        report = [{**one, "findings": findings[one["audit_id"]]} for one in ended]
        screen.console.print_json(json.dumps(report, ensure_ascii=False))
    else:
        _show(ended, findings)
    if not all(one["sound"] for one in ended):
        raise typer.Exit(1)


def _say_how(ended: list[dict[str, Any]]) -> None:
    """What was looked at: the server runs all of them as they were asked for, or refuses."""
    decoded = "逐张解码 each picture decoded" if ended[0]["decode"] else "未解码 no picture decoded"
    screen.tell(f"{decoded}；无主对象至少 an orphan is at least {ended[0]['grace_s']} s")
    if known := sum(one["known_unreadable"] for one in ended):
        screen.tell(
            f"另有 {known} 份已知不是图像（已判定或已重拍）· known to be no picture, judged so or retaken: {known}"
        )


def _campaign(audit: dict[str, Any]) -> str:
    """The audit of what lies in no campaign's folder stands under the id of none."""
    return "其余 elsewhere" if UUID(audit["campaign_id"]).int == 0 else str(audit["campaign_id"])


def _bars(*, quiet: bool) -> rich.progress.Progress:
    columns = (
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TimeRemainingColumn(),
    )
    return rich.progress.Progress(*columns, console=screen.errors, disable=quiet)


def _followed(capture: doors.Door, audit: dict[str, Any], bars: rich.progress.Progress) -> dict[str, Any]:
    bar = bars.add_task(_campaign(audit), total=audit["expected"], completed=audit["checked"])
    while audit["state"] == "running":
        time.sleep(_LOOK_S)
        audit = capture.ask("GET", f"/v1/audits/{audit['audit_id']}")
        waits = f" 存储无应答 store does not answer ×{audit['tries']}" if audit["tries"] else ""
        total = max(audit["expected"], audit["checked"])
        bars.update(bar, description=_campaign(audit) + waits, total=total, completed=audit["checked"])
    return audit


def _findings(capture: doors.Door, audit_id: str) -> Iterator[dict[str, Any]]:
    after: int | None = 0
    while after is not None:
        page = capture.ask("GET", f"/v1/audits/{audit_id}/findings?after={after}&limit=1000")
        yield from page["items"]
        after = page["next"]


def _show(ended: list[dict[str, Any]], findings: dict[str, list[dict[str, Any]]]) -> None:
    table = rich.table.Table("批次 campaign", "已查 checked", *_KINDS.values(), "在途 in flight", "")
    for one in ended:
        counts = [str(one["found"][kind]) for kind in _KINDS]
        table.add_row(_campaign(one), str(one["checked"]), *counts, str(one["in_flight"]), screen.MARKS[one["sound"]])
    screen.console.print(table if ended else "没有批次 · no campaign")
    if ended:
        _say_how(ended)
    rows = [row for of_one in findings.values() for row in of_one]
    for row in rows:
        captures = " ".join(row["capture_ids"])
        screen.tell(f"✗ {_KINDS[row['kind']]}: {row['object_key']} {captures}".rstrip())
    if rows:
        screen.tell("处理办法见 docs/integrity.md · what to do: docs/integrity.md")
