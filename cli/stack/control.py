"""How others talk to a running supervisor: one JSON line each way over loopback TCP, with the stack's own key."""

import json
import socket
from typing import Any

from cli.stack import layout as layouts
from cli.stack import ports, process, secrets


class NotRunning(Exception):
    """该目录没有运行中的系统,请先 ./gradphoto up · no stack runs in this directory, say ./gradphoto up first"""

    def __str__(self) -> str:
        return self.args[0] if self.args else (self.__doc__ or "")


class Refused(Exception):
    """The supervisor could not do what was asked; the text says why."""


def supervisor_alive(state: dict[str, Any]) -> bool:
    """True if the supervisor that wrote the state still runs."""
    own = state.get("supervisor") or {}
    return process.alive(int(own.get("pid", 0)), float(own.get("created", 0.0)))


def ask(layout: layouts.Layout, what: str, timeout_s: float = 120.0, **arguments: Any) -> dict[str, Any]:
    """Send one request and return the answer. NotRunning without a supervisor; Refused if it says no."""
    state = layout.read_state()
    if not supervisor_alive(state):
        raise NotRunning
    request: dict[str, Any] = {"key": secrets.load(layout.secrets).control, "do": what, **arguments}
    try:
        answer = _exchange(int(state["ports"]["control"]), request, timeout_s)
    except (ConnectionError, json.JSONDecodeError) as error:
        raise NotRunning from error
    if "error" in answer:
        raise Refused(answer["error"])
    return answer


def _exchange(port: int, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    with socket.create_connection((ports.LOOPBACK, port), timeout=timeout_s) as connection:
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as stream:
            answer: dict[str, Any] = json.loads(stream.readline())
    return answer
