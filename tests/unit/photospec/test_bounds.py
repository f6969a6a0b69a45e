"""What any bytes may cost: memory as the system measures it, in a process of its own."""

import contextlib
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photospec import decoding, inspection, preview, profiles
from tests.unit.photospec import nasty

#: Judges every file of a folder, then says what it held at most, in megabytes, and how many were refused.
_JUDGE_ALL = """
import pathlib, re, sys
import cv2
from photospec import decoding, inspection, profiles
cv2.setNumThreads(1)
refused = 0
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        inspection.inspect(path.read_bytes(), profiles.load())
    except decoding.UnreadableImage:
        refused += 1
status = pathlib.Path("/proc/self/status").read_text()  # ru_maxrss would begin with what the parent held
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) / 1024, refused)
"""


def _peak_mb(folder: Path) -> tuple[float, int]:
    words = [sys.executable, "-c", _JUDGE_ALL, str(folder)]
    said = subprocess.run(words, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[3]).stdout
    peak, refused = said.split()
    return float(peak), int(refused)


def _grain(width_px: int, height_px: int, *settings_: int) -> bytes:
    """A picture of nothing but grain, which is dear to decode."""
    small = np.random.default_rng(1).integers(0, 255, (500, 500, 3), np.uint8)
    pixels = np.tile(small, (height_px // 500 + 1, width_px // 500 + 1, 1))[:height_px, :width_px]
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 40, *settings_])[1].tobytes()


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_no_small_file_costs_much_memory(tmp_path: Path, portrait: bytes) -> None:
    """Bombs, lies, rubbish and a sound portrait together: 115 MB measured, most of it Python, OpenCV and models."""
    for name, (data, _) in nasty.files().items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "sound.jpg").write_bytes(portrait)
    (tmp_path / "cmyk.jpg").write_bytes(nasty.cmyk(4096))
    peak, refused = _peak_mb(tmp_path)
    assert refused == len(nasty.files())
    assert peak < 250


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_greatest_files_that_are_let_in_stay_within_bounds(tmp_path: Path) -> None:
    """64 megapixels of grain, and 32 of them progressive, which is kept whole while it is decoded: 800 MB."""
    (tmp_path / "64.jpg").write_bytes(_grain(9200, 6900))
    (tmp_path / "progressive.jpg").write_bytes(_grain(6400, 4900, cv2.IMWRITE_JPEG_PROGRESSIVE, 1))
    (tmp_path / "cmyk.jpg").write_bytes(nasty.cmyk(7992))
    peak, refused = _peak_mb(tmp_path)
    assert refused == 0
    assert peak < 800


def _spliced(data: bytes, cuts: list[tuple[float, bytes]], kept: float) -> bytes:
    """Bytes written over a photo at some places, and its end cut off."""
    spoilt = bytearray(data[: max(4, int(len(data) * kept))])
    for place, written in cuts:
        at = int(place * len(spoilt))
        spoilt[at : at + len(written)] = written
    return bytes(spoilt)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=40)), max_size=5),
    kept=st.floats(0.01, 1),
    closed=st.booleans(),
)
def test_a_spoilt_portrait_is_judged_or_refused(
    cuts: list[tuple[float, bytes]], kept: float, closed: bool, portrait: bytes, blue: profiles.Profile
) -> None:
    """With a face in it, so that all that follows a decoding sees spoilt pixels too; for the desk's preview as well."""
    data = _spliced(portrait, cuts, kept) + (b"\xff\xd9" if closed else b"")
    if kept < 0.9:  # nothing that was written over it makes half a picture whole
        with pytest.raises(decoding.UnreadableImage):
            inspection.inspect(data, blue)
    else:
        with contextlib.suppress(decoding.UnreadableImage):
            assert inspection.inspect(data, blue).verdict in ("accept", "review", "reject")
    with contextlib.suppress(decoding.UnreadableImage):
        assert preview.make(data, 300)[:2] == b"\xff\xd8"
