"""`python -m photospec` by itself, and the processes of a measurement."""

import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

import photospec
from cli.photo import command, crew
from photospec import __main__ as alone
from station.cameras import portraits

resource = pytest.importorskip("resource")


def test_a_photo_that_could_not_be_written_whole_is_not_there(tmp_path: Path) -> None:
    """Cut off in the middle, the next run writes it; a file that is there is never replaced."""
    target = tmp_path / "finished" / "7.jpg"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            alone._store(target, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(target.parent.iterdir()) == []
    alone._store(target, b"finished")
    with pytest.raises(FileExistsError):
        alone._store(target, b"another")
    assert (target.read_bytes(), list(target.parent.iterdir())) == (b"finished", [target])


def test_half_a_file_of_a_killed_run_is_in_nobody_s_way(tmp_path: Path) -> None:
    """Also where the file system knows no links."""
    (tmp_path / ".7.jpg.part").write_bytes(b"hal")
    with pytest.MonkeyPatch.context() as stick:
        stick.setattr(os, "link", _no_links)
        alone._store(tmp_path / "7.jpg", b"finished")
        with pytest.raises(FileExistsError):
            alone._store(tmp_path / "7.jpg", b"another")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"finished"]


def _no_links(_source: Path, _target: Path) -> None:
    raise PermissionError("no links here")


def test_a_measurement_is_done_by_a_crew_that_ends_with_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever kills the command leaves no process behind: the pool is the one that sees to that."""
    (tmp_path / "1.jpg").write_bytes(b"")

    class Asked(Exception):
        """For the crew's pool."""

    def pool(_processes: int) -> ProcessPoolExecutor:
        raise Asked

    monkeypatch.setattr(crew, "pool", pool)
    with pytest.raises(Asked):
        command.measure(tmp_path, out=None, docs=None, jobs=1)


def _alone(monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> int:
    monkeypatch.setattr("sys.argv", ["photospec", *map(str, words)])
    return alone.main()


def test_a_refused_file_has_its_row_and_its_words_in_both_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the file is not there; its name sends no command to the terminal."""
    (tmp_path / "\x1b[2J.jpg").write_bytes(b"hello")
    assert _alone(monkeypatch, tmp_path / "\x1b[2J.jpg", tmp_path / "none.jpg", "--json") == 1
    told = capsys.readouterr()
    rows = [json.loads(line) for line in told.out.splitlines()]
    assert [row["refusal"]["code"] for row in rows] == ["not_jpeg", "unopenable"]
    assert "\x1b" not in told.err
    assert "文件无法打开" in told.err


def test_stage_day_and_own_profile_may_be_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a rejected picture is not composed unless that is asked for."""
    shut = tmp_path / "shut.jpg"
    shut.write_bytes(portraits.draw(11, flaw=portraits.Flaw.EYES_SHUT))
    own = tmp_path / "ours.toml"
    own.write_text('extends = "chsi-2017-99"\n')
    asked = ("--json", "--stage", "capture", "--graduates-on", "2027-06-30", "--compose", tmp_path / "out")
    words = (shut, "--profile", own, *asked)
    assert _alone(monkeypatch, *words) == 1
    assert not (tmp_path / "out").exists()
    assert '"A1"' in capsys.readouterr().out
    assert _alone(monkeypatch, *words, "--refused") == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["shut.jpg"]
    assert _alone(monkeypatch, shut, "--profile", "chsi") == 2


def test_the_library_has_a_front(portrait: bytes) -> None:
    """What most need comes from `photospec` itself, and nothing is read before it is asked for."""
    assert set(photospec.__all__) == set(dir(photospec))
    assert all(getattr(photospec, name) for name in photospec.__all__)
    report = photospec.inspect(portrait, photospec.load())
    assert (report.verdict, photospec.compose(portrait, photospec.load(), report)[:2]) == ("accept", b"\xff\xd8")
    with pytest.raises(AttributeError, match="no attribute 'judge'"):
        photospec.judge  # noqa: B018
    read = "import sys, photospec; print([name for name in ('cv2', 'numpy') if name in sys.modules])"
    said = subprocess.run(
        [sys.executable, "-c", read], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"
