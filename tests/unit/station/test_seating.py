"""Whose picture it is that comes by itself: who sat when it was taken, never who sits when it arrives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import Conflict, Unavailable
from station.console import drifts
from station.domain.seating import Chair
from station.handlers import frames, queue, sessions
from tests.unit.station.fakes import Bench

SECOND_NS = 1_000_000_000


class Clocked(Bench):
    """A desk whose monotonic clock moves when told to, at which the photographer fires."""

    def __init__(self) -> None:
        self.now_ns = 10 * SECOND_NS
        super().__init__(photographer_fires=True)
        self.work.monotonic_ns = lambda: self.now_ns
        self.work.__post_init__()

    def wait(self, seconds: float) -> None:
        self.now_ns += int(seconds * SECOND_NS)

    def fire(self, *, lag_s: float = 0.0) -> None:
        """A picture is told of now, which was taken up to `lag_s` before."""
        self.camera.lag_ns = int(lag_s * SECOND_NS)
        self.camera.fire(self.now_ns)

    async def take_in(self) -> list[str | None]:
        await frames.take_in_waiting(self.work, live=True)
        return [frame.taken.ticket for frame in self.desk.frames.values()]

    async def sits(self, place: int) -> str:
        ticket = (await queue.check_in(self.work, f"scan-{place}")).ticket
        assert ticket is not None
        await queue.seat(self.work, ticket)
        return ticket

    async def leaves(self, ticket: str) -> None:
        await queue.release(self.work, ticket, "walked off")


@pytest.fixture
async def desk() -> Clocked:
    desk = Clocked()
    await sessions.open_session(desk.work)
    return desk


async def test_a_frame_of_the_present_sitter_is_theirs(desk: Clocked) -> None:
    """Negative control: taken after they sat down and the other one had gone, it is bound without a question."""
    await desk.leaves(await desk.sits(0))
    desk.wait(2)
    ticket = await desk.sits(1)
    desk.wait(2)
    desk.fire(lag_s=1.5)
    assert await desk.take_in() == [ticket]
    assert desk.desk.drift is None


async def test_a_frame_of_before_the_student_sat_is_not_theirs(desk: Clocked) -> None:
    """Taken while the former one sat, taken in after the next one sat down: nobody's, and the desk stops."""
    former = await desk.sits(0)
    desk.wait(3)
    desk.fire()
    desk.wait(0.05)
    await desk.leaves(former)
    await desk.sits(1)
    assert await desk.take_in() == [None]
    drift = desk.desk.drift
    assert drift is not None
    assert (drift.sign, drift.expected) == ("frame_unexpected", former)
    shown = drifts.asked(desk.desk, desk.clock.now())
    assert shown is not None
    assert former in shown.zh
    with pytest.raises(Conflict, match="desk-drift-open"):
        await frames.press_shutter(desk.work)


