"""The embedded stack on its real parts: it comes up, heals, keeps its data and leaves nothing behind."""

import asyncio
import io
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import aio_pika
import psutil
import pytest

from cli import status
from cli.stack import control, ports, secrets, supervisor
from cli.stack import stack as stacks
from cli.stack.parts import objects, postgres

Launch = Callable[[str], stacks.Stack]
PARTS = {"postgres", "epmd", "rabbitmq", "objects"}


@pytest.fixture(scope="module")
def launch() -> Iterator[Launch]:
    """Start an infrastructure stack by name, again if it was ended; all of them end with the module."""
    with tempfile.TemporaryDirectory(prefix="gradphoto-stack-", ignore_cleanup_errors=True) as folder:
        names: set[str] = set()

        def start(name: str) -> stacks.Stack:
            names.add(name)
            return stacks.start(Path(folder) / name, services=(), fast=True, bound=True)

        yield start
        for name in names:
            stacks.Stack.at(Path(folder) / name).down()


def descendants(stack: stacks.Stack) -> list[psutil.Process]:
    own = psutil.Process(stack.layout.read_state()["supervisor"]["pid"])
    return [own, *own.children(recursive=True)]


def still_running(processes: list[psutil.Process]) -> list[psutil.Process]:
    left = []
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            if one.is_running() and one.status() != psutil.STATUS_ZOMBIE:
                left.append(one)
    return left


def ports_of(stack: stacks.Stack) -> set[int]:
    return set(stack.layout.read_state()["ports"].values())


def sockets_of(numbers: set[int]) -> list[Path]:
    return [path for path in objects.SOCKETS.glob("seaweedfs-*") if any(str(port) in path.name for port in numbers)]


def until(holds: Callable[[], bool], timeout_s: float = 30.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


async def write_everywhere(stack: stacks.Stack) -> None:
    urls = stack.urls()
    connection = await postgres.connect(urls["DATABASE_URL"])
    await connection.execute("create table kept (word text)")
    await connection.execute("insert into kept values ('毕业')")
    await connection.close()
    broker = await aio_pika.connect(urls["AMQP_URL"])
    async with broker:
        channel = await broker.channel()
        queue = await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
        message = aio_pika.Message(b"kept", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, queue.name)
    client, bucket = objects.client(urls["S3_URL"])
    client.put_object(bucket_name=bucket, object_name="kept", data=io.BytesIO(b"jpeg"), length=4)


async def read_everywhere(stack: stacks.Stack) -> tuple[str, bytes, bytes]:
    urls = stack.urls()
    connection = await postgres.connect(urls["DATABASE_URL"])
    word = await connection.fetchval("select word from kept")
    await connection.close()
    broker = await aio_pika.connect(urls["AMQP_URL"])
    async with broker:
        channel = await broker.channel()
        queue = await channel.get_queue("kept")
        message = await queue.get(timeout=5)
        assert message is not None
        await message.ack()
    client, bucket = objects.client(urls["S3_URL"])
    answer = client.get_object(bucket_name=bucket, object_name="kept")
    try:
        return word, message.body, answer.read()
    finally:
        answer.close()


def test_all_parts_come_up_on_loopback_only(launch: Launch) -> None:
    """Every part is ready, and no process of the stack listens on any address but loopback."""
    stack = launch("one")
    assert set(stack.state()["parts"]) == PARTS
    assert status.report(stack)["ready"]
    for process in descendants(stack):
        for connection in process.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN:
                assert connection.laddr.ip in {"127.0.0.1", "::1"}, process.name()


def test_secrets_are_for_the_owner_alone(launch: Launch) -> None:
    """The secrets file is 0600, and no password stands in stack.json, in a command line or in a log."""
    stack = launch("one")
    assert stack.layout.secrets.stat().st_mode & 0o777 == 0o600
    keys = stack.secrets()
    hidden = [keys.database_admin, keys.amqp_password, keys.s3_secret, keys.control, keys.vault_key]
    seen = stack.layout.state.read_text() + "".join(
        log.read_text(errors="replace") for log in stack.layout.logs.iterdir()
    )
    seen += "".join(" ".join(process.cmdline()) for process in descendants(stack))
    assert [word for word in hidden if word in seen] == []


def test_services_cannot_read_each_other(launch: Launch) -> None:
    """The role of one service is refused the schema of another."""
    stack = launch("one")

    async def trespass() -> str:
        url = stack.env_for("billing")["GRADPHOTO_DATABASE_URL"].replace("+asyncpg", "")
        connection = await postgres.connect(url)
        try:
            assert await connection.fetchval("show search_path") == "billing, extensions"
            await connection.execute("create table roster.mine (x int)")
        except Exception as error:  # noqa: BLE001 - its kind is what the test looks at
            return type(error).__name__
        finally:
            await connection.close()
        return "allowed"

    assert asyncio.run(trespass()) == "InsufficientPrivilegeError"


@pytest.mark.parametrize("part", sorted(PARTS))
def test_a_killed_part_is_restarted_and_named(launch: Launch, part: str) -> None:
    """After kill -9 the part runs again under a new pid, and the restart stands in the state and in the log."""
    stack = launch("one")
    before = stack.pids()[part]
    restarts = stack.state()["parts"][part]["restarts"]
    stack.kill(part)
    stack.wait_ready(part, 90)
    after = stack.state()["parts"][part]
    assert after["pid"] != before
    assert (after["restarts"], after["last_exit"]) == (restarts + 1, "SIGKILL")
    assert f"{part} 意外结束" in stack.layout.log("supervisor").read_text()


def test_a_spawned_process_is_supervised_too(launch: Launch) -> None:
    """Any program can be put under the supervisor: it is restarted when it dies and gone when it is removed."""
    stack = launch("one")
    stack.spawn("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"], env={"X": "1"})
    first = stack.pids()["sleeper"]
    stack.kill("sleeper")
    assert until(lambda: stack.pids().get("sleeper", first) != first)
    second = psutil.Process(stack.pids()["sleeper"])
    stack.remove("sleeper")
    assert still_running([second]) == []
    assert "sleeper" not in stack.state()["parts"]


