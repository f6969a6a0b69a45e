"""RabbitMQ of the embedded stack: found on the machine or, as root on Debian and Ubuntu, installed; its own node."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import string
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.stack import layout as layouts
from cli.stack import ports as loopback
from cli.stack import process, secrets
from kit import topology

PORTS = ("amqp", "amqp-distribution", "epmd", "rabbitmq-management", "rabbitmq-prometheus")
NODE = "gradphoto@localhost"
# Both cost four seconds at each start and five at each end, so they are on only by GRADPHOTO_RABBITMQ_MANAGEMENT=1.
PLUGINS = {True: "[rabbitmq_management,rabbitmq_prometheus].\n", False: "[].\n"}
_DEPLOY = layouts.PROJECT / "deploy" / "rabbitmq"
# The Debian wrapper in /usr/sbin changes user and folder; the program itself lies here.
_DEBIAN = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_REMEDY = (
    "找不到 RabbitMQ:请安装 rabbitmq-server,或设置 GRADPHOTO_AMQP_URL,例如用 Docker 启动一个:"
    "docker run -d -p 5672:5672 rabbitmq:4;GRADPHOTO_AMQP_URL=amqp://guest:guest@127.0.0.1:5672/ · "
    "no RabbitMQ: install rabbitmq-server, or set GRADPHOTO_AMQP_URL, for example to a broker in Docker as above"
)
_POLICY = Path("/usr/sbin/policy-rc.d")
#: RabbitMQ 3.10 writes down that it has streams at all up to three seconds after it confirmed the first one (the delay
#: of Erlang's dets): killed before that, it calls the stream "down or inaccessible" for ever. docs/decisions/0011.
_SETTLE_S = 4.0


@dataclass(frozen=True, slots=True)
class Broker:
    """A RabbitMQ on this machine: its server and epmd, and the wrapper that enters its chroot, if it lives in one."""

    server: str
    epmd: str
    enter: tuple[str, ...] = ()


def find(env: Mapping[str, str]) -> Broker | None:
    """`GRADPHOTO_RABBITMQ` (a server program, or a chroot made by newer.sh), Debian's, or the one on PATH."""
    wanted = env.get("GRADPHOTO_RABBITMQ")
    if wanted and (Path(wanted) / "usr/lib/rabbitmq/bin/rabbitmq-server").exists():
        return Broker(str(_DEBIAN), "epmd", (str(_DEPLOY / "in-chroot.sh"), str(Path(wanted).resolve())))
    if wanted and not Path(wanted).is_file():
        raise process.PartFailed(
            f"GRADPHOTO_RABBITMQ={wanted}: 既不是程序,也不是 newer.sh 建立的目录 · neither a program nor a chroot"
        )
    for server in (wanted, str(_DEBIAN) if _DEBIAN.exists() else None, shutil.which("rabbitmq-server")):
        if server:
            return Broker(server, shutil.which("epmd") or str(Path(server).resolve().parent / "epmd"))
    return None


def find_or_install(env: Mapping[str, str], say: Callable[[str], None]) -> Broker:
    """As `find`; as root on Debian and Ubuntu the system's package is installed, saying so. PartFailed otherwise."""
    found = find(env)
    if found is None and may_install():
        say("apt-get install rabbitmq-server:各服务之间的消息总线 · the message bus between the services (about 90 MB)")
        with installing():
            if find(env) is None:
                _install()
        found = find(env)
    if found is None:
        raise process.PartFailed(_REMEDY)
    return found


def may_install() -> bool:
    """True on Debian and Ubuntu as root."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def programs(
    layout: layouts.Layout,
    keys: secrets.Secrets,
    ports: Mapping[str, int],
    env: Mapping[str, str],
    broker: Broker,
) -> tuple[process.Program, process.Program]:
    """The port mapper of this node alone (so that none is left behind) and the node."""
    enter = (*broker.enter, str(layout.rabbitmq)) if broker.enter else ()
    epmd_env = {**env, "HOME": str(layout.rabbitmq)}
    epmd = process.Program(
        name="epmd",
        argv=(
            *enter,
            broker.epmd,
            "-address",
            loopback.LOOPBACK,
            "-port",
            str(ports["epmd"]),
            "-relaxed_command_check",
        ),
        env=epmd_env,
        cwd=layout.root,
        log=layout.log("epmd"),
        ready=lambda: asyncio.to_thread(loopback.is_open, ports["epmd"]),
        before=lambda: asyncio.to_thread(_prepare, layout, keys, ports),
        stop_timeout_s=5,
        kind="infra",
        port=ports["epmd"],
    )
    node = process.Program(
        name="rabbitmq",
        argv=(*enter, broker.server),
        env={**env, **_environment(layout, ports)},
        cwd=layout.rabbitmq,
        log=layout.log("rabbitmq"),
        before=lambda: asyncio.to_thread(_begin_anew_if_unsettled, layout),
        ready=lambda: answers(ports["amqp"]),
        stop_timeout_s=30,
        kind="infra",
        url=f"amqp://{loopback.LOOPBACK}:{ports['amqp']}/",
        port=ports["amqp"],
    )
    return epmd, node


def url(keys: secrets.Secrets, port: int) -> str:
    return f"amqp://{keys.amqp_user}:{keys.amqp_password}@{loopback.LOOPBACK}:{port}/"


async def answers(port: int, host: str = loopback.LOOPBACK) -> bool:
    """True once the broker greets an AMQP client: it opens its listeners last, when vhosts and queues are recovered."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(b"AMQP\x00\x00\x09\x01")
        await writer.drain()
        return (await reader.read(1)) == b"\x01"
    finally:
        writer.close()


