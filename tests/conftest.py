"""Fixtures for every test: the real parts, started once in a run and only when a test first asks for them."""

import asyncio
import concurrent.futures
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from cli.stack import layout as layouts
from cli.stack import secrets
from cli.stack import stack as stacks
from cli.stack.parts import postgres

FreshDatabase = Callable[..., str]
EMPTY = "template_empty"

# What lands is judged by the same examples each time; `test all` looks for new ones. No example is timed.
THOROUGH = os.environ.get("GRADPHOTO_TEST_EXTENT") == "all"
hypothesis.settings.register_profile("gradphoto", deadline=None, derandomize=not THOROUGH, print_blob=THOROUGH)
hypothesis.settings.load_profile("gradphoto")

_BROKERS = {
    "newer_broker": "of RabbitMQ 4.3 alone: run on it by ./gradphoto test all",
    "older_broker": "of RabbitMQ 3.10 alone: run on it by ./gradphoto test",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test marked for one broker is skipped, by name, on the other; a thorough one, but in `test all`."""
    lane = "newer_broker" if os.environ.get("GRADPHOTO_TEST_LANE") == "newer" else "older_broker"
    for item in items:
        wanted = {mark.name for mark in item.iter_markers() if mark.name in {"newer_broker", "older_broker"}}
        if wanted and lane not in wanted:
            item.add_marker(pytest.mark.skip(reason=_BROKERS[wanted.pop()]))
        if item.get_closest_marker("thorough") and not THOROUGH:
            item.add_marker(pytest.mark.skip(reason="takes minutes: only in ./gradphoto test all"))


@pytest.fixture(scope="session")
def infrastructure() -> Iterator[stacks.Stack]:
    """PostgreSQL, RabbitMQ and the object store, without services; gone with this run, however it ends."""
    with tempfile.TemporaryDirectory(prefix="gradphoto-test-", ignore_cleanup_errors=True) as folder:
        stack = stacks.start(Path(folder), services=(), fast=True, bound=True)
        # A copy that nobody connects to, since PostgreSQL clones only what is not in use.
        _admin(stack.urls()["DATABASE_URL"], f'create database "{EMPTY}" template "{postgres.DATABASE}"')
        yield stack
        stack.down()


@pytest.fixture(scope="session")
def postgres_url(infrastructure: stacks.Stack) -> str:
    """The database with administrator rights: `postgresql://postgres:…@127.0.0.1:port/gradphoto`."""
    return infrastructure.urls()["DATABASE_URL"]


@pytest.fixture(scope="session")
def amqp_url(infrastructure: stacks.Stack) -> str:
    """The broker with administrator rights."""
    return infrastructure.urls()["AMQP_URL"]


@pytest.fixture(scope="session")
def s3_url(infrastructure: stacks.Stack) -> str:
    """The object store: `http://key:secret@127.0.0.1:port/gradphoto`."""
    return infrastructure.urls()["S3_URL"]


@pytest.fixture(scope="session")
def template_database(infrastructure: stacks.Stack) -> Callable[[str], str]:
    """Name of a database with one service's migrated schema and no rows; made at the first call, once a service."""
    made: dict[str, str] = {}

    def template(service: str) -> str:
        if service not in made:
            made[service] = _make_template(infrastructure, service)
        return made[service]

    return template


@pytest.fixture
def fresh_database(
    infrastructure: stacks.Stack, postgres_url: str, template_database: Callable[[str], str]
) -> Iterator[FreshDatabase]:
    """`fresh_database("roster")`: URL, with that service's role, of a new migrated database; dropped after the test.

    `migrated=False` leaves the schema empty.
    """
    names: list[str] = []

    def fresh(service: str, *, migrated: bool = True) -> str:
        name = f"test_{uuid.uuid4().hex}"
        source = template_database(service) if migrated else EMPTY
        _admin(postgres_url, f'create database "{name}" template "{source}"')
        names.append(name)
        return postgres.service_url(postgres_url, infrastructure.secrets(), service, name)

    yield fresh
    for name in names:
        _admin(postgres_url, f'drop database "{name}" with (force)')


def _make_template(stack: stacks.Stack, service: str) -> str:
    address = stack.urls()["DATABASE_URL"]
    name = f"template_{service}"
    own = {**os.environ, **stack.env_for(service)}
    own["GRADPHOTO_DATABASE_URL"] = postgres.service_url(address, stack.secrets(), service, name)
    _admin(address, f'create database "{name}" template "{EMPTY}"')
    command = [sys.executable, "-m", f"services.{service}", "migrate"]
    done = subprocess.run(command, cwd=layouts.PROJECT, env=own, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{service} migrate: {done.stdout}{done.stderr}")
    return name


def _admin(url: str, statement: str) -> None:
    async def execute() -> None:
        connection = await postgres.connect(url, "postgres")
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    # In a thread of its own, since the test that asks may itself run on an event loop.
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, execute()).result()


@pytest.fixture(scope="session")
def generated_secrets() -> secrets.Secrets:
    """A set of keys for tests that start nothing."""
    return secrets.generate()
