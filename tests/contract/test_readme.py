"""The README's programs, run as they stand there, against the real broker."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import aio_pika
import pytest

from gradphoto_contracts import capture, catalogue, ids
from gradphoto_contracts.envelope import Envelope, Event
from kit import clock, topology

README = Path(__file__).resolve().parents[2] / "contracts" / "README.md"


def program(name: str) -> Callable[..., Awaitable[None]]:
    """A function out of the README's code."""
    (code,) = [
        block
        for block in re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
        if f"def {name}(" in block
    ]
    names: dict[str, Any] = {}
    exec(compile(code, str(README), "exec"), names)
    function: Callable[..., Awaitable[None]] = names[name]
    return function


def withdrawn() -> capture.PhotoWithdrawnV1:
    """A photo that goes, new each time."""
    return capture.PhotoWithdrawnV1(
        version=3,
        capture_id=ids.CaptureId(uuid4()),
        campaign_id=ids.CampaignId(uuid4()),
        student_id=ids.StudentId(uuid4()),
        class_id=ids.ClassId(uuid4()),
        desk_id=ids.DeskId(uuid4()),
        reason="wrong_person",
    )


async def say(url: str, *events: Event) -> None:
    """Publish as the relay does."""
    async with await aio_pika.connect(url) as connection:
        exchange = await (await connection.channel()).get_exchange("gradphoto.events")
        for event in events:
            now = clock.SystemClock().now()
            sealed = Envelope.seal(event, id=uuid4(), source="capture", time=now, correlation_id="c-1")
            body = event.model_dump_json().encode()
            await exchange.publish(aio_pika.Message(body, headers={**sealed.headers()}), event.TYPE)


async def until(found: Callable[[], bool], program: Awaitable[None]) -> None:
    """Run a program until something is so; its own error comes first."""
    running = asyncio.ensure_future(program)
    try:
        async with asyncio.timeout(20):
            while not found():
                assert not running.done(), running.exception()
                await asyncio.sleep(0.05)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def broker(amqp_url: str) -> str:
    """A broker with the exchange and the stream of the system."""
    await topology.declare(amqp_url, {service: [] for service in catalogue.SERVICES})
    return amqp_url


async def test_a_subscriber_hears_what_it_asked_for(broker: str) -> None:
    """The README's program hears its topics and no others, also what was said while it was away."""
    heard: list[Event] = []

    async def note(envelope: Envelope, event: Event) -> None:
        assert envelope.subject == event.key
        heard.append(event)

    event, later = withdrawn(), withdrawn()
    other = capture.StationEnrolledV1(
        version=1,
        station_id=ids.StationId(uuid4()),
        campaign_id=ids.CampaignId(uuid4()),
        desk_id=ids.DeskId(uuid4()),
    )

    async def speak() -> None:
        while not heard:
            await say(broker, other, event)
            await asyncio.sleep(0.5)

    speaking = asyncio.create_task(speak())
    await until(lambda: event in heard, program("subscribe")(broker, note))
    await speaking
    await say(broker, later)
    await until(lambda: later in heard, program("subscribe")(broker, note))
    assert other not in heard


async def test_replay_begins_where_it_is_told(broker: str) -> None:
    """The program of the README hears all from the first, and from an offset exactly what lies behind it, in order."""
    said = [withdrawn() for _ in range(5)]
    await say(broker, *said)
    heard: list[tuple[int, Event]] = []

    async def note(at: int, event: Event) -> None:
        heard.append((at, event))

    await until(lambda: said[-1] in [event for _, event in heard], program("replay")(broker, note))
    places = [at for at, _ in heard]
    assert places == sorted(set(places))
    third = next(at for at, event in heard if event == said[2])
    heard.clear()
    await until(lambda: said[-1] in [event for _, event in heard], program("replay")(broker, note, third))
    assert [event for _, event in heard][:3] == said[2:]
