"""Captures per second from desk verdict to acceptance, beside the floor: the same bytes PUT, and one decode each."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import cv2
import httpx
import numpy as np

from cli import scenario as scenarios
from cli.bench.figures import Figure, Stopwatch
from cli.demo import population, school
from cli.stack.stack import Stack
from gradphoto_contracts import ids
from kit import clock as clocks
from kit import crypto, objects
from kit import ids as kit_ids
from photospec import inspection, profiles
from station import server, timekeeping
from station.cameras import portraits

CAPTURES = 120
_AT_ONCE = 4
#: The plan's first desk, by scheduler's numbering.
_DESK = "A01"


@dataclass(frozen=True)
class Shot:
    """One frame, ready in memory: drawing it is not what is measured."""

    number: int
    capture_id: ids.CaptureId
    student_id: str
    jpeg: bytes
    sha256: str


async def measure(stack: Stack, folder: Path) -> list[Figure]:
    """Desk inspection, upload, requests, the server's own inspection and composition, acceptance."""
    cv2.setNumThreads(1)
    people = school.School(stack, _scenario(), heal=None)
    station = await _station(stack, people, folder)
    shots = await asyncio.to_thread(_shots, list(people.ids.values()))
    ours, floor = Stopwatch(), Stopwatch()
    store = objects.Objects(stack.urls()["S3_URL"])
    with floor.turn():
        keys = await _floor(store, shots)
    # Else the next audit of the stack would call them orphans.
    await asyncio.gather(*(store.remove(key) for key in keys))
    with ours.turn():
        await _each(shots, lambda shot: _capture(station, shot))
        await _accepted(people, len(shots))
    await station.close()
    await people.close()
    rate = [len(shots) / watch.median_s for watch in (ours, floor)]
    told = "同样字节 PUT 加一次解码 the same bytes PUT, one decode each"
    return [Figure("captures end to end", "采集全程", "captures/s", rate[0], rate[1], told)]


def _scenario() -> scenarios.Scenario:
    scenario = scenarios.load("xinjiang-2024")
    told = scenario.campaign.model_copy(update={"code": f"bench-{uuid4().hex[:8]}"})
    return scenario.model_copy(update={"campaign": told})


async def _station(stack: Stack, people: school.School, folder: Path) -> server.Server:
    """A campaign with a roster and a plan, and one enrolled station."""
    students = population.draw_up(people.scenario, people.scenario.cut_to(CAPTURES), seed=1)
    workbook = folder / "bench.xlsx"
    await asyncio.to_thread(population.write_workbook, workbook, students)
    await people.open_campaign()
    await people.import_roster(workbook)
    await people.learn_ids()
    plan = await people.publish_plan({s.label for s in students})
    body = {"campaign_id": people.campaign_id, "desk_id": plan["desks"][0]["desk_id"], "label": "bench"}
    invited = await people.doors["capture"].post_once_known("/v1/stations", body)
    private, public = crypto.new_key()
    time_ = timekeeping.StationClock(clocks.SystemClock(), folder / "skew.json")
    station = server.Server(stack.url("capture"), UUID(invited["station_id"]), private, time_)
    await station.enrol(invited["enrolment_code"], public)
    return station


def _shots(student_ids: Sequence[str]) -> list[Shot]:
    return [_shot(seed, student_id) for seed, student_id in enumerate(student_ids[:CAPTURES])]


def _shot(seed: int, student_id: str) -> Shot:
    jpeg = portraits.draw(seed)
    return Shot(seed + 1, ids.CaptureId(kit_ids.new()), student_id, jpeg, hashlib.sha256(jpeg).hexdigest())


async def _each(shots: Sequence[Shot], act: Callable[[Shot], Awaitable[None]]) -> None:
    hands = asyncio.Semaphore(_AT_ONCE)

    async def one(shot: Shot) -> None:
        async with hands:
            await act(shot)

    await asyncio.gather(*(one(shot) for shot in shots))


async def _capture(station: server.Server, shot: Shot) -> None:
    report = await asyncio.to_thread(inspection.inspect, shot.jpeg, profiles.load("chsi-2017-99"))
    checkin_id, ticket = kit_ids.new(), f"{_DESK}-{shot.number:04d}"
    now = datetime.now(UTC).isoformat()
    arrival = {"student_id": shot.student_id, "ticket": ticket, "checked_in_at": now}
    await station.put(f"/v1/checkins/{checkin_id}", arrival)
    place = await station.ask_upload(shot.capture_id, shot.sha256, len(shot.jpeg))
    if not place.exists:
        await station.upload(place.url, shot.jpeg)
    body: dict[str, Any] = {
        "student_id": shot.student_id,
        "checkin_id": str(checkin_id),
        "ticket": ticket,
        "sha256": shot.sha256,
        "size_bytes": len(shot.jpeg),
        "shutter_at": now,
        "decision": "keep",
        "camera_serial": "bench",
        "frame_counter": 1,
        "monotonic_ns": time.monotonic_ns(),
        "desk_verdict": report.verdict,
        "desk_rules": list(report.reasons),
    }
    await station.put(f"/v1/captures/{shot.capture_id}", body)


async def _accepted(people: school.School, captures: int) -> None:
    path = f"/v1/campaigns/{people.campaign_id}/photos"
    while len([row async for row in people.doors["capture"].pages(path)]) < captures:  # noqa: ASYNC110 - a door
        await asyncio.sleep(0.1)


async def _floor(store: objects.Objects, shots: Sequence[Shot]) -> list[str]:
    keys = {shot.capture_id: f"bench/{kit_ids.new()}/{shot.sha256}.jpg" for shot in shots}
    async with httpx.AsyncClient(trust_env=False) as client:

        async def put_and_decode(shot: Shot) -> None:
            url = await store.presign_put(keys[shot.capture_id], 600)
            (await client.put(url, content=shot.jpeg)).raise_for_status()
            await asyncio.to_thread(cv2.imdecode, np.frombuffer(shot.jpeg, np.uint8), cv2.IMREAD_COLOR)

        await _each(shots, put_and_decode)
    return list(keys.values())
