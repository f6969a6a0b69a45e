"""The consumer on the real broker: each message ends in one outcome, and none is lost on the way."""

import asyncio
import contextlib
import itertools
from collections.abc import Sequence

import aio_pika
import pytest

from gradphoto_contracts.envelope import Envelope
from kit import broker, bus, dead_letters, errors, topology
from tests.integration.bus import conftest, things


async def put(amqp_url: str, service: str, *messages: aio_pika.Message) -> None:
    """Lay messages into the inbox, past the exchange."""
    async with broker.connection(amqp_url, "test") as connection:
        out = (await broker.confirming(connection)).default_exchange
        for message in messages:
            await bus.publish(out, message, broker.inbox(service))


async def depth(amqp_url: str, queue: str) -> int:
    """How many messages are ready in `queue`."""
    async with broker.connection(amqp_url, "test") as connection:
        channel = await connection.channel()
        declared = await channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0


async def until_dead(amqp_url: str, service: str, number: int = 1) -> list[dead_letters.DeadLetter]:
    """Wait for `number` dead letters."""
    async with asyncio.timeout(30):
        while True:
            found = await dead_letters.list_dead(amqp_url, service)
            if len(found) >= number:
                return found
            await asyncio.sleep(0.1)


async def test_what_waits_is_handled_together_and_in_order(amqp_url: str, service: str) -> None:
    """Many messages make few calls, each within its bound, and the versions of each subject come in order."""
    heard: list[Envelope] = []
    calls: list[int] = []

    async def dispatch(envelopes: Sequence[Envelope]) -> None:
        calls.append(len(envelopes))
        heard.extend(envelopes)

    sent = [things.said(f"thing{n}", version) for version in range(1, 11) for n in range(20)]
    await put(amqp_url, service, *(bus.message(one) for one in sent))
    async with things.beside(bus.Consumer(amqp_url, service, dispatch).run()):
        await things.until(lambda: len(heard) == len(sent))
    for n in range(20):
        assert things.versions(heard, f"thing{n}") == list(range(1, 11))
    assert len(calls) < len(sent) / 2
    assert max(calls) <= bus.TOGETHER
    assert await depth(amqp_url, broker.inbox(service)) == 0  # nothing was left unacknowledged


async def test_one_that_fails_among_many_fails_alone(amqp_url: str, service: str) -> None:
    """A message that cannot be handled is laid aside by itself; its neighbours are handled once, and in order."""
    handled: list[str] = []

    async def dispatch(envelopes: Sequence[Envelope]) -> None:
        if any(envelope.subject == "bad" for envelope in envelopes):
            raise errors.Conflict("slot-taken")
        handled.extend(envelope.subject for envelope in envelopes)

    names = [f"thing{n}" for n in range(30)]
    sent = [things.said(subject) for subject in (*names[:7], "bad", *names[7:])]
    await put(amqp_url, service, *(bus.message(one) for one in sent))
    async with things.beside(bus.Consumer(amqp_url, service, dispatch).run()):
        (letter,) = await until_dead(amqp_url, service)
        await things.until(lambda: len(handled) == 30)
    assert (letter.reason, handled) == ("slot-taken", names)


async def test_a_domain_error_goes_to_the_dead_letters_at_once(amqp_url: str, service: str) -> None:
    """What trying again cannot help is not tried again: the letter carries the code, the count, and the whole event."""
    tries = 0

    async def dispatch(_: Envelope) -> None:
        nonlocal tries
        tries += 1
        raise errors.Conflict("slot-taken")

    sent = things.said("one")
    await put(amqp_url, service, bus.message(sent))
    async with things.beside(things.consumer(amqp_url, service, dispatch).run()):
        (letter,) = await until_dead(amqp_url, service)
    assert (letter.reason, letter.tries, letter.message_id, tries) == ("slot-taken", 1, str(sent.id), 1)
    content = await dead_letters.show_dead(amqp_url, service, sent.id)
    assert content.data == sent.data
    assert content.headers["ce-type"] == sent.type


