"""Free loopback ports, kept from one start to the next where they are still free."""

import random
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below Linux's usual range for outgoing connections, so that no other program's client sits on one by chance.
LOWEST, HIGHEST = 15000, 32000


def choose(names: Iterable[str], yesterday: Mapping[str, int]) -> dict[str, int]:
    """A free port for each name; yesterday's if it is free. No port is given twice."""
    chosen: dict[str, int] = {}
    for name in names:
        taken = set(chosen.values())
        old = yesterday.get(name)
        chosen[name] = old if old and old not in taken and is_free(old) else _draw(taken)
    return chosen


def is_free(port: int) -> bool:
    """True if a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def is_open(port: int, timeout_s: float = 0.5) -> bool:
    """True if somebody listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(timeout_s)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _draw(taken: set[int]) -> int:
    low, high = LOWEST, min(HIGHEST, _first_outgoing_port() - 1)
    for _ in range(1000):
        port = random.randint(low, high)
        if port not in taken and is_free(port):
            return port
    raise OSError(f"找不到空闲端口 {low}-{high} · no free port between {low} and {high}")


def _first_outgoing_port() -> int:
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    except OSError:
        return HIGHEST + 1
    return first if first > LOWEST + 1000 else HIGHEST + 1
