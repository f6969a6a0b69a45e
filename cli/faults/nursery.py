"""`python -m cli.faults.nursery`: has a station agent's libraries loaded and forks agents, so that a thousand can die.

What it forks is the agent that `python -m station run` is, in a process of its own; only its imports are done already.
It obeys lines of JSON on standard input, as `agents.Nursery.bear` writes them, and answers each with the process id. It
ends with its input, and its agents with it.
"""

import asyncio
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import cv2

from cli.faults import pictures, weakened
from kit import logs
from photospec import inspection, profiles
from station import app, enrolment, settings
from station.cameras import portraits, virtual

#: Loaded here, once, and not in each agent.
LOADED = (portraits, virtual)


def main() -> None:
    """Fork until the input ends."""
    cv2.setNumThreads(1)  # threads do not come along into a fork
    inspection.inspect(pictures.portrait(0), profiles.load(profiles.DEFAULT), stage="capture")  # loads the models
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever ends is gone at once: nobody here waits for it
    agents: list[int] = []
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _be_an_agent(json.loads(line))
        agents.append(pid)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    for pid in agents:
        _kill(pid)


def _be_an_agent(order: dict[str, Any]) -> None:
    status = 70
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, nothing), (1, log), (2, log)):
            os.dup2(source, target)
        for name in [name for name in os.environ if name.startswith("GRADPHOTO_")]:
            del os.environ[name]
        os.environ.update(order["environment"])
        if order["limit_bytes"]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["limit_bytes"], resource.RLIM_INFINITY))
        for guard in order["without"]:
            weakened.GUARDS[guard]()
        config = settings.Settings()
        logs.configure("station", config.log_level)
        status = asyncio.run(_work(Path(order["dir"]), config, order["enrolment"]))
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        os._exit(status)


async def _work(folder: Path, config: settings.Settings, enrol: dict[str, str] | None) -> int:
    if enrol is None:
        return await app.run(folder, config)
    devices = settings.Devices(camera=enrol["camera"], reader=enrol["reader"], printer=enrol["printer"])
    await enrolment.enrol(settings.Directory(folder), config, enrol["url"], enrol["code"], devices)
    return 0


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    main()