async def test_an_unexpected_failure_waits_through_the_tiers_then_dies(amqp_url: str, service: str) -> None:
    """A bug is tried four times with growing waits, then laid aside; what comes behind it is handled meanwhile."""
    loop = asyncio.get_running_loop()
    tried_at: list[float] = []
    heard: list[str] = []

    async def dispatch(envelope: Envelope) -> None:
        heard.append(envelope.subject)
        if envelope.subject == "bad":
            tried_at.append(loop.time())
            raise KeyError("a bug")

    await put(amqp_url, service, bus.message(things.said("bad")), bus.message(things.said("good")))
    async with things.beside(things.consumer(amqp_url, service, dispatch).run()):
        (letter,) = await until_dead(amqp_url, service)
    waits = [later - earlier for earlier, later in itertools.pairwise(tried_at)]
    assert (letter.reason, letter.tries, heard[:2]) == ("unexpected-failure", 4, ["bad", "good"])
    assert len(waits) == 3
    assert all(wait >= ttl_ms / 1000 for wait, ttl_ms in zip(waits, conftest.TTL_MS, strict=True))


async def test_unavailable_is_tried_until_it_is_there(amqp_url: str, service: str) -> None:
    """What is away for the moment is waited for longer than a bug would be."""
    tries = 0

    async def dispatch(_: Envelope) -> None:
        nonlocal tries
        tries += 1
        if tries < 7:
            raise errors.Unavailable("class-not-known-yet")

    await put(amqp_url, service, bus.message(things.said("one")))
    async with things.beside(things.consumer(amqp_url, service, dispatch).run()):
        await things.until(lambda: tries == 7)
        await asyncio.sleep(0.3)
    assert await dead_letters.list_dead(amqp_url, service) == []
    assert tries == 7


@pytest.mark.parametrize(
    "message",
    [
        aio_pika.Message(b"not json", headers={"ce-specversion": "1.0"}),
        aio_pika.Message(b"[]", headers=dict(things.said("one").headers())),
        aio_pika.Message(b"{}", headers={"ce-specversion": "1.0", "ce-id": "not a uuid"}),
        aio_pika.Message(b"{}"),
    ],
    ids=["body", "not-an-object", "headers", "no-headers"],
)
async def test_a_malformed_envelope_is_rejected_with_its_reason(
    amqp_url: str, service: str, message: aio_pika.Message
) -> None:
    """What is no event of ours is laid aside at the first look, and the consumer goes on."""
    heard: list[Envelope] = []

    async def dispatch(envelope: Envelope) -> None:
        heard.append(envelope)

    await put(amqp_url, service, message, bus.message(things.said("next")))
    async with things.beside(things.consumer(amqp_url, service, dispatch).run()):
        (letter,) = await until_dead(amqp_url, service)
        await things.until(lambda: len(heard) == 1)
    assert letter.reason == "envelope-malformed"


async def test_a_poison_message_returns_from_the_dead_when_it_is_asked_for(amqp_url: str, service: str) -> None:
    """After the bug is mended, retry hands the letter back as if never tried, and drop throws another away."""
    mended = False
    heard: list[str] = []

    async def dispatch(envelope: Envelope) -> None:
        if not mended:
            raise errors.Invalid("bad-news")
        heard.append(envelope.subject)

    wanted, unwanted = things.said("wanted"), things.said("unwanted")
    await put(amqp_url, service, bus.message(wanted), bus.message(unwanted))
    async with things.beside(things.consumer(amqp_url, service, dispatch).run()):
        await until_dead(amqp_url, service, 2)
        mended = True
        assert await dead_letters.drop_dead(amqp_url, service, unwanted.id) == 1
        assert await dead_letters.retry_dead(amqp_url, service) == 1
        await things.until(lambda: heard == ["wanted"])
    assert await dead_letters.list_dead(amqp_url, service) == []
    with pytest.raises(errors.NotFound):
        await dead_letters.drop_dead(amqp_url, service, unwanted.id)


