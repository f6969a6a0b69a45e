"""The services as supervised processes: `python -m services.<name> migrate`, then `serve`."""

import asyncio
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping

from cli.stack import layout as layouts
from cli.stack import ports as loopback
from cli.stack import process


def program(layout: layouts.Layout, service: str, port: int, env: Mapping[str, str]) -> process.Program:
    """A service counts as up when it answers /readyz, so with its database, bus and store."""
    url = f"http://{loopback.LOOPBACK}:{port}"
    return process.Program(
        name=service,
        argv=(sys.executable, "-m", f"services.{service}", "serve"),
        env=env,
        cwd=layouts.PROJECT,
        log=layout.log(service),
        ready=lambda: asyncio.to_thread(answers, f"{url}/readyz"),
        kind="service",
        url=url,
        port=port,
    )


async def migrate(layout: layouts.Layout, service: str, env: Mapping[str, str]) -> None:
    """Bring the service's schema up to date; PartFailed with the end of its log if that fails."""
    with layout.log(service).open("ab") as log:
        running = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"services.{service}",
            "migrate",
            env=dict(env),
            cwd=layouts.PROJECT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            code = await running.wait()
        except asyncio.CancelledError:
            running.kill()
            raise
    if code:
        tail = layouts.log_tail(layout.log(service))
        raise process.PartFailed(f"{service} migrate: exit {code}\n{tail}")


def answers(url: str, timeout_s: float = 3.0) -> bool:
    """True if a GET is answered with 200. Loopback only, so no proxy is asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_s) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False
