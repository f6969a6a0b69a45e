"""RabbitMQ in a container, for an ordinary user who has Docker and no broker.

The container is one process of the stack: `docker run` in the foreground passes signals on to it, and what a killed
client leaves running is removed before anything starts again. Its data lie in the stack's directory, under the user's
own name, so that `down`, `up` and `rm -r` mean what they always mean.
"""

import asyncio
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cli.stack import layout as layouts
from cli.stack import ports as loopback
from cli.stack import process, secrets
from cli.stack.parts import rabbitmq_folder

IMAGE = "rabbitmq:4.3"
_HOME = "/var/lib/rabbitmq"
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - inside the container; Docker publishes it on loopback alone
_ASK_S = 15.0


@dataclass(frozen=True, slots=True)
class Container:
    """A broker that Docker runs from `image`; `rootless` where root in the container is the user outside."""

    docker: str
    image: str
    rootless: bool = False

    def programs(
        self, layout: layouts.Layout, keys: secrets.Secrets, ports: Mapping[str, int], env: Mapping[str, str]
    ) -> tuple[process.Program, ...]:
        """The node alone: it brings its own port mapper, which ends with the container."""
        port = ports["amqp"]
        remove = (self.docker, "rm", "--force", name(layout))

        def before() -> None:
            process.clear_up(remove, ())
            rabbitmq_folder.prepare(layout, keys, ports, _EVERYWHERE)
            rabbitmq_folder.begin_anew_if_unsettled(layout)

        return (
            process.Program(
                name="rabbitmq",
                argv=(self.docker, "run", "--rm", "--name", name(layout), *self._arguments(layout, ports)),
                env={**env, **_client_environment()},
                cwd=layout.root,
                log=layout.log("rabbitmq"),
                before=lambda: asyncio.to_thread(before),
                ready=lambda: rabbitmq_folder.answers(port),
                stop_timeout_s=30,
                clear_up=remove,
                kind="infra",
                url=f"amqp://{loopback.LOOPBACK}:{port}/",
                port=port,
            ),
        )

    def fetch(self, say: Callable[[str], None]) -> None:
        """Pull the image if it is not here yet, saying so. PartFailed with a remedy if that fails."""
        if _ask(self.docker, "image", "inspect", self.image).returncode == 0:
            return
        say(f"docker pull {self.image}:各服务之间的消息总线 · the message bus between the services (about 110 MB)")
        done = subprocess.run([self.docker, "pull", "--quiet", self.image], capture_output=True, text=True, check=False)
        if done.returncode:
            raise process.PartFailed(
                f"docker pull {self.image}: {done.stderr.strip()[-300:]}\n"
                "无法取得镜像。请用 GRADPHOTO_RABBITMQ_IMAGE 指定可用的镜像(如校内镜像站),或安装 rabbitmq-server · "
                "no image: name one within reach by GRADPHOTO_RABBITMQ_IMAGE, or install rabbitmq-server"
            )

    def _arguments(self, layout: layouts.Layout, ports: Mapping[str, int]) -> tuple[str, ...]:
        owner = "0:0" if self.rootless else f"{os.getuid()}:{os.getgid()}"
        shown = ("amqp", *(("rabbitmq-management", "rabbitmq-prometheus") if rabbitmq_folder.managed() else ()))
        published = [f"--publish={loopback.LOOPBACK}:{ports[each]}:{ports[each]}" for each in shown]
        settings = [f"--env={key}={value}" for key, value in _environment().items()]
        return (
            "--user",
            owner,
            # A name of its own in the data directory would change with each container.
            "--hostname=localhost",
            # With Docker's own limit, often a million, Erlang reserves memory for as many files; engines may allow few.
            "--ulimit=nofile=4096:4096",
            f"--volume={layout.rabbitmq}:{_HOME}",
            *published,
            *settings,
            "--entrypoint=rabbitmq-server",
            self.image,
        )


def find(env: Mapping[str, str]) -> Container | None:
    """Docker, if it is on PATH and its engine answers this user. The image: GRADPHOTO_RABBITMQ_IMAGE or `IMAGE`."""
    docker = shutil.which("docker")
    if docker is None:
        return None
    asked = _ask(docker, "info", "--format", "{{.SecurityOptions}}")
    if asked.returncode:
        return None
    return Container(docker, env.get("GRADPHOTO_RABBITMQ_IMAGE") or IMAGE, "rootless" in asked.stdout)


def name(layout: layouts.Layout) -> str:
    """One name a state directory, so that two stacks run side by side and each finds its own again."""
    return f"gradphoto-rabbitmq-{hashlib.sha256(os.fsencode(layout.root.resolve())).hexdigest()[:12]}"


def _environment() -> dict[str, str]:
    return {
        "HOME": _HOME,
        "RABBITMQ_NODENAME": rabbitmq_folder.NODE,
        "RABBITMQ_CONFIG_FILE": f"{_HOME}/rabbitmq.conf",
        "RABBITMQ_MNESIA_BASE": f"{_HOME}/data",
        "RABBITMQ_LOG_BASE": f"{_HOME}/log",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{_HOME}/enabled_plugins",
    }


def _client_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key.startswith("DOCKER_")}


def _ask(docker: str, *words: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run([docker, *words], capture_output=True, text=True, check=False, timeout=_ASK_S)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 1, "", "")
