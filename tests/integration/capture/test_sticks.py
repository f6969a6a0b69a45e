"""A desk that died with work on its disk: a real agent is killed, its work carried on a stick to the real capture."""

import asyncio
import contextlib
import functools
import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from gradphoto_contracts import ids, roster
from kit import boxes, crypto, documents
from kit.errors import Problem
from services.capture import store
from services.capture.store import images
from station import exporting, importing, journal, settings
from tests.integration.capture.conftest import CODE_KEY, Capture
from tests.integration.capture.served import Served, serving
from tests.integration.station.desk import Station

T = TypeVar("T")
#: As every picture of the virtual camera begins: longer than chance brings forth in what is encrypted.
PICTURE = b"\xff\xd8\xff\xfe\x00\x14virtual-"


@pytest.fixture
async def served(capture: Capture) -> AsyncIterator[Served]:
    """The whole web door of capture over HTTP, on the real database and store."""
    async with serving(capture) as door:
        yield door


@contextlib.asynccontextmanager
async def desk_of(served: Served, folder: Path, students: int) -> AsyncIterator[Station]:
    """A real agent, enrolled with the real server, for students whose codes are `scan-<n>`."""
    capture = served.capture
    for place in range(students):
        student_id = await capture.enrol_student(place + 1)
        digest = crypto.code_digest(CODE_KEY, capture.campaign_id, "capture_code", f"scan-{place}")
        await capture.hear(
            roster.CodeRegisteredV1(
                student_id=student_id,
                campaign_id=capture.campaign_id,
                mode="capture_code",
                digest=digest,
                version=1,
            )
        )
    invitation = {"campaign_id": str(capture.campaign_id), "desk_id": str(capture.desk_id), "label": "笔记本"}
    invited = await served.ask("POST", "/v1/stations", invitation)
    station = Station(folder, served.url)
    enrolled = await asyncio.to_thread(
        station.run_to_end, "enrol", "--server", served.url, "--code", invited["enrolment_code"], "--camera", "virtual"
    )
    assert enrolled.returncode == 0, enrolled.stderr.decode()
    await asyncio.to_thread(station.start)
    try:
        yield station
    finally:
        station.client.close()
        if station.process is not None and station.process.poll() is None:
            station.kill()


async def in_thread(act: Callable[[], T]) -> T:
    return await asyncio.to_thread(act)


def shoot_undecided(station: Station, place: int) -> None:
    ticket = station.post("/v1/checkins", {"scan": f"scan-{place}"})["ticket"]
    station.post("/v1/seat", {"ticket": ticket})
    station.sit_down(place)
    station.post("/v1/shutter")


async def dead_desk(served: Served, station: Station, stick: Path) -> exporting.Exported:
    """One photo with the server, two and one undecided on the disk; the agent killed, its disk exported."""
    await in_thread(lambda: station.photograph(0))
    await in_thread(station.drained)
    await in_thread(lambda: station.post("/v1/network", {"online": False}))
    for place in (1, 2):
        await in_thread(functools.partial(station.photograph, place))
    await in_thread(lambda: shoot_undecided(station, 3))
    await in_thread(station.kill)
    return await exporting.export(settings.Directory(station.directory), stick)


def damaged_copy(folder: Path, copy: Path) -> tuple[str, str]:
    """A copy of the stick with one frame altered and one message gone: their names."""
    shutil.copytree(folder, copy)
    frame = min((copy / "frames").iterdir())
    frame.write_bytes(frame.read_bytes()[:-1] + b"\x00\x01")
    message = min((copy / "messages").glob("checkin-*"))
    message.unlink()
    return f"frames/{frame.name}", f"messages/{message.name}"


@pytest.mark.slow
async def test_a_dead_desks_work_reaches_the_server_once(served: Served, tmp_path: Path) -> None:
    """Taken in from a damaged stick, then from a whole one, twice: every frame is on the server once, whole."""
    async with desk_of(served, tmp_path / "station", 4) as station:
        exported = await dead_desk(served, station, tmp_path / "stick")
        assert (exported.frames, len(exported.undecided), exported.damaged) == (3, 1, ())
        (folder,) = importing.sticks(tmp_path / "stick")
        assert not [path for path in folder.rglob("*") if path.is_file() and PICTURE in path.read_bytes()]
        with pytest.raises(Problem, match="import-station-not-revoked"):
            await served.bring(folder)
        station_id = settings.Directory(station.directory).enrolled().station_id
        await served.ask("POST", f"/v1/stations/{station_id}/revoke")
        frame, message = damaged_copy(folder, tmp_path / "bad")
        bad = await served.bring(tmp_path / "bad")
        told = {one.name: one.state for one in bad.files if one.state != "ok"}
        assert (told, bad.whole, len(bad.frames)) == ({frame: "damaged", message: "missing"}, False, 2)
        for _ in range(2):
            whole = await served.bring(folder)
            assert (whole.whole, len(whole.frames)) == (True, 3)
        journalled = await journal_of(station)
    rows = {str(row["capture_id"]): row for row in await served.capture.rows(store.CAPTURES)}
    assert set(rows) == journalled
    for row in rows.values():
        original = await served.capture.objects.get(f"originals/{row['campaign_id']}/{row['sha256']}.jpg")
        assert original.startswith(PICTURE)
        assert hashlib.sha256(original).hexdigest() == row["sha256"]
    assert sorted(row["decision"] for row in rows.values()) == ["keep", "keep", "keep", "unbound"]
    assert {row["station_id"] for row in rows.values()} == {station_id}
    assert len(await served.capture.rows(store.CHECKINS)) == 4
    opened = {(view["what"], view["subject_id"], view["viewer"]) for view in await served.capture.rows(store.VIEWS)}
    assert opened == {("keys", station_id, "lead")}
    _, findings = await served.capture.audit(images.Inspector(1))
    assert findings == []
    await a_stick_is_worth_nothing_by_itself(served, folder, tmp_path / "forged")


async def journal_of(station: Station) -> set[str]:
    """The frames that the dead desk had journalled, read from its disk."""
    directory = settings.Directory(station.directory)
    book = journal.SqliteJournal(directory.journal, directory.sealer("journal"))
    await book.open()
    history = await book.history()
    await book.close()
    return {str(fact.capture_id) for fact in history if fact.kind == "frame_journalled"}


async def a_stick_is_worth_nothing_by_itself(served: Served, folder: Path, copy: Path) -> None:
    """Who finds it cannot open its keys, and a server gives them for no list but the one that the station signed."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    with pytest.raises(crypto.Tampered):
        boxes.Opener().open(manifest["keys"], documents.keys_of(ids.StationId(manifest["station_id"])))
    shutil.copytree(folder, copy)
    (copy / "manifest.json").write_text(json.dumps({**manifest, "files": []}))
    with pytest.raises(Problem, match="import-signature-invalid"):
        await served.bring(copy)


async def test_a_running_station_is_not_exported(served: Served, tmp_path: Path) -> None:
    """While an agent holds the journal its disk is not carried away: half a story would be told."""
    async with desk_of(served, tmp_path / "station", 1):
        with pytest.raises(Problem, match="station-already-running"):
            await exporting.export(settings.Directory(tmp_path / "station"), tmp_path / "stick")
