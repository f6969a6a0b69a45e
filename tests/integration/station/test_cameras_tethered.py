"""Tethered cameras: libgphoto2's own virtual USB camera, and the simulated one whose card outlives a connection."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from kit.errors import Unavailable
from station.cameras import choice
from station.cameras.tethered import camera, faulty, limits, link
from station.ports import hardware
from tests.unit.station.patience import until

#: The smallest picture that begins, holds coded data and ends as a JPEG does; the driver looks no further.
PICTURE = b"\xff\xd8\xff\xda\x00\x02 a picture of nobody \xff\xd9"
#: Short pauses, long patience: nothing here may depend on how busy the machine is.
QUICK = limits.Limits(
    opening_s=60,
    silence_s=30,
    no_frame_s=30,
    patience_s=90,
    believed_s=0.5,
    raw_alone_s=0.3,
    first_pause_s=0.05,
    longest_pause_s=0.2,
)
#: For a camera that will freeze, and for no other.
HASTY = limits.Limits(opening_s=60, silence_s=2, no_frame_s=2, patience_s=90, first_pause_s=0.05, longest_pause_s=0.2)


class Bench:
    """One camera's folder, and the agent's side of it as often as it is started."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder, self.kind = folder, kind
        self.notices: list[hardware.Notice] = []
        folder.mkdir(exist_ok=True)
        (folder / "picture.jpg").write_bytes(PICTURE)

    @asynccontextmanager
    async def camera(self, patience: limits.Limits = QUICK) -> AsyncIterator[camera.TetheredCamera]:
        driver = link.Driver(self.kind, self.folder)
        tethered = camera.TetheredCamera(driver, self.folder / "memory.jsonl", patience, self.notices.append)
        await tethered.start()
        try:
            yield tethered
        finally:
            await tethered.close()

    def order(self, *rows: dict[str, Any]) -> None:
        """Order faults."""
        faulty.write_script(self.folder, *rows)

    def plain(self) -> None:
        """The camera writes no RAW."""
        (self.folder / "body.json").write_text(json.dumps({"raw": False}))

    def faults(self, *, recovered: bool = False) -> list[str]:
        """The faults that were noticed, or the ends of them."""
        return [notice.fault for notice in self.notices if notice.recovered == recovered]

    def press(self) -> None:
        """The photographer's finger."""
        (self.folder / "press").touch()

    def on_card(self) -> int:
        """How many frames the simulated card holds."""
        return len(list((self.folder / "card").glob("*.JPG")))


@pytest.fixture
def drawn(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "camera", "drawn")


@pytest.fixture
def virtual_usb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The wheel's virtual camera with one picture on its card."""
    card = tmp_path / "vcamera" / "DCIM" / "100NCD"
    card.mkdir(parents=True)
    (card / "DSC_0001.JPG").write_bytes(PICTURE)
    monkeypatch.setenv("VCAMERADIR", str(tmp_path / "vcamera"))
    bench = Bench(tmp_path / "camera", "gphoto2")
    bench.order()
    return bench


async def shoot(tethered: camera.TetheredCamera) -> hardware.Exposure:
    """One frame, made safe."""
    exposure = await tethered.shutter()
    await tethered.acknowledge(exposure)
    return exposure


async def test_the_library_drives_its_virtual_camera(virtual_usb: Bench) -> None:
    """Each press gives one whole file with the next count; what was on the card before is none of ours."""
    async with virtual_usb.camera() as tethered:
        first, second = await shoot(tethered), await shoot(tethered)
        health = tethered.health()
    assert (first.jpeg, first.camera_serial) == (PICTURE, "0.1")
    assert (first.frame_counter, second.frame_counter) == (1, 2)
    assert first.monotonic_ns < second.monotonic_ns
    assert health.ready
    assert (health.details["battery_percent"], health.details["model"], health.details["serial"]) == (50, "VC", "0.1")
    assert abs(int(health.details["clock_offset_s"])) <= 2
    assert virtual_usb.notices == []


async def test_the_photographer_presses_the_virtual_camera_s_shutter(virtual_usb: Bench) -> None:
    """A PTP event that nobody asked for is a picture that waits, and stays until it is acknowledged."""
    async with virtual_usb.camera() as tethered:
        await until(lambda: tethered.health().ready)
        virtual_usb.press()
        await tethered.arrived(60)
        (exposure,) = await tethered.waiting()
        assert exposure.jpeg == PICTURE
        assert await tethered.waiting() == [exposure]
        with pytest.raises(Unavailable, match="camera-frames-waiting"):
            await tethered.shutter()
        await tethered.acknowledge(exposure)
        assert await tethered.waiting() == []
        assert (await shoot(tethered)).frame_counter == 2


