"""Station programs forked from a process that has their libraries loaded: a test is about the desk, not imports.

What runs is `python -m station`, as a process of its own that can be killed like any other; only its imports are done.
Where processes cannot be forked it is started anew each time.
"""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import context
from pathlib import Path
from typing import Protocol

PROJECT = Path(__file__).parents[3]
_PRELOADED = "tests.integration.station.loaded"


class Process(Protocol):
    """The part of `subprocess.Popen` that a test needs."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def kill(self) -> None: ...

    def terminate(self) -> None: ...


def begin(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Process:
    """Start `python -m station` with these arguments; what it prints is added to `log`."""
    if sys.platform == "win32":
        with log.open("ab") as file:
            line = [sys.executable, "-m", "station", *arguments]
            return subprocess.Popen(line, cwd=PROJECT, env=dict(environment), stdout=file, stderr=file)
    return _Forked(arguments, environment, log)


class _Forked:
    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        told = (list(arguments), dict(environment), str(log))
        # A daemon: it dies with the tests, should they forget it.
        self._process = _server().Process(target=_be_a_station, args=told, daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("station", timeout or 0.0)
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()

    def terminate(self) -> None:
        self._process.terminate()


def _server() -> context.ForkServerContext:
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([_PRELOADED])
    return server


def _be_a_station(arguments: list[str], environment: dict[str, str], log: str) -> None:
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(target, number)
    os.close(target)
    os.chdir(PROJECT)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["station", *arguments]
    from station.__main__ import main

    sys.exit(main())
