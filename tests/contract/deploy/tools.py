"""The programs of others that judge our files: found, or fetched as root on Debian; else a test names what it lacks."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.stack.parts import rabbitmq

Say = Callable[[str], None]


def promtool(cache: Path, say: Say) -> Path:
    """Prometheus' own judge of rules. Its package is unpacked into `cache`, not installed: no daemon is started."""
    found = shutil.which("promtool")
    unpacked = cache / "prometheus" / "usr" / "bin" / "promtool"
    with rabbitmq.installing():
        if found is None and not unpacked.exists():
            _need("promtool", "prometheus")
            say("apt-get download prometheus: promtool tests the alert rules (19 MB, unpacked, not installed)")
            _unpack("prometheus", unpacked.parents[2])
    return Path(found) if found else unpacked


def compose(say: Say) -> list[str]:
    """`docker compose` or docker-compose 1.29; neither needs an engine to read a file."""
    if shutil.which("docker") and _succeeds("docker", "compose", "version"):
        return ["docker", "compose"]
    with rabbitmq.installing():
        if shutil.which("docker-compose") is None:
            _need("docker compose", "docker-compose")
            say("apt-get install docker-compose: it reads docker-compose.yml (without a Docker engine)")
            _apt("install", "-q", "-y", "--no-install-recommends", "docker-compose")
    return ["docker-compose"]


def run(*command: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Its status and what it said."""
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def _need(program: str, package: str) -> None:
    if not rabbitmq.may_install():
        pytest.skip(f"needs {program}: install it (Debian: {package}), or run the tests as root on Debian")


def _succeeds(*command: str) -> bool:
    return run(*command).returncode == 0


def _apt(*arguments: str, cwd: Path | None = None) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", *arguments]
    if subprocess.run(command, env=env, cwd=cwd, capture_output=True, check=False).returncode == 0:
        return
    subprocess.run(["apt-get", "update", "-q"], env=env, capture_output=True, check=False)
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _unpack(package: str, into: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        _apt("download", "-q", package, cwd=Path(folder))
        (archive,) = Path(folder).glob("*.deb")
        subprocess.run(["dpkg", "-x", archive, into], check=True)