async def test_the_naive_desk_would_have_bound_it_wrongly(desk: Clocked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: without looking at the time, the very same frame goes to the wrong student in silence."""
    monkeypatch.setattr(Chair, "sitter", lambda self, heard_ns, lag_ns: self.seated)
    former = await desk.sits(0)
    desk.fire()
    await desk.leaves(former)
    wrong = await desk.sits(1)
    assert await desk.take_in() == [wrong]
    assert desk.desk.drift is None


async def test_a_camera_that_tells_late_may_mean_the_former_one(desk: Clocked) -> None:
    """Told of after the next one sat down, but so soon after the former one left that it may be theirs: nobody's."""
    former = await desk.sits(0)
    desk.wait(3)
    await desk.leaves(former)
    await desk.sits(1)
    desk.wait(1)
    desk.fire(lag_s=1.5)
    assert await desk.take_in() == [None]
    assert desk.desk.drift is not None
    assert desk.desk.drift.expected == former


async def test_a_frame_of_the_empty_chair_is_nobody_s(desk: Clocked) -> None:
    """A test shot between two students is not the second one's."""
    await desk.leaves(await desk.sits(0))
    desk.wait(5)
    desk.fire()
    desk.wait(0.05)
    await desk.sits(1)
    assert await desk.take_in() == [None]
    assert desk.desk.drift is not None
    assert desk.desk.drift.expected == "-"


async def test_a_press_s_answer_that_was_taken_before_it_is_not_its_own(desk: Clocked) -> None:
    """The operator presses while the former one's frame is still under way: it is nobody's, and the press stands."""
    former = await desk.sits(0)
    desk.wait(3)
    await desk.leaves(former)
    ticket = await desk.sits(1)
    desk.wait(0.5)
    desk.camera.lag_ns = SECOND_NS
    desk.camera.heard_ns = desk.now_ns
    shot = await frames.press_shutter(desk.work)
    assert shot.frame.ticket is None
    assert desk.desk.pressed is not None
    assert desk.desk.pressed.ticket == ticket
    await desk.answer("dismiss")
    desk.wait(2)
    desk.camera.heard_ns = desk.now_ns
    again = await frames.press_shutter(desk.work)
    assert (again.frame.ticket, desk.desk.drift) == (ticket, None)


@pytest.mark.parametrize("lag_s", [1.5, 9.0])
async def test_a_frame_of_before_the_next_one_sat_may_be_the_former_s(desk: Clocked, lag_s: float) -> None:
    """Who was photographed may sit on until the next one does: fired at again, and told of when that one sits."""
    former = await desk.sits(0)
    desk.wait(3)
    await desk.leaves(former)
    desk.wait(10)
    await desk.sits(1)
    desk.wait(1)
    desk.fire(lag_s=lag_s)
    assert await desk.take_in() == [None]
    assert desk.desk.drift is not None
    assert desk.desk.drift.expected == former


async def test_the_first_one_of_a_desk_has_nobody_before(desk: Clocked) -> None:
    """Control: a camera that tells late raises no question while nobody else ever sat there."""
    desk.wait(10)
    ticket = await desk.sits(0)
    desk.wait(0.5)
    desk.fire(lag_s=3)
    assert await desk.take_in() == [ticket]
    assert desk.desk.drift is None


async def test_a_number_that_is_only_called_is_not_yet_on_the_chair(desk: Clocked) -> None:
    """Where the number must be shown, the former one may sit until it is: a frame of before is nobody's."""
    desk.packs.seat_proof = "shown"
    await desk.leaves(await desk.sits(0))
    ticket = (await queue.check_in(desk.work, "scan-1")).ticket
    assert ticket is not None
    await queue.seat(desk.work, None)
    desk.wait(1)
    desk.fire()
    desk.wait(5)
    await queue.seat(desk.work, ticket)
    assert await desk.take_in() == [None]
    await desk.answer("dismiss")
    desk.wait(2)
    desk.fire(lag_s=1.5)
    assert (await desk.take_in())[-1] == ticket


async def test_who_was_done_last_may_sit_there_after_a_restart(desk: Clocked) -> None:
    """The agent forgets when, not whom: what was taken before the next one sat is not that one's."""
    former = await desk.sits(0)
    shot = await frames.press_shutter(desk.work)
    await frames.decide(desk.work, shot.frame.capture_id, "keep", None)
    desk.restart()
    desk.work.monotonic_ns = lambda: desk.now_ns
    desk.work.__post_init__()
    desk.wait(5)
    await desk.sits(1)
    desk.wait(1)
    desk.fire(lag_s=3)
    assert (await desk.take_in())[-1] is None
    assert desk.desk.drift is not None
    assert desk.desk.drift.expected == former


async def test_after_a_restart_what_was_taken_before_is_nobody_s(desk: Clocked) -> None:
    """What a camera kept while the agent was away answers no press: nobody knows who sat there."""
    await desk.sits(0)
    desk.wait(1)
    desk.restart()
    desk.work.monotonic_ns = lambda: desk.now_ns
    desk.work.__post_init__()
    desk.fire(lag_s=60)
    assert await desk.take_in() == [None]
    assert desk.desk.drift is not None


async def test_a_press_that_the_camera_refused_claims_nothing_fired_while_the_agent_was_away(desk: Clocked) -> None:
    """Somebody may have changed seats: the frame is asked about; pressed again, the next one is the sitter's."""
    ticket = await desk.sits(0)
    await refused_press(desk)
    desk.fire()
    desk.restart()
    await frames.finish_interrupted(desk.work)
    assert [frame.taken.ticket for frame in desk.desk.frames.values()] == [None]
    assert desk.desk.drift is not None
    await desk.answer("dismiss")
    shot = await frames.press_shutter(desk.work)
    assert (shot.frame.ticket, desk.desk.drifts) == (ticket, [])


async def test_a_press_taken_up_again_and_killed_has_its_frame(desk: Clocked) -> None:
    """Refused at first, pressed again, and then the agent died before the frame came: it is this press's."""
    ticket = await desk.sits(0)
    await refused_press(desk)
    await desk.die_at_the_camera()
    await frames.finish_interrupted(desk.work)
    assert [frame.taken.ticket for frame in desk.desk.frames.values()] == [ticket]
    assert desk.desk.drift is None


async def refused_press(desk: Clocked) -> None:
    """The operator presses, and no picture comes."""
    desk.camera.broken = True
    with pytest.raises(Unavailable, match="camera-no-frame"):
        await frames.press_shutter(desk.work)
    desk.camera.broken = False


@pytest.mark.parametrize(("seconds", "set_by_s", "sign"), [(600, -480, "seat_stale"), (20, 600, None)])
async def test_how_long_somebody_sits_is_no_matter_of_the_clock_on_the_wall(
    desk: Clocked, seconds: float, set_by_s: float, sign: str | None
) -> None:
    """The clock is set back by eight minutes, or forward by ten, while they sit."""
    desk.packs.lingering_s = 180
    ticket = await desk.sits(0)
    desk.wait(seconds)
    desk.clock.advance(seconds + set_by_s)
    desk.fire()
    assert await desk.take_in() == [ticket]
    assert (desk.desk.drift.sign if desk.desk.drift else None) == sign


async def test_a_frame_makes_a_seat_fresh(desk: Clocked) -> None:
    """Five minutes on the chair in two frames are no alarm, whatever the clock does; four minutes without one are."""
    desk.packs.lingering_s = 180
    await desk.sits(0)
    for _ in range(2):
        desk.wait(150)
        desk.clock.advance(-900)
        desk.fire()
        await desk.take_in()
        assert desk.desk.drift is None
        (capture_id,) = desk.desk.undecided
        await frames.decide(desk.work, capture_id, "retake", None)
    desk.wait(240)
    desk.fire()
    await desk.take_in()
    assert desk.desk.drift is not None
    assert desk.desk.drift.sign == "seat_stale"


MOMENTS = st.integers(0, 50)


@settings(deadline=None)
@given(swaps=st.lists(st.tuples(MOMENTS, MOMENTS), max_size=6), before=MOMENTS, lag=st.integers(0, 60))
def test_nobody_is_given_a_picture_that_another_may_be_in(swaps: list[tuple[int, int]], before: int, lag: int) -> None:
    """Any order of sitting and leaving: the sitter who is named has sat since the earliest moment of the picture."""
    chair, now = Chair(None, 0, 0), 0
    stays: list[tuple[str, int, int]] = []
    for place, (sits, goes) in enumerate(swaps):
        sat, now = now + sits, now + sits + goes
        chair.follow(f"A-{place:04d}", sat)
        if place + 1 < len(swaps):
            chair.follow(None, now)
        stays.append((f"A-{place:04d}", sat, now))
    heard = now - before
    named = chair.sitter(heard, lag)
    assert named in (None, stays[-1][0] if stays else None)
    if named is not None:
        assert heard >= stays[-1][1]
        assert len(stays) == 1 or heard - lag >= stays[-1][1]