async def test_the_virtual_camera_s_card_runs_full(virtual_usb: Bench) -> None:
    """The library's own "store full" reaches the operator as that, at once, with every frame before it in."""
    async with virtual_usb.camera() as tethered:
        frames = 0
        while not tethered.health().trouble:
            with suppress(Unavailable):
                frames = (await shoot(tethered)).frame_counter
        assert await tethered.frames_taken() == frames > 20
        with pytest.raises(Unavailable, match="camera-card-full"):
            await tethered.shutter()
    assert virtual_usb.faults() == ["full"]


async def test_a_camera_without_live_view_says_so(virtual_usb: Bench) -> None:
    """Asking for live view harms nothing."""
    async with virtual_usb.camera() as tethered:
        await until(lambda: tethered.health().ready)
        with pytest.raises(Unavailable, match="camera-no-live-view"):
            await tethered.preview()
        assert not tethered.live_view
        assert (await shoot(tethered)).frame_counter == 1


_CABLE = {"fault": "cable", "step": "trigger", "at_frame": 1}
#: Where the fault happens, before which camera, and what the operator reads.
FAULTS: dict[str, tuple[str, list[dict[str, Any]], list[str]]] = {
    "unplugged": ("drawn", [{"fault": "unplugged", "step": "open", "times": 2}], ["unplugged"]),
    "busy": ("gphoto2", [{"fault": "busy", "step": "open", "times": 2}], ["busy"]),
    "cable": ("gphoto2", [{"fault": "cable", "step": "events", "at_frame": 1}], ["io"]),
    "pulled for a while": (
        "drawn",
        [_CABLE, {"fault": "unplugged", "step": "open", "at_frame": 1}],
        ["io", "unplugged"],
    ),
    "frozen at the second frame": ("gphoto2", [{"fault": "frozen", "step": "trigger", "at_frame": 1}], ["frozen"]),
    "silent after the shutter": ("drawn", [{"fault": "frozen", "step": "events", "at_frame": 1}], ["frozen"]),
    "empty once": ("gphoto2", [{"fault": "empty", "step": "fetch", "at_frame": 2}], []),
    "cut twice": ("drawn", [{"fault": "cut", "step": "fetch", "at_frame": 2, "times": 2}], []),
    "out of focus once": ("drawn", [{"fault": "focus", "step": "trigger", "at_frame": 1}], ["focus"]),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_press_is_dropped(fault: str, request: pytest.FixtureRequest) -> None:
    """Whatever happens in between, three presses give three frames, each counted once; the fault is named and ends."""
    kind, rows, faults = FAULTS[fault]
    bench: Bench = request.getfixturevalue("drawn" if kind == "drawn" else "virtual_usb")
    bench.order(*rows)
    async with bench.camera(HASTY if "frozen" in faults else QUICK) as tethered:
        counts = [(await shoot(tethered)).frame_counter for _ in range(3)]
        assert await tethered.waiting() == []
        assert tethered.health().ready
    assert counts == [1, 2, 3]
    assert bench.faults() == faults
    assert bench.faults(recovered=True) == faults[-1:]


async def test_a_picture_taken_as_the_cable_broke_answers_its_press(drawn: Bench) -> None:
    """The shutter went and the answer was lost: the card has the picture, and the shutter is not released again."""
    drawn.order({"fault": "cable", "step": "lost", "at_frame": 1})
    async with drawn.camera() as tethered:
        counts = [(await shoot(tethered)).frame_counter for _ in range(3)]
    assert counts == [1, 2, 3]
    assert drawn.on_card() == 3
    assert drawn.faults() == ["io"]


async def test_a_press_outlives_the_patience(drawn: Bench) -> None:
    """Given back with the cause; the picture that was taken all the same waits, under the count that follows."""
    async with drawn.camera() as tethered:
        assert (await shoot(tethered)).frame_counter == 1
    impatient = limits.Limits(patience_s=3, first_pause_s=0.05, longest_pause_s=0.1)
    async with drawn.camera(impatient) as tethered:
        await until(lambda: tethered.health().ready)
        drawn.order({"fault": "cable", "step": "lost"}, {"fault": "unplugged", "step": "open", "times": 9999})
        with pytest.raises(Unavailable, match=r"camera-(unplugged|connection-lost)"):
            await tethered.shutter()
        drawn.order()
        await tethered.arrived(60)
        (late,) = await tethered.waiting()
        await tethered.acknowledge(late)
        assert late.frame_counter == 2
    assert drawn.on_card() == 2


async def test_a_file_that_stays_empty_is_told_and_not_forgotten(drawn: Bench) -> None:
    """After four tries the press is given back; at the next connection the file comes, under the count it had."""
    drawn.order({"fault": "empty", "step": "fetch", "times": 4})
    async with drawn.camera() as tethered:
        with pytest.raises(Unavailable, match=r"camera-file-empty file=DRA_0001.JPG"):
            await tethered.shutter()
        assert drawn.faults() == ["empty"]
        assert (await shoot(tethered)).frame_counter == 2
    async with drawn.camera() as tethered:
        await tethered.arrived(60)
        assert [exposure.frame_counter for exposure in await tethered.waiting()] == [1]
        assert await tethered.frames_taken() == 2


async def test_a_file_that_is_empty_at_first_and_grows_is_one_picture(drawn: Bench) -> None:
    """The camera tells of a name before it has written a byte; whatever comes under it then has the first count."""
    late = drawn.folder / "card" / "DRA_0002.JPG"
    async with drawn.camera() as tethered:
        await shoot(tethered)
        late.write_bytes(b"")
        await until(lambda: drawn.faults() == ["empty"])
        late.write_bytes(PICTURE)
        await tethered.arrived(60)
        (grown,) = await tethered.waiting()
        await tethered.acknowledge(grown)
        assert (grown.frame_counter, (await shoot(tethered)).frame_counter) == (2, 3)
    async with drawn.camera() as tethered:
        await until(lambda: tethered.health().ready)
        assert await tethered.waiting() == []
        assert await tethered.frames_taken() == 3


async def test_a_full_card_is_told_at_once_and_a_new_one_goes_on(drawn: Bench) -> None:
    """The operator changes the card, and the same press gives the next frame."""
    (drawn.folder / "body.json").write_text(json.dumps({"capacity": 1}))
    async with drawn.camera() as tethered:
        assert (await shoot(tethered)).frame_counter == 1
        with pytest.raises(Unavailable, match="camera-card-full"):
            await tethered.shutter()
        (drawn.folder / "body.json").write_text(json.dumps({"capacity": 10}))
        assert (await shoot(tethered)).frame_counter == 2
        assert tethered.health().ready
    assert drawn.faults() == drawn.faults(recovered=True) == ["full"]


async def test_a_raw_with_its_jpeg_is_one_frame(drawn: Bench) -> None:
    """The pair counts once, the JPEG is what the desk takes in, and it knows that the RAW lies beside it."""
    async with drawn.camera() as tethered:
        exposure = await shoot(tethered)
        assert exposure.jpeg.startswith(b"\xff\xd8")
        assert exposure.raw
        assert await tethered.frames_taken() == 1
        drawn.plain()
        assert not (await shoot(tethered)).raw
    assert len(list((drawn.folder / "card").glob("*.NEF"))) == 1


async def test_a_raw_that_comes_after_its_jpeg_is_told(drawn: Bench) -> None:
    """Whether the picture was acknowledged or not; at a new connection it is told again, until it is noted."""
    drawn.plain()
    raw = drawn.folder / "card" / "DRA_0001.NEF"
    async with drawn.camera() as tethered:
        exposure = await shoot(tethered)
        assert not exposure.raw
        raw.write_bytes(b"MM\x00\x2a")
        await until(lambda: tethered._tray.pairs())
        assert await tethered.raw_pairs() == [exposure.key]
        assert tethered.health().details["files"] == "RAW+JPEG"
    async with drawn.camera() as tethered:
        await until(lambda: tethered._tray.pairs())
        assert await tethered.raw_pairs() == [exposure.key]
        await tethered.raw_noted(exposure.key)
        assert await tethered.raw_pairs() == []
        assert await tethered.frames_taken() == 1
    assert drawn.faults() == []


async def test_what_was_taken_out_of_reach_may_be_older(drawn: Bench) -> None:
    """A frame that is found at a reconnection may have been taken at any time since the camera was heard of last."""
    async with drawn.camera() as tethered:
        asked = await shoot(tethered)
        assert asked.lag_ns == 0
        drawn.order({"fault": "cable", "step": "events"}, {"fault": "unplugged", "step": "open", "times": 9999})
        await until(lambda: "unplugged" in drawn.faults())
        away_ns = time.monotonic_ns()
        (drawn.folder / "card" / "DRA_0002.JPG").write_bytes(PICTURE)
        await until(lambda: (trouble := tethered.health().trouble) and trouble.attempts)
        drawn.order()
        await tethered.arrived(60)
        (found,) = await tethered.waiting()
        assert found.monotonic_ns - found.lag_ns < away_ns < found.monotonic_ns


async def test_live_view_is_a_picture_of_who_sits_there(drawn: Bench) -> None:
    """A camera that has it says so and shows it; nothing of it is a frame."""
    async with drawn.camera() as tethered:
        await until(lambda: tethered.health().ready)
        assert tethered.live_view
        assert await tethered.preview() == PICTURE
        assert await tethered.frames_taken() == 0


async def test_a_camera_that_writes_no_jpeg_is_told(drawn: Bench) -> None:
    """Whoever set the quality to RAW reads it at the first frame."""
    async with drawn.camera() as tethered:
        await until(lambda: tethered.health().ready)
        (drawn.folder / "card" / "DRA_0001.NEF").write_bytes(b"MM\x00\x2a")
        await until(lambda: tethered.health().trouble)
        trouble = tethered.health().trouble
    assert trouble is not None
    assert (trouble.code, trouble.params) == ("camera-raw-only", {"file": "DRA_0001"})


async def test_a_gap_in_the_file_numbers_is_a_gap_in_the_count(drawn: Bench) -> None:
    """A frame that was deleted in the camera is missed; a numbering begun anew is none."""
    async with drawn.camera() as tethered:
        await shoot(tethered)
        (drawn.folder / "card" / "DRA_0003.JPG").write_bytes(PICTURE)
        await tethered.arrived(60)
        (third,) = await tethered.waiting()
        await tethered.acknowledge(third)
        assert third.frame_counter == 3
        for path in (drawn.folder / "card").iterdir():
            path.unlink()
        assert (await shoot(tethered)).frame_counter == 4


async def test_pictures_taken_while_nobody_listened_wait(drawn: Bench) -> None:
    """An agent that was down finds what the photographer took, once, and what it had acknowledged not again."""
    async with drawn.camera() as tethered:
        await shoot(tethered)
    for number in (2, 3):
        (drawn.folder / "card" / f"DRA_000{number}.JPG").write_bytes(PICTURE)
    async with drawn.camera() as tethered:
        assert tethered.serial == "drawn-1"
        await until(lambda: len(tethered._tray) == 2)
        for exposure in await tethered.waiting():
            await tethered.acknowledge(exposure)
    async with drawn.camera() as tethered:
        await until(lambda: tethered.health().ready)
        assert (await shoot(tethered)).frame_counter == 4


async def test_another_body_goes_on_counting(drawn: Bench) -> None:
    """A second body's count begins where the desk's stood, so that the session's sum stays right."""
    async with drawn.camera() as tethered:
        await shoot(tethered)
    (drawn.folder / "body.json").write_text(json.dumps({"serial": "drawn-2"}))
    async with drawn.camera() as tethered:
        exposure = await shoot(tethered)
        assert (exposure.camera_serial, exposure.frame_counter) == ("drawn-2", 2)
        assert await tethered.frames_taken() == 2


async def test_without_recovery_a_press_is_lost(drawn: Bench) -> None:
    """Negative control: a driver that gives up at the first fault, as tethering programs do, answers no press."""

    class GivesUp(camera.TetheredCamera):
        async def _supervise(self) -> None:
            connection = self._connect(await link.Link.start(self._driver))
            with suppress(link.Lost):
                await connection.serve()
            await connection.end()

    drawn.order({"fault": "cable", "step": "trigger", "at_frame": 1})
    naive = GivesUp(link.Driver("drawn", drawn.folder), drawn.folder / "memory.jsonl", limits.Limits(patience_s=5))
    await naive.start()
    try:
        await shoot(naive)
        with pytest.raises(Unavailable, match="camera-no-frame"):
            await naive.shutter()
    finally:
        await naive.close()
    assert drawn.on_card() == 1


async def test_a_camera_is_tried_before_it_is_chosen(drawn: Bench) -> None:
    """One that does not answer is refused with what is wrong, one that does is let go again."""
    drawn.order({"fault": "unplugged", "step": "open", "times": 99})
    with pytest.raises(Unavailable, match="camera-unplugged"):
        await choice.try_out(choice.open_camera("simulated", drawn.folder, "1"))
    drawn.order()
    await choice.try_out(choice.open_camera("simulated", drawn.folder, "1"))