def test_a_program_that_cannot_start_is_told_with_its_log(launch: Launch) -> None:
    """A program that ends again and again before it is ready is given up, and the answer holds its last words."""
    stack = launch("one")
    with pytest.raises(control.Refused, match="no such camera"):
        stack.spawn(
            "broken", [sys.executable, "-c", "raise SystemExit('no such camera')"], ready_url="http://127.0.0.1:9/"
        )
    stack.remove("broken")


def test_the_control_port_wants_the_key(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request without the stack's own key is refused."""
    stack = launch("one")
    wrong = stack.secrets().model_copy(update={"control": "0" * 32})
    monkeypatch.setattr(secrets, "load", lambda _: wrong)
    with pytest.raises(control.Refused, match="wrong key"):
        control.ask(stack.layout, "down")


def test_two_stacks_side_by_side_and_down_leaves_nothing(launch: Launch) -> None:
    """Two stacks share no port; when one ends, none of its processes, ports or sockets remain, and the other runs."""
    one, two = launch("one"), launch("two")
    taken = ports_of(two)
    assert taken.isdisjoint(ports_of(one))
    processes = descendants(two)
    two.down()
    assert still_running(processes) == []
    assert [port for port in taken if ports.is_open(port)] == []
    assert sockets_of(taken) == []
    assert status.report(one)["ready"]


def test_data_survive_down_and_up(launch: Launch) -> None:
    """Rows, messages and objects of yesterday are there today, under the same ports and secrets."""
    stack = launch("kept")
    asyncio.run(write_everywhere(stack))
    urls = stack.urls()
    stack.down()
    again = launch("kept")
    assert again.urls() == urls
    assert asyncio.run(read_everywhere(again)) == ("毕业", b"kept", b"jpeg")
    again.down()


def test_a_killed_supervisor_takes_its_children_along(launch: Launch) -> None:
    """After kill -9 of the supervisor its children end with it, `down` clears up, and `up` runs again."""
    stack = launch("orphans")
    processes = descendants(stack)
    os.kill(processes[0].pid, signal.SIGKILL)
    assert until(lambda: not stack.running())
    assert stack.state()["phase"] == "lost"
    stack.down()
    assert still_running(processes) == []
    assert sockets_of(ports_of(stack)) == []
    again = launch("orphans")
    assert status.report(again)["ready"]
    again.down()


def test_the_sweep_ends_only_its_own(launch: Launch) -> None:
    """A pid in a stale stack.json that now belongs to another process is left alone."""
    mine = {"pid": os.getpid(), "created": 1.0, "kind": "extra"}
    assert supervisor.sweep({"parts": {"stale": mine}}) == []


def test_parts_that_the_user_brings_are_used(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all three URLs given nothing is started, and roles, schemas and bucket are made in what is there."""
    urls = launch("one").urls()
    given = {**urls, "DATABASE_URL": urls["DATABASE_URL"].replace("/gradphoto", "/brought")}
    given["S3_URL"] = urls["S3_URL"].replace("/gradphoto", "/brought")
    for name, url in given.items():
        monkeypatch.setenv(f"GRADPHOTO_{name}", url)
    guest = launch("guest")
    assert guest.state()["parts"] == {}

    async def schemas() -> list[str]:
        connection = await postgres.connect(guest.env_for("verify")["GRADPHOTO_DATABASE_URL"])
        try:
            return list(await connection.fetchval("select current_schemas(false)"))
        finally:
            await connection.close()

    assert asyncio.run(schemas()) == ["verify", "extensions"]
    client, bucket = objects.client(given["S3_URL"])
    assert bucket == "brought"
    assert client.bucket_exists(bucket_name=bucket)
    guest.down()


def test_a_database_user_without_rights_is_told_the_remedy(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    """A given database user that may not make roles ends the start with one sentence that says what it needs."""
    one = launch("one")
    poor = f"postgresql://poor:poor@127.0.0.1:{one.port('postgres')}/gradphoto"

    async def make() -> None:
        connection = await postgres.connect(one.urls()["DATABASE_URL"])
        await connection.execute("create role poor login password 'poor'")
        await connection.close()

    asyncio.run(make())
    for name, url in {**one.urls(), "DATABASE_URL": poor}.items():
        monkeypatch.setenv(f"GRADPHOTO_{name}", url)
    with pytest.raises(stacks.StartFailed, match="CREATEROLE"):
        launch("poor")
