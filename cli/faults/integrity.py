"""After every fault: each journalled frame is on the server exactly once, hash-equal.

A check that sees nothing would pass too: so each comparison is made again with losses planted in what server and store
answer, one at a time, and must find each.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.faults.agents import Desk
from cli.faults.hall import Hall
from kit import errors

_AT_ONCE = 8
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Found:
    """How many frames were looked at, what is wrong with them, and which planted losses were found and which not."""

    frames: int
    wrong: tuple[str, ...]
    planted: tuple[str, ...]
    unseen: tuple[str, ...]


async def compare(hall: Hall, desk: Desk, kept: Mapping[str, int] | None = None) -> Found:
    """The desk's journal against capture's rows and the store's bytes; `kept`: capture id → place of who sat there."""
    journalled = await desk.journal()
    stored = await hall.rows()
    whose = {key: str(hall.student_ids[place]) for key, place in (kept or {}).items()}
    wrong = _differences(desk.station_id, journalled, stored, whose)
    wrong += await _bytes(hall, sorted({row["sha256"] for row in journalled}))
    wrong += await _camera(desk, len(journalled))
    planted = await _planted(hall, desk.station_id, journalled, stored, whose)
    seen, unseen = ([loss for loss, found in planted if bool(found) is wanted] for wanted in (True, False))
    return Found(len(journalled), tuple(wrong), tuple(seen), tuple(unseen))


def _differences(station_id: str, journalled: Rows, stored: Rows, whose: Mapping[str, str]) -> list[str]:
    """The journal against the server's rows of all stations; `whose`: capture id → who sat there."""
    here = Counter(row["capture_id"] for row in journalled)
    there = Counter(row["capture_id"] for row in stored)
    rows = {row["capture_id"]: row for row in stored}
    own = [row["capture_id"] for row in stored if row["station_id"] == station_id]
    wrong = [f"日志重复 twice in the journal {key}" for key, count in here.items() if count > 1]
    wrong += [f"服务器没有 not on the server {key}" for key in here if not there[key]]
    wrong += [f"服务器重复 {there[key]} times on the server {key}" for key in here if there[key] > 1]
    wrong += [f"日志没有 not in the journal {key}" for key in own if key not in here]
    wrong += [
        f"哈希不符 other hash {row['capture_id']}"
        for row in journalled
        if there[row["capture_id"]] and rows[row["capture_id"]]["sha256"] != row["sha256"]
    ]
    return wrong + [
        f"不是本人 not of who sat {key}"
        for key, student in whose.items()
        if not there[key] or rows[key]["student_id"] != student
    ]


async def _planted(
    hall: Hall, station_id: str, journalled: Rows, stored: Rows, whose: Mapping[str, str]
) -> list[tuple[str, list[str]]]:
    """Each planted loss with what the check says of it that it does not say without."""
    own = {row["capture_id"] for row in journalled}
    key = next((row["capture_id"] for row in stored if row["capture_id"] in own), None)
    if key is None:
        return []
    one = [row for row in stored if row["capture_id"] == key]
    rest = [row for row in stored if row["capture_id"] != key]
    nowhere = hashlib.sha256(key.encode()).hexdigest()
    answers: list[tuple[str, Rows]] = [
        ("少一张 a frame taken away", rest),
        ("多一张 a frame there twice", [*stored, *one]),
        ("换了内容 another hash", [*rest, *({**row, "sha256": nowhere} for row in one)]),
    ]
    if key in whose:
        answers.append(("换了人 another student", [*rest, *({**row, "student_id": station_id} for row in one)]))
    known = set(_differences(station_id, journalled, stored, whose))
    found = [(loss, [*{*_differences(station_id, journalled, rows, whose)} - known]) for loss, rows in answers]
    return [*found, ("存储少一张 not in the store", await _bytes(hall, [nowhere]))]


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