async def test_looking_at_dead_letters_leaves_them(amqp_url: str, service: str) -> None:
    """Looking many times neither uses letters up nor changes their order."""
    async with broker.connection(amqp_url, "test") as connection:
        out = (await broker.confirming(connection)).default_exchange
        for n in range(3):
            await bus.publish(out, bus.message(things.said(f"thing{n}")), broker.dead(service))
    for _ in range(25):
        found = await dead_letters.list_dead(amqp_url, service)
    assert [letter.subject for letter in found] == ["thing0", "thing1", "thing2"]


async def test_what_kills_its_consumer_again_and_again_is_laid_aside(amqp_url: str, service: str) -> None:
    """The broker counts deliveries that end in the consumer's death, and after its limit moves the message away."""
    await put(amqp_url, service, bus.message(things.said("deadly")))
    deliveries = 0
    async with things.arrivals(amqp_url, broker.inbox(service), prefetch=1) as queue:
        with contextlib.suppress(TimeoutError):
            while deliveries < 50:
                taken = await asyncio.wait_for(queue.get(), 3)
                deliveries += 1
                await taken.reject(requeue=True)
    assert deliveries == topology.DELIVERY_LIMIT + 1
    (letter,) = await dead_letters.list_dead(amqp_url, service)
    assert (letter.reason, letter.subject) == (dead_letters.DELIVERY_LIMIT, "deadly")


@pytest.mark.newer_broker
async def test_nack_would_never_reach_the_limit(amqp_url: str, service: str) -> None:
    """On RabbitMQ 4.3 a nack with requeue does not count: the reason why the consumer never uses it."""
    await put(amqp_url, service, bus.message(things.said("deadly")))
    async with things.arrivals(amqp_url, broker.inbox(service), prefetch=1) as queue:
        for _ in range(30):
            taken = await asyncio.wait_for(queue.get(), 5)
            await taken.nack(requeue=True)
    assert await dead_letters.list_dead(amqp_url, service) == []


async def test_a_deleted_queue_is_made_again_and_consuming_goes_on(amqp_url: str, service: str) -> None:
    """When the broker cancels the consumer because its queue is gone, it declares the queue anew and hears again."""
    heard: list[Envelope] = []
    key = f"{service}.thing.happened.v1"

    async def dispatch(envelope: Envelope) -> None:
        heard.append(envelope)

    publisher = bus.Publisher(amqp_url)
    consumer = things.consumer(amqp_url, service, dispatch, bindings=[key], retry_ttl_ms=conftest.TTL_MS)
    async with things.beside(consumer.run()):
        assert await publisher.publish_window([things.said("before", 1, key)]) == [True]
        await things.until(lambda: len(heard) == 1)
        async with broker.connection(amqp_url, "test") as connection:
            channel = await connection.channel()
            await channel.queue_delete(broker.inbox(service))
        async with asyncio.timeout(30):
            while len(heard) < 2:
                await publisher.publish_window([things.said("after", 1, key)])
                await asyncio.sleep(0.2)
    await publisher.close()


async def test_what_was_not_acknowledged_comes_again_to_the_next_consumer(amqp_url: str, service: str) -> None:
    """A consumer cancelled in the middle of a handler loses nothing."""
    began = asyncio.Event()
    heard: list[Envelope] = []

    async def hangs(_: Envelope) -> None:
        began.set()
        await asyncio.sleep(60)

    async def dispatch(envelope: Envelope) -> None:
        heard.append(envelope)

    sent = [things.said("one", version) for version in range(1, 6)]
    await put(amqp_url, service, *(bus.message(one) for one in sent))
    async with things.beside(things.consumer(amqp_url, service, hangs).run()):
        await asyncio.wait_for(began.wait(), 10)
    async with things.beside(things.consumer(amqp_url, service, dispatch).run()):
        await things.until(lambda: len(heard) == len(sent))
    assert heard == sent
    assert await depth(amqp_url, broker.inbox(service)) == 0
