"""RabbitMQ as processes of this machine: a server program with a port mapper of its own, if need be in a chroot."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.stack import layout as layouts
from cli.stack import ports as loopback
from cli.stack import process, secrets
from cli.stack.parts import rabbitmq_folder

# The Debian wrapper in /usr/sbin changes user and folder; the program itself lies here.
_DEBIAN = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


@dataclass(frozen=True, slots=True)
class Local:
    """A RabbitMQ on this machine: its server and epmd, and the wrapper that enters its chroot, if it lives in one."""

    server: str
    epmd: str
    enter: tuple[str, ...] = ()

    def programs(
        self, layout: layouts.Layout, keys: secrets.Secrets, ports: Mapping[str, int], env: Mapping[str, str]
    ) -> tuple[process.Program, ...]:
        """The port mapper of this node alone (so that none is left behind) and the node."""
        enter = (*self.enter, str(layout.rabbitmq)) if self.enter else ()
        return (
            _epmd((*enter, self.epmd), layout, keys, ports, env),
            _node((*enter, self.server), layout, ports, {**env, **_environment(layout, ports)}),
        )


def find(wanted: str) -> Local | None:
    """`wanted` (a server program, or a chroot made by newer.sh), or else Debian's, or the one on PATH."""
    if wanted and (Path(wanted) / "usr/lib/rabbitmq/bin/rabbitmq-server").exists():
        return Local(str(_DEBIAN), "epmd", (str(rabbitmq_folder.DEPLOY / "in-chroot.sh"), str(Path(wanted).resolve())))
    if wanted and not Path(wanted).is_file():
        raise process.PartFailed(
            f"GRADPHOTO_RABBITMQ={wanted}: 既不是程序,也不是 newer.sh 建立的目录,也不是 docker · "
            "neither a program, nor a chroot, nor the word docker"
        )
    for server in (wanted, str(_DEBIAN) if _DEBIAN.exists() else None, shutil.which("rabbitmq-server")):
        if server:
            return Local(server, shutil.which("epmd") or str(Path(server).resolve().parent / "epmd"))
    return None


def _epmd(
    command: tuple[str, ...],
    layout: layouts.Layout,
    keys: secrets.Secrets,
    ports: Mapping[str, int],
    env: Mapping[str, str],
) -> process.Program:
    port = ports["epmd"]
    return process.Program(
        name="epmd",
        argv=(*command, "-address", loopback.LOOPBACK, "-port", str(port), "-relaxed_command_check"),
        env={**env, "HOME": str(layout.rabbitmq)},
        cwd=layout.root,
        log=layout.log("epmd"),
        ready=lambda: asyncio.to_thread(loopback.is_open, port),
        before=lambda: asyncio.to_thread(rabbitmq_folder.prepare, layout, keys, ports, loopback.LOOPBACK),
        stop_timeout_s=5,
        kind="infra",
        port=port,
    )


def _node(
    command: tuple[str, ...], layout: layouts.Layout, ports: Mapping[str, int], env: Mapping[str, str]
) -> process.Program:
    port = ports["amqp"]
    return process.Program(
        name="rabbitmq",
        argv=command,
        env=env,
        cwd=layout.rabbitmq,
        log=layout.log("rabbitmq"),
        before=lambda: asyncio.to_thread(rabbitmq_folder.begin_anew_if_unsettled, layout),
        ready=lambda: rabbitmq_folder.answers(port),
        stop_timeout_s=30,
        kind="infra",
        url=f"amqp://{loopback.LOOPBACK}:{port}/",
        port=port,
    )


def _environment(layout: layouts.Layout, ports: Mapping[str, int]) -> dict[str, str]:
    folder = layout.rabbitmq
    return {
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(ports["epmd"]),
        "ERL_EPMD_ADDRESS": loopback.LOOPBACK,
        "ERL_CRASH_DUMP": str(folder / "erl_crash.dump"),
        "RABBITMQ_NODENAME": rabbitmq_folder.NODE,
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
