"""What every broker of the embedded stack is given: its folder, with its configuration, and what is known of it."""

import asyncio
import os
import shutil
import string
from collections.abc import Mapping
from pathlib import Path

from cli.stack import layout as layouts
from cli.stack import ports as loopback
from cli.stack import process, secrets
from kit import topology

NODE = "gradphoto@localhost"
# Both cost four seconds at each start and five at each end, so they are on only by GRADPHOTO_RABBITMQ_MANAGEMENT=1.
PLUGINS = {True: "[rabbitmq_management,rabbitmq_prometheus].\n", False: "[].\n"}
DEPLOY = layouts.PROJECT / "deploy" / "rabbitmq"
#: RabbitMQ 3.10 writes down that it has streams at all up to three seconds after it confirmed the first one (the delay
#: of Erlang's dets): killed before that, it calls the stream "down or inaccessible" for ever. docs/decisions/0011.
_SETTLE_S = 4.0


def managed() -> bool:
    """True if the user wants RabbitMQ's own pages and figures."""
    return os.environ.get("GRADPHOTO_RABBITMQ_MANAGEMENT") == "1"


def prepare(layout: layouts.Layout, keys: secrets.Secrets, ports: Mapping[str, int], interface: str) -> None:
    """Write configuration, plugins and cookie; `interface` is the address on which clients are to be served."""
    folder = layout.rabbitmq
    folder.mkdir(mode=0o700, exist_ok=True)
    template = string.Template((DEPLOY / "embedded.conf").read_text("utf-8"))
    text = template.substitute(
        INTERFACE=interface,
        AMQP=ports["amqp"],
        MANAGEMENT=ports["rabbitmq-management"],
        PROMETHEUS=ports["rabbitmq-prometheus"],
        USER=keys.amqp_user,
        PASSWORD=keys.amqp_password,
    )
    layouts.write_atomically(folder / "enabled_plugins", PLUGINS[managed()])
    lines = [line for line in text.splitlines() if managed() or not line.startswith(("management.", "prometheus."))]
    layouts.write_atomically(folder / "rabbitmq.conf", "\n".join(lines) + "\n", mode=0o600)
    layouts.write_atomically(folder / ".erlang.cookie", keys.erlang_cookie, mode=0o400)


def begin_anew_if_unsettled(layout: layouts.Layout) -> None:
    """Before each start: a node that died before it was settled begins with an empty directory."""
    data = layout.rabbitmq / "data"
    if _unsettled(layout).exists():
        shutil.rmtree(data, ignore_errors=True)
    if not data.exists():
        _unsettled(layout).touch()


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


async def answers(port: int, host: str = loopback.LOOPBACK) -> bool:
    """True once the broker greets an AMQP client: it opens its listeners last, when vhosts and queues are recovered."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(b"AMQP\x00\x00\x09\x01")
        await writer.drain()
        return (await reader.read(1)) == b"\x01"
    finally:
        writer.close()


def _unsettled(layout: layouts.Layout) -> Path:
    return layout.rabbitmq / "unsettled"
