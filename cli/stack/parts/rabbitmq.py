"""RabbitMQ of the embedded stack: found on the machine, or installed as root on Debian and Ubuntu, or run by Docker."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from cli.stack import ports as loopback
from cli.stack import process, secrets
from cli.stack.parts import rabbitmq_docker, rabbitmq_local

PORTS = ("amqp", "amqp-distribution", "epmd", "rabbitmq-management", "rabbitmq-prometheus")
#: What GRADPHOTO_RABBITMQ says to have a container, also where a broker is installed.
DOCKER = "docker"
_REMEDY = (
    "找不到 RabbitMQ:请安装 rabbitmq-server,或启动 Docker,或设置 GRADPHOTO_AMQP_URL · "
    "no RabbitMQ: install rabbitmq-server, or start Docker, or set GRADPHOTO_AMQP_URL"
)
_POLICY = Path("/usr/sbin/policy-rc.d")

Broker = rabbitmq_local.Local | rabbitmq_docker.Container


def find(env: Mapping[str, str]) -> Broker | None:
    """What `GRADPHOTO_RABBITMQ` names, else a server of this machine, else Docker where nothing may be installed."""
    wanted = env.get("GRADPHOTO_RABBITMQ", "")
    if wanted == DOCKER:
        return rabbitmq_docker.find(env)
    return rabbitmq_local.find(wanted) or (None if may_install() else rabbitmq_docker.find(env))


def find_or_install(env: Mapping[str, str], say: Callable[[str], None]) -> Broker:
    """As `find`, and made ready to start: the system's package installed, or the image pulled. PartFailed otherwise."""
    found = find(env)
    if found is None and may_install() and env.get("GRADPHOTO_RABBITMQ") != DOCKER:
        say("apt-get install rabbitmq-server:各服务之间的消息总线 · the message bus between the services (about 90 MB)")
        with installing():
            if find(env) is None:
                _install()
        found = find(env)
    if found is None:
        raise process.PartFailed(_REMEDY)
    if isinstance(found, rabbitmq_docker.Container):
        found.fetch(say)
    return found


def describe(broker: Broker) -> str:
    """Where the broker comes from, in a few words."""
    return broker.server if isinstance(broker, rabbitmq_local.Local) else f"docker {broker.image}"


def may_install() -> bool:
    """True on Debian and Ubuntu as root."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def url(keys: secrets.Secrets, port: int) -> str:
    return f"amqp://{keys.amqp_user}:{keys.amqp_password}@{loopback.LOOPBACK}:{port}/"


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
