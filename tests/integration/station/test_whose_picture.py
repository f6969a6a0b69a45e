"""A tethered camera at a desk: no picture goes to a press, or to a sitter, that may show the one before."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from station.cameras.tethered import camera, faulty, limits, link
from station.handlers import frames, queue, sessions
from tests.unit.station import fakes
from tests.unit.station.patience import until

PICTURE = b"\xff\xd8\xff\xda\x00\x02 a picture of nobody \xff\xd9"
#: A call that hangs is noticed soon.
HASTY = limits.Limits(opening_s=60, silence_s=1, patience_s=90, first_pause_s=0.05, longest_pause_s=0.2)


class Desk(fakes.Bench):
    """A desk in memory with a real driver before a simulated camera."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        (folder / "picture.jpg").write_bytes(PICTURE)
        (folder / "body.json").write_text(json.dumps({"raw": False}))
        self.tethered = camera.TetheredCamera(link.Driver("drawn", folder), folder / "memory.jsonl", HASTY)
        self.work.camera = self.tethered

    async def sits(self, place: int) -> str:
        ticket = (await queue.check_in(self.work, f"scan-{place}")).ticket
        assert ticket is not None
        await queue.seat(self.work, ticket)
        return ticket

    async def keeps(self) -> frames.Shot:
        """The photo of whoever sits."""
        shot = await frames.press_shutter(self.work)
        await frames.decide(self.work, shot.frame.capture_id, "keep", None)
        return shot

    async def has(self, *faults: dict[str, Any]) -> None:
        """Order faults, and wait until the driver has come to the first."""
        faulty.write_script(self.folder, *faults)
        await until(lambda: (self.folder / faulty.SCRIPT).read_text() != json.dumps(faults))

    def fires(self) -> None:
        """The photographer presses at the camera, which nobody listens to."""
        number = len(list((self.folder / "card").glob("*.JPG"))) + 1
        (self.folder / "card" / f"DRA_{number:04d}.JPG").write_bytes(PICTURE)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    await desk.tethered.start()
    await sessions.open_session(desk.work)
    await until(lambda: desk.tethered.health().ready)
    yield desk
    await desk.tethered.close()


async def test_a_picture_of_the_one_before_answers_no_press(desk: Desk) -> None:
    """The driver hangs, the one who is done is photographed again, the next one sits and the operator presses."""
    former = await desk.sits(0)
    await desk.keeps()
    await desk.has({"fault": "frozen", "step": "events"})
    desk.fires()
    ticket = await desk.sits(1)
    shot = await frames.press_shutter(desk.work)
    assert (shot.frame.ticket, shot.frame.frame_counter) == (None, 2)
    drift = desk.desk.drift
    assert drift is not None
    assert (drift.sign, drift.expected) == ("frame_unexpected", former)
    assert desk.desk.pressed is not None, "the press stands"
    await desk.answer("dismiss")
    again = await frames.press_shutter(desk.work)
    assert (again.frame.ticket, again.frame.frame_counter, desk.desk.drift) == (ticket, 3, None)


async def test_a_picture_taken_as_the_connection_broke_is_the_press_s(desk: Desk) -> None:
    """Control: the camera was listened to as it was released, and whoever sits has sat there since."""
    await desk.sits(0)
    await desk.keeps()
    ticket = await desk.sits(1)
    faulty.write_script(desk.folder, {"fault": "cable", "step": "lost"})
    shot = await frames.press_shutter(desk.work)
    assert (shot.frame.ticket, shot.frame.frame_counter, desk.desk.drift) == (ticket, 2, None)


async def test_a_picture_found_while_a_press_waits_for_the_camera_is_looked_at_first(desk: Desk) -> None:
    """Taken while the camera was away: the press is given back, the picture is the one's before or nobody's."""
    former = await desk.sits(0)
    await desk.keeps()
    await desk.has({"fault": "cable", "step": "events"}, {"fault": "unplugged", "step": "open", "times": 9999})
    await until(lambda: (trouble := desk.tethered.health().trouble) and trouble.fault == "unplugged")
    desk.fires()
    ticket = await desk.sits(1)
    faulty.write_script(desk.folder)
    with pytest.raises(Exception, match=r"camera-frames-waiting count=1"):
        await frames.press_shutter(desk.work)
    await frames.take_in_waiting(desk.work, live=True)
    assert desk.desk.drift is not None
    assert (desk.desk.drift.sign, desk.desk.drift.expected) == ("frame_unexpected", former)
    await desk.answer("dismiss")
    again = await frames.press_shutter(desk.work)
    assert (again.frame.ticket, again.frame.frame_counter) == (ticket, 3)
    assert not desk.desk.drifts
