"""What the tests of deploy/ share: the tools, and docker-compose.yml as compose itself understands it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import env_file
from cli.stack import layout
from tests.contract.deploy import tools

DEPLOY = layout.PROJECT / "deploy"


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """A line on the terminal, past pytest's capture."""
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    return lambda text: reporter.write_line(f"\n{text}") if reporter else None


@pytest.fixture(scope="session")
def promtool(pytestconfig: pytest.Config, say: Callable[[str], None]) -> Path:
    """The program promtool."""
    cache = pytestconfig.cache
    assert cache is not None
    return tools.promtool(cache.mkdir("tools"), say)


@pytest.fixture(scope="session")
def compose(say: Callable[[str], None]) -> list[str]:
    """The command that reads docker-compose.yml."""
    return [*tools.compose(say), "-f", str(layout.PROJECT / "docker-compose.yml")]


@pytest.fixture(scope="session")
def bare() -> dict[str, str]:
    """An environment in which nothing but the .env speaks."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


@pytest.fixture(scope="session")
def env_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .env as `./gradphoto secrets --host 10.0.0.9` writes it."""
    path = tmp_path_factory.mktemp("compose") / ".env"
    env_file.write(path, host="10.0.0.9", port=9443)
    return path


@pytest.fixture(scope="session")
def parts(compose: list[str], env_path: Path, bare: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The services of docker-compose.yml with everything filled in, as compose prints them."""
    done = tools.run(*compose, "--env-file", env_path, "config", env=bare)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = yaml.safe_load(done.stdout)["services"]
    return found
