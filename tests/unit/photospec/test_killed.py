"""A run over a folder that is stopped or killed: nothing half-written, no process left behind, a clear answer."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[3]
#: Patience, not an aim: a machine that does much else takes long to start Python.
_PATIENCE_S = 120


@pytest.fixture
def folder(tmp_path: Path, portrait: bytes) -> Path:
    """Two thousand names of one portrait: no machine is done with them before it is killed."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "0.jpg").write_bytes(portrait)
    for number in range(1, 2000):
        os.link(folder / "0.jpg", folder / f"{number}.jpg")
    return folder


def _at_work(folder: Path) -> tuple["subprocess.Popen[str]", list[psutil.Process]]:
    """The command with its processes started, in a group of its own as a terminal would put it."""
    words = [sys.executable, "-m", "cli", "photo", "inspect", str(folder), "--html", "--json", "--jobs", "2"]
    command = subprocess.Popen(
        [*words, "--out", str(folder.parent / "out" / "report")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    give_up = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up and command.poll() is None:
        crew = psutil.Process(command.pid).children()
        if sum("spawn_main" in " ".join(_words(one)) for one in crew) == 2:
            return command, crew
        time.sleep(0.05)
    pytest.fail(f"never at work: {command.communicate()}")


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("sign", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, -15), (signal.SIGINT, 130)])
def test_a_run_that_is_stopped_leaves_nothing_behind(folder: Path, sign: signal.Signals, code: int) -> None:
    """By kill -9 or kill of the command alone, or by Ctrl-C, which all its processes get."""
    command, crew = _at_work(folder)
    (os.killpg if sign is signal.SIGINT else os.kill)(command.pid, sign)
    _, told = command.communicate(timeout=_PATIENCE_S)
    assert command.returncode == code
    _, alive = psutil.wait_procs(crew, timeout=_PATIENCE_S)
    assert alive == []
    assert [path.name for path in (folder.parent / "out").iterdir()] == []
    if sign is signal.SIGINT:
        assert "已中止" in told
        assert "Traceback" not in told
