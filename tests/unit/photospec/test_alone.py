"""`python -m photospec` by itself, and the processes of a measurement."""

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from cli.photo import command, crew
from photospec import __main__ as alone

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