async def settle(layout: layouts.Layout, node: process.Child, address: str) -> None:
    """Declare the stream of a new node and wait until the node keeps it over a kill; at once where that is done.

    A node that dies before begins anew with an empty directory: until then nothing was said over it.
    """
    while _unsettled(layout).exists():
        pid = node.pid
        await topology.declare(address, {})
        await asyncio.sleep(_SETTLE_S)
        if node.pid == pid:
            _unsettled(layout).unlink()


def _unsettled(layout: layouts.Layout) -> Path:
    return layout.rabbitmq / "unsettled"


def _begin_anew_if_unsettled(layout: layouts.Layout) -> None:
    data = layout.rabbitmq / "data"
    if _unsettled(layout).exists():
        shutil.rmtree(data, ignore_errors=True)
    if not data.exists():
        _unsettled(layout).touch()


def _prepare(layout: layouts.Layout, keys: secrets.Secrets, ports: Mapping[str, int]) -> None:
    folder = layout.rabbitmq
    folder.mkdir(mode=0o700, exist_ok=True)
    template = string.Template((_DEPLOY / "embedded.conf").read_text("utf-8"))
    text = template.substitute(
        AMQP=ports["amqp"],
        MANAGEMENT=ports["rabbitmq-management"],
        PROMETHEUS=ports["rabbitmq-prometheus"],
        USER=keys.amqp_user,
        PASSWORD=keys.amqp_password,
    )
    managed = os.environ.get("GRADPHOTO_RABBITMQ_MANAGEMENT") == "1"
    layouts.write_atomically(folder / "enabled_plugins", PLUGINS[managed])
    lines = [line for line in text.splitlines() if managed or not line.startswith(("management.", "prometheus."))]
    layouts.write_atomically(folder / "rabbitmq.conf", "\n".join(lines) + "\n", mode=0o600)
    layouts.write_atomically(folder / ".erlang.cookie", keys.erlang_cookie, mode=0o400)


def _environment(layout: layouts.Layout, ports: Mapping[str, int]) -> dict[str, str]:
    folder = layout.rabbitmq
    return {
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(ports["epmd"]),
        "ERL_EPMD_ADDRESS": loopback.LOOPBACK,
        "ERL_CRASH_DUMP": str(folder / "erl_crash.dump"),
        "RABBITMQ_NODENAME": NODE,
        "RABBITMQ_CONF_ENV_FILE": str(folder / "no-environment.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_DIST_PORT": str(ports["amqp-distribution"]),
        # Makes the start script exec Erlang instead of staying as its parent: the pid that we see is the broker's own.
        "RUNNING_UNDER_SYSTEMD": "true",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -noinput",
    }


@contextlib.contextmanager
def installing() -> Iterator[None]:
    """One installation at a time on this machine: two stacks, or two tests, may start side by side on a bare one."""
    with (Path(tempfile.gettempdir()) / f"gradphoto-install-{os.geteuid()}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install() -> None:
    """Install without leaving the system's own broker running: services may not start while `policy-rc.d` says 101."""
    ours = not _POLICY.exists()
    if ours:
        _POLICY.write_text("#!/bin/sh\nexit 101\n", "ascii")
        _POLICY.chmod(0o755)
    try:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "rabbitmq-server"]):
            patient = ["apt-get", "-o", "DPkg::Lock::Timeout=300", *command]
            done = subprocess.run(patient, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise process.PartFailed(f"apt-get {' '.join(command)}: {done.stderr.strip()[-800:]}\n{_REMEDY}")
    finally:
        if ours:
            _POLICY.unlink(missing_ok=True)
