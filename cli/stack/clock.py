"""The clock file of the embedded stack: simulated time as an offset and a speed from one real moment."""

import json
import time
from pathlib import Path

from cli.stack import layout


def now(path: Path) -> float:
    """Seconds since 1970 by the clock file; the system's time if there is none."""
    real = time.time()
    try:
        setting = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return real
    return float(setting["simulated_epoch"] + (real - setting["real_epoch"]) * setting["speed"])


def set_to(path: Path, simulated_epoch: float, speed: float = 1.0) -> None:
    """From this moment on the stack's time is the given one and runs `speed` times as fast as real time."""
    if speed <= 0:
        raise ValueError("speed > 0")
    setting = {"real_epoch": time.time(), "simulated_epoch": simulated_epoch, "speed": speed}
    layout.write_atomically(path, json.dumps(setting))


def reset(path: Path) -> None:
    """Back to the system's time. The file stays: services follow it and must find it."""
    moment = time.time()
    setting = {"real_epoch": moment, "simulated_epoch": moment, "speed": 1.0}
    layout.write_atomically(path, json.dumps(setting))
