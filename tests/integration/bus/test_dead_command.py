"""`gradphoto dead` against a stack that runs: a letter dies of a real failure, is looked at, handed back, dropped."""

import asyncio
import json
from uuid import UUID

import pytest
import typer.testing

from cli import dead
from cli.stack import stack as stacks
from gradphoto_contracts.envelope import Envelope
from kit import broker, bus, dead_letters, errors, topology
from tests.integration.bus import things


class Patient:
    """A service that refuses everything until it is cured."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.name = things.name()
        self.heard: list[UUID] = []

    async def _dispatch(self, envelope: Envelope) -> None:
        self.heard.append(envelope.id)
        raise errors.Conflict("things-refused")

    async def _cured(self, envelope: Envelope) -> None:
        self.heard.append(envelope.id)

    async def refuse(self, count: int) -> list[Envelope]:
        """Say so many things, each of which ends among the dead letters."""
        said = [things.said(self.name, version, f"{self.name}.thing.happened.v1") for version in range(1, count + 1)]
        await topology.declare(self.url, {self.name: [f"{self.name}.#"]})
        publisher = bus.Publisher(self.url)
        assert await publisher.publish_window(said) == [True] * count
        await publisher.close()
        async with things.beside(things.consumer(self.url, self.name, self._dispatch).run()):
            await things.until(lambda: len(self.heard) == count)
            while len(await dead_letters.list_dead(self.url, self.name)) < count:  # noqa: ASYNC110 - a queue can only be asked
                await asyncio.sleep(0.05)
        return said

    async def hear(self, count: int) -> list[UUID]:
        """Cured: what it hears now."""
        self.heard = []
        async with things.beside(things.consumer(self.url, self.name, self._cured).run()):
            await things.until(lambda: len(self.heard) >= count)
        return self.heard


@pytest.fixture
def patient(amqp_url: str) -> Patient:
    return Patient(amqp_url)


def test_dead_letters_are_listed_shown_retried_and_dropped(patient: Patient, infrastructure: stacks.Stack) -> None:
    """Of three dead letters one is handed back and heard, one is dropped for good, and one stays for later."""

    def dead_command(*line: str) -> typer.testing.Result:
        where = ["--dir", str(infrastructure.layout.root)]
        return typer.testing.CliRunner().invoke(dead.app, [*line, *where])

    first, second, third = asyncio.run(patient.refuse(3))
    listed = dead_command("list", patient.name).output
    assert all(str(one.id) in listed for one in (first, second, third)), "a whole id is what one copies"
    shown = json.loads(dead_command("show", patient.name, str(first.id)).output)
    assert (shown["letter"]["reason"], shown["data"]["version"]) == ("things-refused", 1)
    assert dead_command("retry", patient.name, str(first.id)).exit_code == 0
    assert asyncio.run(patient.hear(1)) == [first.id]
    assert dead_command("drop", patient.name, str(second.id)).exit_code == 0
    again = dead_command("drop", patient.name, str(second.id))
    assert (again.exit_code, "no such dead letter" in again.output) == (1, True)
    left = dead_command("list", patient.name).output
    assert [str(one.id) in left for one in (first, second, third)] == [False, False, True]
    assert "1" in dead_command("retry", patient.name, "--all").output
    assert asyncio.run(patient.hear(1)) == [third.id]
    assert "no dead letters" in dead_command("list", patient.name).output


def test_a_binding_that_nobody_wants_is_taken_away(patient: Patient, infrastructure: stacks.Stack) -> None:
    """After `unbind` nothing of that type reaches the inbox; a type that the catalogue gives the service stays."""
    where = ["--dir", str(infrastructure.layout.root)]
    asyncio.run(patient.refuse(1))
    runner = typer.testing.CliRunner()
    assert runner.invoke(dead.app, ["unbind", patient.name, f"{patient.name}.#", *where]).exit_code == 0
    assert runner.invoke(dead.app, ["unbind", "verify", "capture.photo.accepted.v1", *where]).exit_code == 2
    assert asyncio.run(_waiting(patient)) == 0


async def _waiting(patient: Patient) -> int:
    """How many messages lie in the inbox after one more was said."""
    publisher = bus.Publisher(patient.url)
    said = things.said(patient.name, 9, f"{patient.name}.thing.happened.v1")
    assert await publisher.publish_window([said]) == [True]
    await publisher.close()
    async with broker.connection(patient.url, "test") as connection:
        queue = await (await connection.channel()).declare_queue(broker.inbox(patient.name), passive=True)
        return queue.declaration_result.message_count or 0


def test_retry_wants_one_message_or_all(patient: Patient, infrastructure: stacks.Stack) -> None:
    """Neither a message nor --all, or both: nothing is handed back, and the exit status says so."""
    where = ["--dir", str(infrastructure.layout.root)]
    for line in (["retry", patient.name], ["retry", patient.name, "x", "--all"]):
        assert typer.testing.CliRunner().invoke(dead.app, [*line, *where]).exit_code == 2


def test_service_without_dead_letters_is_told_apart_from_a_broker_that_is_away(
    patient: Patient, infrastructure: stacks.Stack
) -> None:
    """A name that no queue has: a sentence that says so, not that the broker does not answer. No name: all services."""
    where = ["--dir", str(infrastructure.layout.root)]
    assert typer.testing.CliRunner().invoke(dead.app, ["list", *where]).exit_code == 0
    asked = typer.testing.CliRunner().invoke(dead.app, ["list", broker.dead(patient.name), *where])
    assert (asked.exit_code, "has no dead letters" in asked.output) == (1, True)
