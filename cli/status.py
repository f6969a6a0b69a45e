"""`gradphoto status`: each part, whether it answers, and how often it had to be restarted."""

import concurrent.futures
import json
import time
from typing import Annotated, Any

import rich.table
import typer

from cli import screen
from cli.stack import stack as stacks
from cli.stack.parts import services

_COLOURS = {"ready": "green", "starting": "yellow", "restarting": "yellow", "stopped": "dim"}


def status(
    directory: screen.Dir = None,
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 · for programs.")] = False,
) -> None:
    """各部件状态 · State of each part. Exit status 1 unless everything is ready."""
    stack = stacks.Stack.at(directory)
    found = report(stack)
    if as_json:
        screen.console.print_json(json.dumps(found, ensure_ascii=False))
    else:
        _show(found)
    if not found["ready"]:
        raise typer.Exit(1)


def report(stack: stacks.Stack) -> dict[str, Any]:
    """What `--json` prints: dir, phase, ready; of each part state, pid, restarts, last_exit, url, live, ready_now."""
    state = stack.state()
    parts: dict[str, dict[str, Any]] = state.get("parts", {})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for part, answer in zip(parts.values(), pool.map(_probe, parts.values()), strict=True):
            part.update(answer)
    ready = state.get("phase") == "ready" and all(_well(part) for part in parts.values())
    return {
        "dir": str(stack.layout.root),
        "phase": state.get("phase", "never started"),
        "ready": ready,
        "error": state.get("error", ""),
        "given": state.get("given", []),
        "parts": parts,
    }


def _probe(part: dict[str, Any]) -> dict[str, bool]:
    if part["kind"] != "service" or not part["pid"]:
        return {}
    answers = {}
    for key, path in (("live", "/healthz"), ("ready_now", "/readyz")):
        try:
            answers[key] = services.answers(part["url"] + path)
        except OSError:
            answers[key] = False
    return answers


def _well(part: dict[str, Any]) -> bool:
    return bool(part["state"] == "ready" and part.get("ready_now", True))


def _show(found: dict[str, Any]) -> None:
    table = rich.table.Table(
        "部件 part", "状态 state", "pid", "重启 restarts", "上次结束 last exit", "已运行 for", "地址 URL"
    )
    for name, part in found["parts"].items():
        state = part["state"] if part.get("ready_now", True) or part["state"] != "ready" else "not ready"
        colour = _COLOURS.get(state, "red")
        lasted = f"{time.time() - part['since']:.0f} s" if part["since"] else ""
        cells = (str(part["pid"] or ""), str(part["restarts"]), part["last_exit"][:40], lasted, part["url"])
        table.add_row(name, f"[{colour}]{screen.plain(state)}[/{colour}]", *map(screen.plain, cells))
    screen.console.print(f"{found['dir']}: {found['phase']}", markup=False)
    screen.console.print(table)
    if found["error"]:
        screen.errors.print(found["error"], style="red", markup=False)
