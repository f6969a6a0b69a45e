"""Originals on a bad line: a cut upload goes again whole, and a frame stays until the receipt."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from cli.faults.proxy import Proxy, Weather
from gradphoto_contracts import ids
from kit import clock as clocks
from kit import crypto
from kit import ids as new_ids
from station import bandwidth, journal, receipts, server, spool, timekeeping, uplink
from station.domain import facts
from station.domain.outgoing import Message
from tests.integration.station.desk import Station
from tests.integration.station.fake_capture import Capture, Running

JPEG = b"\xff\xd8" + bytes(range(256)) * 4000 + b"\xff\xd9"


class Line:
    """The uplink of a desk over a line that can be cut, with its journal and spool on the disk."""

    def __init__(self, folder: Path, capture: Capture, proxy: Proxy) -> None:
        private, capture.public_pem = crypto.new_key()
        clock = timekeeping.StationClock(clocks.SystemClock(), folder / "skew.json")
        sealer = crypto.Sealer({"k": bytes(32)}, "k")
        self.weather, self.uploaded = proxy.weather, 0
        bucket = bandwidth.Bucket(lambda: None, passed=self._passed)
        self.client = server.Server(proxy.url, capture.station_id, private, clock, bucket)
        self.book = journal.SqliteJournal(folder / "j", sealer)
        self.spool = spool.FileSpool(folder / "spool", sealer, 0)
        genuine = receipts.Receipts(capture.pack_keys[1], ids.StationId(capture.station_id))
        self.uplink = uplink.Uplink(self.client, self.book, self.spool, clock.now, self._received, genuine)

    def _passed(self, size: int, _waited_s: float) -> None:
        self.uploaded += size

    async def _received(self, fact: facts.Fact) -> None:
        assert isinstance(fact, facts.FrameReceived)
        await self.spool.wipe(fact.capture_id)

    async def take(self) -> str:
        """A frame that was decided; its hash."""
        key, sha256 = ids.CaptureId(new_ids.new()), hashlib.sha256(JPEG).hexdigest()
        frame = facts.FrameJournalled(key, sha256, len(JPEG), None, None, None, "c", 1, 1, datetime.now(UTC))
        await self.spool.put(frame, JPEG)
        body = {"sha256": sha256, "size_bytes": len(JPEG), "decision": "unbound", "student_id": None}
        await self.book.append([frame], [Message("capture", key, body, "lane")])
        self.uplink.wake()
        return sha256

    async def drained(self) -> None:
        """Return when the server has everything, and the spool has let it go."""
        async with asyncio.timeout(120):
            while await self.book.backlog() or await self.spool.held():  # noqa: ASYNC110 - the journal can only be asked
                await asyncio.sleep(0.02)


@asynccontextmanager
async def line(folder: Path, running: Running) -> AsyncIterator[Line]:
    """A proxy before the fake, named as the store in its answers, and an uplink at work behind it."""
    proxy = Proxy(running.capture.url, Weather(), lambda body: body.replace(inner, proxy.url.encode()))
    inner = running.capture.url.encode()
    await proxy.start()
    line = Line(folder, running.capture, proxy)
    await line.book.open()
    sending = asyncio.create_task(line.uplink.run())
    try:
        yield line
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await line.client.close()
        await line.book.close()
        await proxy.close()


async def test_a_cut_upload_goes_again_whole(capture: Capture, server: Running, tmp_path: Path) -> None:
    """Cut three times in mid-body: nothing half is in the store, then all of it, once, and the spool is empty."""
    async with line(tmp_path, server) as desk:
        desk.weather.cut_after_bytes, desk.weather.cuts = 300_000, 3
        sha256 = await desk.take()
        await desk.drained()
        assert desk.weather.spoilt == 3
        assert capture.objects == {sha256: JPEG}
        assert desk.uploaded > len(JPEG), "what was cut is counted too"


async def test_a_frame_is_kept_until_the_receipt(capture: Capture, server: Running, tmp_path: Path) -> None:
    """The store has it, the server's receipt does not come: the frame stays here, however often it is tried."""
    async with line(tmp_path, server) as desk:
        desk.weather.failing, desk.weather.only = 1.0, b"/v1/captures/"
        sha256 = await desk.take()
        while desk.weather.spoilt < 4:  # noqa: ASYNC110 - the proxy can only be asked
            await asyncio.sleep(0.02)
        assert capture.objects == {sha256: JPEG}
        assert len(await desk.spool.held()) == 1
        assert set(desk.uplink.kept_waiting) == {"server-busy"}
        assert desk.uploaded == len(JPEG), "it is asked for first, and there already"
        desk.weather.calm()
        await desk.drained()
        assert set(capture.captures) == set(capture.capture_puts)


def test_the_campaign_s_limit_is_kept(capture: Capture, server: Running, tmp_path: Path) -> None:
    """The tighter of policy and setting is in force, is shown, and holds an upload back."""
    capture.upload_kbit_s = 800
    station = Station(tmp_path / "station", server.capture.url)
    station.enrol()
    station.start()
    try:
        station.photograph(0)
        station.drained()
        door = json.loads((station.directory / "door.json").read_text())
        station.wait_for(lambda _: "limit_bytes_per_second{" in httpx.get(door["metrics"], timeout=60).text)
        told = httpx.get(door["metrics"], timeout=60).text
        assert 'gradphoto_upload_limit_bytes_per_second{campus="M",desk="A"} 100000.0' in told
        held_back = next(
            row for row in told.splitlines() if row.startswith("gradphoto_upload_held_back_seconds_total{")
        )
        assert float(held_back.rpartition(" ")[2]) == pytest.approx(2.4, abs=1.5)
        (row,) = capture.captures.values()
        assert hashlib.sha256(capture.objects[row["sha256"]]).hexdigest() == row["sha256"]
    finally:
        station.client.close()
        station.kill()
