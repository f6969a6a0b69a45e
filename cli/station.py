"""`gradphoto station …`: enrol a desk's computer, run it, look at it."""

import asyncio
import json
import os
import shutil
import webbrowser
from pathlib import Path
from typing import Annotated

import httpx
import typer

from cli import doors, screen

app = typer.Typer(no_args_is_help=True, help="采集台站 · The desk's station agent.")

Directory = Annotated[Path, typer.Option("--dir", help="台站目录 · the station's directory")]
Camera = Annotated[
    str | None, typer.Option(help="virtual | virtual-24mp | simulated | gphoto2[:PORT] | hotfolder:PATH")
]
Reader = Annotated[str | None, typer.Option(help="读卡器 · card reader: none | serial:PORT")]
Printer = Annotated[
    str | None,
    typer.Option(
        help="号条打印机 · slip printer: none | tcp:HOST[:PORT] | serial:PORT[@BAUD] | device:PATH | queue:NAME"
    ),
]


@app.command()
def enrol(
    directory: Directory,
    server: Annotated[str, typer.Option(help="capture 服务地址 · address of the capture service")],
    code: Annotated[str, typer.Option(help="一次性登记码 · one-time code")],
    camera: Camera = None,
    reader: Reader = None,
    printer: Printer = None,
) -> None:
    """用一次性登记码登记本机 · Enrol this computer with a one-time code."""
    from kit.errors import Problem
    from station import __main__ as program
    from station import enrolment, settings

    place = settings.Directory(directory)
    try:
        devices = settings.Devices(**_named(camera=camera, reader=reader, printer=printer))
        asyncio.run(enrolment.enrol(place, settings.Settings(), server, code, devices))
    except Problem as problem:
        _give_up(program.explained(problem))
    enrolled = place.enrolled()
    typer.echo(f"已登记为采集台 {enrolled.desk_code}（{enrolled.campus_code}） · enrolled as desk {enrolled.desk_code}")


@app.command()
def run(directory: Directory, camera: Camera = None, reader: Reader = None, printer: Printer = None) -> None:
    """运行台站 · Run the station until Ctrl-C. Devices named here are used from now on."""
    from kit import logs
    from kit.errors import Problem
    from station import __main__ as program
    from station import app as stations
    from station import settings

    config = settings.Settings()
    logs.configure("station", config.log_level)
    try:
        status = asyncio.run(stations.run(directory, config, _named(camera=camera, reader=reader, printer=printer)))
    except Problem as problem:
        _give_up(program.explained(problem))
    raise typer.Exit(status)


@app.command()
def console(
    directory: Directory,
    browser: Annotated[bool, typer.Option(help="打开浏览器 · open the browser")] = True,
    helper: Annotated[bool, typer.Option("--helper", help="只能签到，给班级协助人员 · check-in alone")] = False,
) -> None:
    """打开操作台页面（未登记时为设置向导） · Open the desk console; before enrolment it is the set-up wizard."""
    try:
        door = json.loads((directory / "door.json").read_text("utf-8"))
        headers = {"authorization": f"Bearer {door['token']}"}
        role = {"role": "helper" if helper else "operator"}
        invitations = f"{door['url']}/v1/console/invitations"
        answer = httpx.post(invitations, json=role, headers=headers, timeout=5, trust_env=False)
        link = door["url"] + answer.raise_for_status().json()["path"]
    except (OSError, ValueError, httpx.HTTPError):
        _give_up("台站没有运行：gradphoto station run · the station is not running")
        return
    typer.echo(f"只能用一次，五分钟内有效 · works once, within five minutes\n{link}")
    if browser:
        webbrowser.open(link)


@app.command()
def hall(
    directory: Directory,
    listen: Annotated[str, typer.Option(help="本台监听 HOST:PORT · where this desk listens")] = "127.0.0.1:8471",
    address: Annotated[str | None, typer.Option(help="告诉别台的地址 · what the others are told, if not that")] = None,
    peer: Annotated[list[str] | None, typer.Option(help="别台地址，可重复 · another desk; may be repeated")] = None,
    leave: Annotated[bool, typer.Option("--leave", help="退出，单独工作 · leave: work by itself")] = False,
) -> None:
    """与同厅采集台共用队列（无外网时也行） · Share queue and check-ins with the hall's desks over the LAN."""
    from pydantic import ValidationError

    from station import settings

    place = settings.Directory(directory)
    try:
        said = settings.HallSettings(listen=listen, address=address, peers=tuple(peer or ()))
    except ValidationError:
        _give_up("地址应为 HOST:PORT，如 192.168.1.11:8471 · an address is HOST:PORT")
        return
    place.save_hall(None if leave else said)
    told = "已退出 · left the hall" if leave else f"监听 {listen} · listens at {listen}"
    typer.echo(f"{told}；重新启动台站后生效 · takes effect when the station is started again")


