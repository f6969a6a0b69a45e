"""After every fault: each journalled frame is on the server exactly once, hash-equal."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.faults.agents import Desk
from cli.faults.hall import Hall
from kit import errors

_AT_ONCE = 8


@dataclass(frozen=True)
class Found:
    """How many frames were looked at, and what is wrong with them."""

    frames: int
    wrong: tuple[str, ...]


async def compare(hall: Hall, desk: Desk, kept: Mapping[str, int] | None = None) -> Found:
    """The desk's journal against capture's rows and the store's bytes; `kept`: capture id → place of who sat there."""
    journalled = await desk.journal()
    stored = await hall.listed(desk.station_id)
    times = Counter(row["capture_id"] for row in journalled)
    wrong = [f"日志重复 twice in the journal {key}" for key, count in times.items() if count > 1]
    wrong += [f"服务器没有 not on the server {key}" for key in times if key not in stored]
    wrong += [f"日志没有 not in the journal {key}" for key in stored if key not in times]
    wrong += [
        f"哈希不符 other hash {row['capture_id']}"
        for row in journalled
        if row["capture_id"] in stored and stored[row["capture_id"]]["sha256"] != row["sha256"]
    ]
    wrong += await _bytes(hall, sorted({row["sha256"] for row in journalled}))
    wrong += _owners(hall, stored, kept or {})
    wrong += await _camera(desk, len(journalled))
    return Found(len(journalled), tuple(wrong))


async def _bytes(hall: Hall, hashes: list[str]) -> list[str]:
    hands = asyncio.Semaphore(_AT_ONCE)

    async def one(sha256: str) -> str | None:
        async with hands:
            try:
                content = await hall.store.get(f"originals/{hall.campaign_id}/{sha256}.jpg")
            except errors.NotFound:
                return f"存储没有 not in the store {sha256[:12]}"
        if hashlib.sha256(content).hexdigest() != sha256:
            return f"存储内容不符 other bytes in the store {sha256[:12]}"
        return None

    return [wrong for wrong in await asyncio.gather(*map(one, hashes)) if wrong]


def _owners(hall: Hall, stored: Mapping[str, Mapping[str, Any]], kept: Mapping[str, int]) -> list[str]:
    """Each kept frame is the one student's who sat there."""
    whose = {key: str(hall.student_ids[place]) for key, place in kept.items()}
    return [
        f"不是本人 not of who sat {key}"
        for key, student in whose.items()
        if key not in stored or stored[key]["student_id"] != student
    ]


async def _camera(desk: Desk, journalled: int) -> list[str]:
    """No frame that the camera took is missing from the journal: its own count says so at the seal."""
    seal = await desk.post("/v1/sessions/seal")
    if seal.get("balanced"):
        return []
    counts = f"{seal['camera_frames']} / {journalled} / {seal.get('stored_frames')}"
    differs = ", ".join(
        f"{one['kind']} {one.get('frame_counter') or ''}".strip() for one in seal.get("differences", ())
    )
    return [f"相机、日志、服务器数目不一 camera, journal and server differ: {counts}; {differs}"]
