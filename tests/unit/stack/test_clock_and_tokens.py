"""Clock file, tokens, secrets and ports of the embedded stack, without starting anything."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.stack import clock, environment, layout, ports, process, secrets, stack
from kit import auth
from kit import clock as kit_clock

NOW = 1_509_465_600.0


def test_without_a_clock_file_it_is_now(tmp_path: Path) -> None:
    """No clock file means the system's time."""
    assert abs(clock.now(tmp_path / "clock.json") - time.time()) < 1


def test_a_set_clock_runs_at_its_speed(tmp_path: Path) -> None:
    """The stack's clock stands at the given moment and advances `speed` seconds a real second."""
    path = tmp_path / "clock.json"
    clock.set_to(path, NOW, speed=3600)
    setting = json.loads(path.read_text())
    path.write_text(json.dumps({**setting, "real_epoch": setting["real_epoch"] - 2}))
    assert clock.now(path) == pytest.approx(NOW + 7200, abs=3600)


@pytest.mark.parametrize("speed", [0, -1])
def test_time_does_not_stand_still_or_run_backwards(tmp_path: Path, speed: float) -> None:
    """A speed of zero or less is refused, and no clock file is written."""
    with pytest.raises(ValueError, match="speed"):
        clock.set_to(tmp_path / "clock.json", NOW, speed)
    assert list(tmp_path.iterdir()) == []


def test_a_token_of_the_stack_is_one_that_services_accept(tmp_path: Path) -> None:
    """The token is good for the key that services get, at the stack's own time, with the named scopes alone."""
    here = stack.Stack.at(tmp_path)
    keys = secrets.load_or_generate(here.layout.secrets)
    clock.set_to(here.layout.clock, NOW)
    token = here.token("secretary", subject="li", college=["文学院"], class_=["k1", "k2"])
    verifier = auth.TokenVerifier(keys.token_public_key, kit_clock.SimulatedClock(here.layout.clock))
    assert verifier.verify(token) == auth.Principal("li", "secretary", {"college": ("文学院",), "class": ("k1", "k2")})


def test_an_unknown_scope_is_refused(tmp_path: Path) -> None:
    """A misspelt scope must not become a token without bounds."""
    here = stack.Stack.at(tmp_path)
    secrets.load_or_generate(here.layout.secrets)
    with pytest.raises(ValueError, match="colege"):
        here.token("secretary", colege=["c1"])


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """The second start reads what the first one made; the file is the owner's alone, and printing shows no secret."""
    path = tmp_path / "secrets.json"
    made = secrets.load_or_generate(path)
    assert secrets.load_or_generate(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert made.vault_key not in repr(made)
    assert "PRIVATE" not in repr(made)


def test_a_service_gets_its_own_keys_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vault's keys go to roster alone, the code key to roster and capture, and never the private token key."""
    monkeypatch.delenv("GRADPHOTO_DATABASE_URL", raising=False)
    keys = secrets.generate()
    place = layout.Layout.at(tmp_path)
    chosen = dict.fromkeys(("postgres", "amqp", "s3", *secrets.SERVICES), 1)
    given = {name: environment.for_service(name, place, keys, chosen, {}) for name in secrets.SERVICES}
    assert [name for name, env in given.items() if "GRADPHOTO_VAULT_KEY" in env] == ["roster"]
    assert sorted(name for name, env in given.items() if "GRADPHOTO_CODE_KEY" in env) == ["capture", "roster"]
    assert sorted(name for name, env in given.items() if "GRADPHOTO_WORDS_KEY" in env) == [
        *("capture", "roster", "verify")
    ]
    assert all(keys.token_private_key not in env.values() for env in given.values())


def test_a_taken_port_is_replaced() -> None:
    """Yesterday's port is kept while it is free and replaced when somebody else has it."""
    with socket.socket() as other:
        other.bind((ports.LOOPBACK, 0))
        other.listen()
        taken = other.getsockname()[1]
        chosen = ports.choose(["a", "b"], {"a": taken})
    assert taken not in chosen.values()
    assert len(set(chosen.values())) == 2
    assert ports.choose(["a", "b"], chosen) == chosen


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """If writing fails, the old text stands and no temporary file is left."""
    path = tmp_path / "state.json"
    layout.write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        layout.write_atomically(path, "\udcff")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_process_is_known_by_pid_and_birth() -> None:
    """The same pid with another time of creation is another process."""
    own = process.created_at(os.getpid())
    assert process.alive(os.getpid(), own)
    assert not process.alive(os.getpid(), own - 100)
    assert not process.alive(0, 0.0)


def test_a_process_that_ignores_the_request_is_gone_when_end_returns() -> None:
    """`end` kills what does not go by itself, and waits for that too."""
    deaf = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, start_new_session=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        created = process.created_at(child.pid)
        assert process.end(child.pid, created, patience_s=0.2)
        assert not process.alive(child.pid, created)
        assert not process.end(child.pid, created)


def test_what_cannot_be_cleared_up_is_told_and_stops_nobody(tmp_path: Path) -> None:
    """A program that has gone since is named; the files are removed all the same."""
    left = tmp_path / "socket"
    left.touch()
    assert "FileNotFoundError" in process.clear_up((str(tmp_path / "docker"), "rm"), (left,))
    assert not left.exists()
    assert process.clear_up((sys.executable, "-c", "raise SystemExit(1)"), ()) == ""


@pytest.mark.parametrize("spoil", [lambda kept: kept.pop("words_key"), lambda kept: kept.update(words_key=7)])
def test_secrets_of_another_version_are_named_and_not_shown(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], object]
) -> None:
    """The file and the field are told, nothing that is in it, and it stays as it was."""
    path = tmp_path / "secrets.json"
    kept = json.loads(secrets.generate().model_dump_json())
    spoil(kept)
    path.write_text(json.dumps(kept))
    before = path.read_bytes()
    with pytest.raises(secrets.Unreadable, match="words_key") as told:
        secrets.load_or_generate(path)
    assert str(path) in str(told.value)
    assert told.value.__context__ is None
    long = [value for value in kept.values() if isinstance(value, str) and len(value) > 12]
    assert not [value for value in long if value[:12] in str(told.value)]
    assert path.read_bytes() == before


def test_a_start_on_secrets_of_another_version_says_so(tmp_path: Path) -> None:
    """In one sentence, by the supervisor's own words."""
    (tmp_path / "secrets.json").write_text("{")
    line = [sys.executable, "-m", "cli.stack.supervisor", "--dir", str(tmp_path)]
    ended = subprocess.run(line, capture_output=True, text=True, check=False, cwd=layout.PROJECT)
    assert (ended.returncode, "Traceback" in ended.stderr) == (4, False)
    assert "--dir" in ended.stderr
