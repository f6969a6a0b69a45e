"""A webcam as a scanner: each code once per showing, whatever the frames; and what a frame shows."""

import uuid

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kit import metrics
from kit.errors import Invalid
from station.cameras import codes
from station.console import webcam
from station.measures import Measures
from tests.unit.station.fakes import Bench
from tests.unit.station.test_codes import CODE, drawn, written

NOTHING = codes.Look((), unread=False)


class Eye:
    """A watch whose time stands still until it is moved."""

    def __init__(self) -> None:
        bench = Bench()
        self.now = 100.0
        self.watch = webcam.Watch(bench.work, Measures(bench.desk, "main"), lambda: self.now)

    def see(self, *shown: str, after_s: float = 0.2) -> tuple[str, str | None]:
        """What comes of a frame with these codes."""
        self.now += after_s
        return self.watch.judge(codes.Look(shown, unread=False))


def test_a_code_is_taken_once_however_many_frames_show_it() -> None:
    """Also when the machine looked at nothing for a minute, and when some frames missed it."""
    eye = Eye()
    assert eye.see("A") == ("code", "A")
    assert {eye.see("A") for _ in range(50)} == {("same", None)}
    assert eye.see("A", after_s=60) == ("same", None)
    assert [eye.see()[0] for _ in range(5)] == ["nothing"] * 5
    assert eye.see("A") == ("same", None)


def test_a_code_that_was_away_is_shown_anew() -> None:
    """The student may come back; what was in sight is known by time and by frames."""
    eye = Eye()
    assert eye.see("A") == ("code", "A")
    for _ in range(webcam.OUT_OF_SIGHT_FRAMES):
        assert eye.see(after_s=webcam.OUT_OF_SIGHT_S) == ("nothing", None)
    assert eye.see("A") == ("code", "A")


def test_the_next_student_is_read_beside_the_last() -> None:
    """One new code beside one that was taken is no question; two new ones are, until one goes."""
    eye = Eye()
    assert eye.see("A") == ("code", "A")
    assert eye.see("A", "B") == ("code", "B")
    assert eye.see("C", "D") == ("several", None)
    assert eye.see("D") == ("code", "D")


@given(st.lists(st.sets(st.sampled_from("ABC")), max_size=60))
def test_no_showing_is_taken_twice_and_none_is_taken_unseen(frames: list[set[str]]) -> None:
    """Between two takings of a code there are enough frames without it; what is taken is in the frame."""
    eye, last = Eye(), dict.fromkeys("ABC", -1)
    for place, frame in enumerate(frames):
        seen, taken = eye.see(*sorted(frame), after_s=webcam.OUT_OF_SIGHT_S)
        assert (seen == "code") == (taken is not None)
        if taken is None:
            continue
        assert taken in frame
        since = frames[last[taken] + 1 : place]
        assert last[taken] < 0 or sum(taken not in one for one in since) >= webcam.OUT_OF_SIGHT_FRAMES
        last[taken] = place


def scene(code: NDArray[np.uint8] | None, *, dark_mode: bool = False, blur: float = 0.0) -> bytes:
    """A webcam's frame: a room, and a phone held up with a code on it."""
    room = np.full((540, 960), 90, np.uint8)
    if code is not None:
        shown = 255 - code if dark_mode else code
        room[100 : 100 + shown.shape[0], 300 : 300 + shown.shape[1]] = shown
    return written(cv2.GaussianBlur(room, (0, 0), blur).astype(np.uint8) if blur else room, ".jpg")


@pytest.mark.parametrize("dark_mode", [False, True])
def test_a_frame_with_a_code_is_read(dark_mode: bool) -> None:
    """Also that of a phone in dark mode."""
    assert codes.in_frame(scene(drawn(CODE, 5), dark_mode=dark_mode)) == codes.Look((CODE,), unread=False)


def test_a_frame_says_what_is_wrong_with_it() -> None:
    """A room without a code; a code too blurred to read; bytes that are no picture."""
    assert codes.in_frame(scene(None)) == NOTHING
    assert codes.in_frame(scene(drawn(CODE, 5), blur=2)) == codes.Look((), unread=True)
    with pytest.raises(Invalid, match="code-picture-unreadable"):
        codes.in_frame(b"GIF89a")


def test_frames_are_counted_by_what_they_showed() -> None:
    """A webcam that never reads anything can be seen from afar."""
    campus = f"campus-{uuid.uuid4()}"
    Measures(Bench().desk, campus).webcam_looked("unread")
    counted = f'gradphoto_webcam_frames_total{{campus="{campus}",desk="A",seen="unread"}} 1.0'
    assert counted in metrics.exposition().decode()