@app.command()
def doctor(directory: Directory) -> None:
    """检查台站 · See what stands in the way of a day's work. Exit status 1 when something does."""
    faults = [fault for fault in (_keys(directory), _enrolment(directory), _disk(directory), _door(directory)) if fault]
    for fault in faults:
        typer.echo(f"✗ {fault}")
    if faults:
        raise typer.Exit(1)
    typer.echo("✓ 一切正常 · all is well")


@app.command()
def export(
    stick: Annotated[Path, typer.Argument(help="导出到哪里(如优盘) · where to, such as a stick.")],
    directory: Directory,
) -> None:
    """把死机台站未上传的数据加密导出 · What the server has not received, sealed and signed, onto a stick."""
    from kit.errors import Problem
    from station import __main__ as program
    from station import exporting, settings

    try:
        done = asyncio.run(exporting.export(settings.Directory(directory), stick))
    except Problem as problem:
        _give_up(program.explained(problem))
    screen.tell(f"{done.folder}: 记录 records {done.messages}, 照片 frames {done.frames}")
    for ticket in done.undecided:
        screen.tell(f"! {ticket}: 操作员尚未决定,按无主照片导出,请安排重拍 · nobody decided on it: kept as nobody's")
    for name in done.damaged:
        screen.tell(f"✗ {name}: 本机上已损坏 · damaged on this disk already")
    if not done.history:
        screen.tell("✗ journal.sqlite3: 经过读不出,未决照片按无主导出 · history lost: undecided frames go as nobody's")
    if done.lost:
        screen.tell(f"✗ journal.sqlite3: {done.lost} 行打不开,未导出 · rows do not open and are not on the stick")
    screen.tell("下一步:吊销该台站,再导入 · next: revoke the station, then ./gradphoto station import")
    if done.damaged or done.lost or not done.history:
        raise typer.Exit(1)


@app.command("import")
def import_(
    stick: Annotated[Path, typer.Argument(help="导出盘的目录 · the folder on the stick.")],
    directory: screen.Dir = None,
    server: doors.Server = None,
    token: doors.Token = None,
) -> None:
    """导入死机台站的数据,可重复 · Take a dead desk's work in; again changes nothing. Exit status 1 if a file is bad."""
    from cli import sticks

    sticks.take_in(doors.capture(directory, server, token, role="crew_lead"), stick)


@app.command("list")
def list_(
    directory: screen.Dir = None,
    campaign: Annotated[str | None, typer.Option(help="批次编号,默认全部 · one campaign; all by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 · for programs.")] = False,
    server: doors.Server = None,
    token: doors.Token = None,
) -> None:
    """全部台站:在线、积压、磁盘、相机、时钟、名单包 · The fleet: on, backlog, disk, camera, clock, pack."""
    from cli import fleet

    fleet.show(doors.capture(directory, server, token, role="ops"), campaign, as_json=as_json)


def _keys(directory: Path) -> str | None:
    keys = [directory / "keys" / name for name in ("station.pem", "spool.key")]
    if not all(key.exists() for key in keys):
        return "没有密钥：请先登记 · no keys: enrol first"
    if os.name != "nt" and any(key.stat().st_mode & 0o077 for key in keys):
        return f"密钥权限过宽：chmod 600 {directory / 'keys'}/* · others can read the keys"
    return None


def _enrolment(directory: Path) -> str | None:
    if (directory / "station.json").exists():
        return None
    return "尚未登记：gradphoto station enrol · not enrolled"


def _disk(directory: Path) -> str | None:
    free_gb = shutil.disk_usage(directory if directory.exists() else Path.cwd()).free / 1e9
    return None if free_gb > 5 else f"磁盘只剩 {free_gb:.1f} GB：一天需要 5 GB 以上 · a day needs more than 5 GB"


def _door(directory: Path) -> str | None:
    try:
        door = json.loads((directory / "door.json").read_text("utf-8"))
        headers = {"authorization": f"Bearer {door['token']}"}
        state = httpx.get(f"{door['url']}/v1/state", headers=headers, timeout=5, trust_env=False).json()
    except (OSError, ValueError, httpx.HTTPError):
        return "台站没有运行：gradphoto station run · the station is not running"
    if troubled := [f"{one['device']} {one['code']}" for one in state["devices"] if one["code"]]:
        return f"设备故障：{', '.join(troubled)} · a device does not work"
    if not state["pack_entries"]:
        return "没有名单包：请连接网络 · no desk pack: connect the network"
    if state["refused"] or state["damaged"]:
        return f"被拒绝 {state['refused']}，损坏 {state['damaged']}：请联系运维 · refused or damaged: call operations"
    return None


def _named(**devices: str | None) -> dict[str, str]:
    return {kind: name for kind, name in devices.items() if name is not None}


def _give_up(text: str) -> None:
    typer.echo(text, err=True)
    raise typer.Exit(2)
