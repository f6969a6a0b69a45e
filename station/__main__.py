"""`python -m station enrol|run`: what a supervisor starts. For people there is `./gradphoto station`."""

import argparse
import asyncio
import sys
from pathlib import Path

from kit import logs, messages
from kit.errors import Problem
from station import enrolment, settings


def main() -> int:
    """Parse, act, and say a problem in two sentences instead of a traceback."""
    arguments = _arguments()
    config = settings.Settings()
    chosen = {name: value for name in settings.Devices.model_fields if (value := getattr(arguments, name))}
    logs.configure("station", config.log_level)
    try:
        if arguments.act == "run":
            from station import app  # what a day's work needs takes seconds to import

            return asyncio.run(app.run(arguments.dir, config, chosen))
        directory = settings.Directory(arguments.dir)
        devices = settings.Devices(**chosen)
        asyncio.run(enrolment.enrol(directory, config, arguments.server, arguments.code, devices))
    except Problem as problem:
        print(explained(problem), file=sys.stderr)
        return 2
    return 0


def explained(problem: Problem) -> str:
    """A problem in both languages; one of a newer server, whose words we lack, by its code."""
    try:
        return "\n".join(messages.render(problem.code, problem.params))
    except messages.UnknownCode:
        return str(problem)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m station")
    acts = parser.add_subparsers(dest="act", required=True)
    running = acts.add_parser("run", help="运行采集台站 run the station")
    enrolling = acts.add_parser("enrol", help="用一次性登记码登记 enrol with a one-time code")
    for act in (running, enrolling):
        act.add_argument("--dir", type=Path, required=True, help="台站目录 the station's directory")
        act.add_argument("--camera", help="virtual | virtual-24mp | simulated | gphoto2[:PORT] | hotfolder:PATH")
        act.add_argument("--reader", help="none | serial:PORT")
        act.add_argument("--printer", help="none | tcp:HOST[:PORT] | serial:PORT[@BAUD] | device:PATH | queue:NAME")
    enrolling.add_argument("--server", required=True, help="capture 服务地址 address of the capture service")
    enrolling.add_argument("--code", required=True, help="一次性登记码 one-time code")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
