"""What a camera hands over late: a RAW after its JPEG, and a picture after the one that followed it."""

import dataclasses

import pytest

from station.domain import facts
from station.handlers import frames, pairs, queue, sessions
from tests.unit.station.fakes import Bench


@pytest.fixture
async def bench() -> Bench:
    """A desk before which the first student sits."""
    bench = Bench()
    await sessions.open_session(bench.work)
    ticket = (await queue.check_in(bench.work, "scan-0")).ticket
    await queue.seat(bench.work, ticket)
    return bench


def raws(bench: Bench) -> list[bool]:
    return [frame.raw for frame in bench.desk.frames.values()]


def noted(bench: Bench) -> int:
    return sum(isinstance(fact, facts.RawFound) for fact in bench.journal.facts)


async def test_a_raw_that_comes_late_is_journalled_with_its_frame(bench: Bench) -> None:
    """Once, however often the camera tells of it; the journal says it after a restart."""
    shot = await frames.press_shutter(bench.work)
    assert raws(bench) == [False]
    for _ in range(2):
        bench.camera.pairs = [(shot.frame.camera_serial, shot.frame.frame_counter)]
        await pairs.look(bench.work)
        assert bench.camera.pairs == []
    bench.restart()
    assert (raws(bench), noted(bench)) == ([True], 1)


async def test_a_raw_of_a_frame_that_is_not_journalled_is_asked_for_again(bench: Bench) -> None:
    """Nothing is noted of a frame that the desk does not know, and the camera goes on telling."""
    bench.camera.pairs = [("cam-1", 1)]
    await pairs.look(bench.work)
    assert (bench.camera.pairs, noted(bench)) == ([("cam-1", 1)], 0)
    await frames.press_shutter(bench.work)
    await pairs.look(bench.work)
    assert (raws(bench), noted(bench)) == ([True], 1)


async def test_a_frame_known_with_its_raw_is_not_noted_twice(bench: Bench) -> None:
    """The RAW came first; the camera tells of the pair all the same."""
    exposure = dataclasses.replace(bench.camera.fire(), raw=True)
    bench.camera.card[exposure.frame_counter] = exposure
    await frames.take_in_waiting(bench.work, live=True)
    bench.camera.pairs = [exposure.key]
    await pairs.look(bench.work)
    assert (raws(bench), noted(bench)) == ([True], 0)


async def test_a_frame_that_is_offered_again_with_its_raw_is_noted(bench: Bench) -> None:
    """The agent died between journal and receipt, and the RAW came meanwhile: it goes aside with its JPEG."""
    shot = await frames.press_shutter(bench.work)
    bench.restart()
    again = await bench.spool.get(shot.frame.capture_id)
    bench.camera.card[1] = dataclasses.replace(bench.camera.fire(), jpeg=again, frame_counter=1, raw=True)
    bench.camera.card.pop(2)
    await frames.take_in_waiting(bench.work, live=False)
    assert (raws(bench), noted(bench), bench.camera.card) == ([True], 1, {})


async def test_a_frame_of_nobody_s_that_comes_late_sets_no_camera_back(bench: Bench) -> None:
    """Count 1 was left out and comes after 2: the next one, 3, follows."""
    bench.camera.skip(1)
    second = await frames.press_shutter(bench.work)
    await bench.answer("seen")
    await frames.decide(bench.work, second.frame.capture_id, "keep", None)
    late = dataclasses.replace(bench.camera.fire(), frame_counter=1)
    bench.camera.card = {1: late}
    bench.camera.count = 2
    await frames.take_in_waiting(bench.work, live=True)
    assert bench.desk.drift is not None
    assert (bench.desk.drift.sign, bench.desk.drift.seen) == ("frame_unexpected", "1")
    await bench.answer("dismiss")
    for capture_id in list(bench.desk.undecided):
        await frames.decide(bench.work, capture_id, "unbound", "late")
    ticket = (await queue.check_in(bench.work, "scan-1")).ticket
    await queue.seat(bench.work, ticket)
    third = await frames.press_shutter(bench.work)
    assert third.frame.frame_counter == 3
    assert not bench.desk.drifts
