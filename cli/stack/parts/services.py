"""The services as supervised processes: `python -m services.<name> serve --migrate`."""

import asyncio
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping

from cli.stack import layout as layouts
from cli.stack import ports as loopback
from cli.stack import process


def program(layout: layouts.Layout, service: str, port: int, env: Mapping[str, str]) -> process.Program:
    """A service brings its schema up to date, and counts as up when /readyz answers: with database, bus and store."""
    url = f"http://{loopback.LOOPBACK}:{port}"
    return process.Program(
        name=service,
        argv=(sys.executable, "-m", f"services.{service}", "serve", "--migrate"),
        env=env,
        cwd=layouts.PROJECT,
        log=layout.log(service),
        ready=lambda: asyncio.to_thread(answers, f"{url}/readyz"),
        kind="service",
        url=url,
        port=port,
    )


def answers(url: str, timeout_s: float = 3.0) -> bool:
    """True if a GET is answered with 200. Loopback only, so no proxy is asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_s) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False
